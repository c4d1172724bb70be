/**
 * Serviceguard's phases around a package's scripts, in a member's namespaces, in the order of serviceguard.md 3.2 and 6.7. Does not decide
 * where a package runs.
 */
import { isIpv6 } from '../../../base/network.ts';
import { words } from '../../../base/shell-word.ts';
import { startOrder } from '../../../serviceguard/modules.ts';
import type { FileSystemEntry, PackageContent, ServiceEntry } from '../../../serviceguard/package-content.ts';
import { addAddress, announceAddress, expandVariables } from '../../machines/lab-spec.ts';
import { LabFailure, type World } from '../../machines/world.ts';
import type { HaltReason, ScriptEnd } from '../../manager/model.ts';
import { scriptEnvironment } from './package-environment.ts';
import { PhaseFailure, ScriptRun } from './script-run.ts';

/** Named as in `cmrunpkg -m` and `-e`. */
export const phases = startOrder.filter((name) => name !== 'sg/pr_cntl');
export type Phase = (typeof phases)[number];

export interface ControlScriptInput {
  readonly world: World;
  readonly member: string;
  readonly content: PackageContent;
  /** Their host tags no longer protect a volume group. A halted member still runs. */
  readonly membersDown: () => readonly string[];
  readonly services: ServiceKeeper;
  readonly phases: readonly Phase[];
}

export interface ServiceKeeper {
  start(member: string, content: PackageContent, service: ServiceEntry, restarts: number): Promise<void>;
  halt(member: string, content: PackageContent, service: ServiceEntry): Promise<void>;
}

export class ControlScript {
  readonly #input: ControlScriptInput;
  readonly #run: ScriptRun;
  #reason: HaltReason | null = null;

  constructor(input: ControlScriptInput) {
    this.#input = input;
    this.#run = new ScriptRun(input.world, input.member, input.content);
  }

  get memberIsThere(): boolean {
    return this.#run.memberIsThere;
  }

