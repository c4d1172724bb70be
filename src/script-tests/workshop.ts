import { dirname } from 'node:path';
import { generateKeyPair, peerKeyFileName } from '../cfengine/keys.ts';
import type { RenderedFile } from '../contract/package-directory.ts';
import * as files from '../host/lab/lab-files.ts';
import { parseProcessStat } from '../host/member/member-host.ts';
import { runProcess } from '../host/processes.ts';
import { logFileOf } from '../lab/emulation/scripts/package-environment.ts';
import { type PolicyTemplates, policyFiles, writeCfengine } from '../lab/machines/cfengine-setup.ts';
import { furnishHost, furnishMember } from '../lab/machines/furnish.ts';
import { expandVariables, type LabSpec, labSpec } from '../lab/machines/lab-spec.ts';
import type { PackageContent } from '../serviceguard/package-content.ts';
import { fileSystemTypes } from '../settings/file-systems.ts';
import type { Settings } from '../settings/settings.ts';

export interface TestedPackage {
  readonly settings: Settings;
  /** Serviceguard reads scripts, services and log from it. */
  readonly content: PackageContent;
  readonly files: readonly RenderedFile[];
}

export class SandboxFailure extends Error {}

export const systemEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' };
export const commandLimitMs = 20_000;
const homes = '/run/csync-conform';

export class Workshop {
  readonly tested: TestedPackage;
  readonly spec: LabSpec;
  readonly home: string;
  #made = 0;

  private constructor(tested: TestedPackage) {
    this.tested = tested;
    this.spec = labSpec(tested.settings, 'conform', { clients: [] });
    this.home = `${homes}/${process.pid}`;
  }

  /** Throws a SandboxFailure with the reason. */
  static async open(tested: TestedPackage, policy: PolicyTemplates): Promise<Workshop> {
    sweep();
    const workshop = new Workshop(tested);
    try {
      await workshop.#furnish(policy);
    } catch (error) {
      workshop.close();
      throw error instanceof SandboxFailure ? error : new SandboxFailure(`${(error as Error).message}`);
    }
    return workshop;
  }

  async #furnish(policy: PolicyTemplates): Promise<void> {
    const { settings } = this.tested;
    files.removeTree(this.home);
    files.makeDirectory(this.home, 0o700);
    files.writeText(`${this.home}/${ownerFile}`, startOf(String(process.pid)) ?? '');
    furnishHost(this.disk, this.spec, this.member);
    furnishMember(this.disk, this.spec);
    files.writeText(`${this.disk}/etc/fstab`, '');
    const directory = expandVariables(settings.packageDirectory);
    for (const file of this.tested.files) files.writeText(`${this.disk}${directory}/${file.name}`, file.text, file.mode);
    files.makeDirectory(`${this.disk}${dirname(logFileOf(this.tested.content))}`);
    const pair = await generateKeyPair();
    const trusted = new Map([[peerKeyFileName(pair.publicKey), pair.publicKey]]);
    writeCfengine(`${this.home}/cfengine`, settings, pair, trusted, policyFiles(this.spec, policy));
    const { overwrite, leastMegabytes } = fileSystemTypes[settings.fileSystemType];
    // As small as mkfs allows, to fill quickly.
    files.makeSparseFile(`${this.home}/disk.img`, leastMegabytes * 1024 * 1024);
    const made = await runProcess([`mkfs.${settings.fileSystemType}`, '-q', overwrite, `${this.home}/disk.img`], {
      timeoutMs: commandLimitMs,
      env: systemEnvironment,
    });
    if (made.exitCode !== 0)
      throw new SandboxFailure(`mkfs.${settings.fileSystemType}: ${made.stderr.trim() || made.errorCode || made.exitCode}`);
  }

  /** Differs from this machine's; copied to every sandbox. */
  get disk(): string {
    return `${this.home}/disk`;
  }

  get member(): string {
    return this.spec.hosts[0]?.name ?? 'm1';
  }

  nextDirectory(): string {
    this.#made += 1;
    return `${this.home}/${this.#made}`;
  }

  close(): void {
    files.removeTree(this.home);
    files.removeIfEmpty(homes);
  }
}

const ownerFile = 'owner';

/** null: none. With the pid it identifies a process. */
function startOf(pid: string): string | null {
  return parseProcessStat(files.readText(`/proc/${pid}/stat`) ?? '')?.startTime ?? null;
}

function sweep(): void {
  for (const pid of files.listDirectory(homes)) {
    const owner = files.readText(`${homes}/${pid}/${ownerFile}`);
    if (owner === null || owner !== startOf(pid)) files.removeTree(`${homes}/${pid}`);
  }
}