  /** After a failure, halts the started phases (INFERRED, 3.3). */
  start(timeoutSeconds: number | null): Promise<ScriptEnd> {
    return this.#run.limited(timeoutSeconds, async () => {
      this.#banner('Starting package at');
      const begun: Phase[] = [];
      try {
        for (const phase of this.#input.phases) {
          begun.push(phase);
          await this.#startPhase(phase);
        }
      } catch (error) {
        const failure = this.#asFailure(error);
        this.#reason = 'failure';
        for (const phase of begun.reverse())
          await this.#haltPhase(phase).catch((again) => this.#complain(this.#asFailure(again)));
        this.#banner('Package start failed at');
        return failure.exitCode;
      }
      this.#banner('Package start completed at');
      return 0;
    });
  }

  /** Later phases run even after a failure (4.3). */
  halt(reason: HaltReason, timeoutSeconds: number | null): Promise<ScriptEnd> {
    this.#reason = reason;
    return this.#run.limited(timeoutSeconds, async () => {
      this.#banner('Halting package at');
      let worst: 0 | 1 | 2 | 3 = 0;
      for (const phase of [...this.#input.phases].reverse()) {
        try {
          await this.#haltPhase(phase);
        } catch (error) {
          const failure = this.#asFailure(error);
          // An aborted halt leaves everything below the script (3.3).
          if (failure.exitCode === 3) {
            worst = 3;
            break;
          }
          if (worst === 0) worst = failure.exitCode;
        }
      }
      this.#banner(worst === 0 ? 'Package halt completed at' : 'Package halt failed at');
      return worst;
    });
  }

  async #startPhase(phase: Phase): Promise<void> {
    const { content, member, services } = this.#input;
    const table: Record<Phase, () => Promise<void>> = {
      'sg/external_pre': () => this.#scripts(content.preScripts, 'start'),
      'sg/volume_group': () => this.#each(content.volumeGroups, (group) => this.#activate(group)),
      'sg/filesystem': () => this.#each(content.fileSystems, (entry) => this.#mount(entry)),
      'sg/package_ip': () => this.#each(content.addresses, (entry) => this.#addAddress(entry.address, entry.subnet)),
      'sg/external': () => this.#scripts(content.scripts, 'start'),
      'sg/service': () =>
        this.#each(content.services, async (service) => {
          this.#note(`Starting service ${service.name} using`);
          this.#log(`   "${service.command}"`);
          await services.start(member, content, service, 0);
        }),
    };
    await table[phase]();
  }

  async #haltPhase(phase: Phase): Promise<void> {
    const { content, member, services } = this.#input;
    const table: Record<Phase, () => Promise<void>> = {
      'sg/service': () =>
        this.#each(content.services, (service) => {
          this.#note(`Halting service ${service.name}`);
          return services.halt(member, content, service);
        }),
      'sg/external': () => this.#scripts([...content.scripts].reverse(), 'stop'),
      'sg/package_ip': () => this.#each(content.addresses, (entry) => this.#removeAddress(entry.address, entry.subnet)),
      'sg/filesystem': () => this.#each([...content.fileSystems].reverse(), (entry) => this.#unmount(entry)),
      'sg/volume_group': () => this.#each([...content.volumeGroups].reverse(), (group) => this.#deactivate(group)),
      'sg/external_pre': () => this.#scripts([...content.preScripts].reverse(), 'stop'),
    };
    await table[phase]();
  }

  async #each<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
    for (const item of items) await action(item);
  }

  async #scripts(paths: readonly string[], word: 'start' | 'stop'): Promise<void> {
    for (const path of paths) {
      const script = expandVariables(path, { SG_PACKAGE: this.#input.content.name });
      this.#note(`Running ${script} ${word}`);
      const code = await this.#command([script, word], { ...scriptEnvironment(this.#input), ...this.#actionEnvironment(word) });
      if (code === 0) continue;
      const known = code === 2 || (code === 3 && word === 'stop') ? code : 1;
      this.#note(`${script} ${word} ended with ${code ?? 'no exit status'}`);
      throw new PhaseFailure(`${script} ${word} failed`, known);
    }
  }

  #actionEnvironment(word: 'start' | 'stop'): Record<string, string> {
    return { SG_SCRIPT_ACTION: word, ...(this.#reason === null ? {} : { SG_HALT_REASON: this.#reason }) };
  }

  async #activate(group: string): Promise<void> {
    const { content, membersDown, member } = this.#input;
    this.#note(`Activating volume group ${group} .`);
    // Only membership decides that a member is gone.
    for (const lost of membersDown()) await this.#command(['/usr/sbin/vgchange', '--deltag', lost, group]);
    await this.#required(['/usr/sbin/vgchange', '--addtag', member, group], 'activate_volume_group');
    await this.#required(['/bin/sh', '-c', `${content.vgchangeCommand} "$1"`, 'sh', group], 'activate_volume_group');
  }

  async #deactivate(group: string): Promise<void> {
    const { member, content } = this.#input;
    this.#note(`Deactivating volume group ${group}`);
    const attempts = 1 + content.deactivationRetries;
    await this.#retried(attempts, ['/usr/sbin/vgchange', '-a', 'n', group], async () => {}, 'deactivate_volume_group');
    await this.#required(['/usr/sbin/vgchange', '--deltag', member, group], 'deactivate_volume_group');
  }

  async #mount(entry: FileSystemEntry): Promise<void> {
    const { world, member, content } = this.#input;
    this.#note('Checking filesystems:');
    this.#log(`   ${entry.device}`);
    const check = await this.#command(['/sbin/fsck', '-t', entry.type, ...words(entry.fsckOptions || '-p'), entry.device]);
    // 1: errors were corrected.
    if (check !== 0 && check !== 1) throw this.#failure('check_and_mount', `fsck ${entry.device}`);
    this.#note(`Mounting ${entry.device} at ${entry.directory}`);
    if (world.isMountPoint(member, entry.directory)) throw this.#failure('check_and_mount', `mount: ${entry.directory} is busy`);
    const mount = ['/bin/mount', '-t', entry.type, ...words(entry.mountOptions), entry.device, entry.directory];
    await this.#retried(1 + content.mountRetries, mount, () => this.#fuser(entry.directory), 'check_and_mount');
  }

  async #unmount(entry: FileSystemEntry): Promise<void> {
    const { world, member, content } = this.#input;
    if (!world.isMountPoint(member, entry.directory)) return;
    this.#note(`Unmounting filesystem on ${entry.device}`);
    const umount = ['/bin/umount', ...words(entry.umountOptions), entry.directory];
    await this.#retried(1 + content.umountRetries, umount, () => this.#fuser(entry.directory), 'umount_fs');
  }

  async #fuser(directory: string): Promise<void> {
    this.#log('\tWARNING:   Running fuser to remove anyone using the file system directly.');
    await this.#command(['/bin/fuser', '-k', '-m', directory]);
  }

  async #addAddress(address: string, subnet: string): Promise<void> {
    this.#note(`Adding IP address ${address} to subnet ${subnet}`);
    const { world, member } = this.#input;
    if (world.hasAddress(member, address)) return;
    await this.#required(addAddress(address, world.spec), 'add_ip_address');
    if (!isIpv6(address)) await this.#command(announceAddress(address));
  }

  async #removeAddress(address: string, subnet: string): Promise<void> {
    this.#note(`Remove IP address ${address} from subnet ${subnet}`);
    const { world, member } = this.#input;
    if (!world.hasAddress(member, address)) return;
    const remove = ['/sbin/ip', 'address', 'delete', `${address}/${world.spec.prefixLength}`, 'dev', 'eth0'];
    await this.#required(remove, 'remove_ip_address');
  }

  async #retried(attempts: number, argv: readonly string[], between: () => Promise<void>, what: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if ((await this.#command(argv)) === 0) return;
      if (attempt >= attempts) throw this.#failure(what, argv.join(' '));
      await between();
    }
  }

  async #required(argv: readonly string[], what: string): Promise<void> {
    if ((await this.#command(argv)) !== 0) throw this.#failure(what, argv.join(' '));
  }

  #failure(what: string, text: string): PhaseFailure {
    this.#log(`\tERROR:  Function ${what}`);
    this.#log(`\tERROR:  Failed to ${text}`);
    return new PhaseFailure(text);
  }

  #asFailure(error: unknown): PhaseFailure {
    if (error instanceof PhaseFailure) return error;
    // The package manager gets the machine's failure, and ignores this result.
    if (error instanceof LabFailure || !this.memberIsThere) return new PhaseFailure(String(error));
    throw error;
  }

  #complain(failure: PhaseFailure): void {
    this.#log(`\tERROR:  while cleaning up: ${failure.message}`);
  }

  #command(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<number | null> {
    return this.#run.command(argv, env);
  }

  #log(line: string): void {
    this.#run.log(line);
  }

  #note(text: string): void {
    this.#log(`${stamp(new Date())} - Node "${this.#input.member}": ${text}`);
  }

  #banner(text: string): void {
    this.#log(`\n\t########### Node "${this.#input.member}": ${text} ${new Date().toISOString()} ###########`);
  }
}

function stamp(date: Date): string {
  const month = date.toLocaleString('en-US', { month: 'short' });
  return `${month} ${String(date.getDate()).padStart(2, ' ')} ${date.toTimeString().slice(0, 8)}`;
}
