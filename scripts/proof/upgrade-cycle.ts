/**
 * One upgrade from version 0.1.0 and the return to it, in a lab whose clients fetch all the time: with the commands of
 * docs/how-to/operate/upgrade.md, policy edits, changed settings and planned moves between them.
 */
import { cpSync } from 'node:fs';
import { type LabHandle, until } from '../../src/lab/handle.ts';
import { DrillFailure, PackageDrills } from '../../src/lab/trials/package-drills.ts';
import { codeBelow, readPage } from '../../test/markdown.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const old = '/opt/csync-0.1.0';
const limitMs = 180_000;
const prompt = 'm1# ';
const editFile = 'set-upgrade.txt';

/** As the page has them, in their order, without what they print. */
function commandsBelow(heading: string): string[] {
  const [code = ''] = codeBelow(readPage('docs/how-to/operate/upgrade.md'), heading);
  const typed = code.split('\n').filter((line) => line.startsWith(prompt));
  return typed.length > 0 ? typed.map((line) => line.slice(prompt.length)) : code.split('\n');
}

export interface UpgradeCounts {
  readonly cycles: number;
  /** Announced: an administrator moved the package. */
  readonly moves: number;
  readonly edits: number;
  readonly fetches: number;
  /** Monitors that a move replaced by one of the other version. */
  readonly monitors: number;
  /** How often a client's connection was refused while the package kept running; it was served again each time. */
  readonly refusals: number;
}

export class UpgradeCycles {
  readonly drills: PackageDrills;
  readonly #random: () => number;
  #counts = { cycles: 0, moves: 0, edits: 0, fetches: 0, monitors: 0, refusals: 0 };
  #grace = 20;

  constructor(lab: LabHandle, random: () => number) {
    this.drills = new PackageDrills(lab);
    this.#random = random;
  }

  get counts(): UpgradeCounts {
    return this.#counts;
  }

  /** Version 0.1.0 is installed by hand on every member, and its package serves. */
  async begin(dist: string): Promise<void> {
    await this.drills.attach();
    cpSync(dist, `${this.drills.lab.spec.home}/shared/version-0.1.0`, { recursive: true });
    for (const member of this.drills.members)
      await this.#type(
        member,
        `cp -r /run/csync-lab/version-0.1.0 ${old} && chmod -R go-w ${old} && rm /usr/local/bin/csync && ln -s ${old}/csync.mjs /usr/local/bin/csync`,
      );
    await this.#type('m1', 'ln -s /opt/csync /opt/csync-new');
    for (const member of this.drills.members) await this.#forgetNewSettings(member);
    await this.#type('m1', 'cmruncl -v');
    await this.#type('m1', 'csync apply --yes --run');
    await this.drills.waitServed();
    await this.#type(
      'm1',
      `cd /root && csync policy show --copy work && : > work/${editFile} && csync policy commit work -m begin`,
    );
  }

  /** As the page says: 0.1.0 refuses settings that it does not know. */
  async #forgetNewSettings(member: string): Promise<void> {
    const keyOf = (line: string): string | undefined => /^#? ?([a-z_]+):/.exec(line)?.[1];
    const known = new Set((await this.#type(member, 'csync settings example')).split('\n').map(keyOf));
    const lines = (await this.#type(member, 'cat csync.yaml')).split('\n').filter((line) => known.has(keyOf(line)));
    await this.#type(member, `cat > csync.yaml <<'END'\n${lines.join('\n')}\nEND`);
  }

  /** Throws a DrillFailure with what is not as it must be. */
  async cycle(): Promise<void> {
    const mark = this.drills.entries.length;
    const moves = this.#counts.moves;
    await this.upgrade();
    await this.#use('0.2.0');
    await this.goBack();
    await this.#use('0.1.0');
    await this.#held(mark, this.#counts.moves - moves);
    this.#counts.cycles += 1;
  }

  async upgrade(): Promise<void> {
    await this.#changeSetting();
    await this.#withoutHalt('the upgrade', async () => {
      for (const command of commandsBelow('Upgrade')) await this.#type('m1', command);
    });
    await this.#is('no difference after the upgrade', 'm1', 'csync diff');
    await this.#settingHolds(`${directory}/sets/*/settings.json`);
  }

  async goBack(): Promise<void> {
    await this.#withoutHalt('the return to 0.1.0', async () => {
      const number = await this.#newestOld();
      for (const command of commandsBelow('Return to version 0.1.0'))
        await this.#type('m1', command.replace('NUMBER', `${number}`));
    });
    await this.#is('no difference after the return', 'm1', 'csync diff');
    await this.#settingHolds(`${directory}/settings.json`);
  }

  /** The newest set that version 0.1.0 made. */
  async #newestOld(): Promise<number> {
    type Sets = { readonly sets: readonly { readonly number: number; readonly toolkitVersion: string }[] };
    const { sets } = JSON.parse(await this.#type('m1', 'csync history --json')) as Sets;
    const found = sets.findLast(({ toolkitVersion }) => toolkitVersion === '0.1.0');
    if (found === undefined) throw new DrillFailure('the history has no set of version 0.1.0');
    return found.number;
  }

  /** A day in the life of a version: an edit of the policy, a planned move, and the clients fetch. */
  async #use(version: string): Promise<void> {
    await this.#edit();
    await this.#move(version);
    this.#counts.fetches += 1;
    await this.drills.publishAndFetch();
    await this.#edit();
  }

  async #edit(): Promise<void> {
    const number = this.#counts.edits + 1;
    const words = `rm -rf work && csync policy show --copy work && echo ${number} >> work/${editFile} && csync policy commit work -m 'edit ${number}'`;
    await this.#type(this.#anyOf(this.drills.members), words);
    this.#counts.edits = number;
  }

  async #changeSetting(): Promise<void> {
    this.#grace = this.#grace < 45 ? this.#grace + 1 : 20;
    await this.#type(
      'm1',
      `sed -i '/^halt_grace_seconds:/d' csync.yaml && echo 'halt_grace_seconds: ${this.#grace}' >> csync.yaml`,
    );
  }

  async #settingHolds(file: string): Promise<void> {
    for (const member of this.drills.members)
      await this.#is(
        `the changed setting is applied on ${member}`,
        member,
        `grep -l '"haltGraceSeconds": ${this.#grace},' ${file}`,
      );
  }

  /** cmhaltpkg and cmrunpkg: announced, so no monitor has a verdict. The monitor of the other version exits with the package. */
  async #move(version: string): Promise<void> {
    const from = await this.drills.waitServed();
    const to = this.#anyOf(this.drills.members.filter((member) => member !== from));
    if (version === '0.1.0') await this.#resetConnections(to);
    await this.#type('m1', `cmhaltpkg csync && cmrunpkg -n ${to} csync && cmmodpkg -e csync`);
    this.#counts.moves += 1;
    await this.drills.waitServed(from);
    const runs = async () => (await this.#run(to, 'pgrep -f csync-monitor[.]cjs')).exitCode === 0;
    await until(runs, 30_000, `the monitor on ${to}`);
    const monitors = (await this.#type(to, 'pgrep -af csync-monitor[.]cjs')).trim();
    const isNew = monitors.split('\n').every((line) => line.includes(`${directory}/sets/`));
    if (isNew !== (version !== '0.1.0'))
      throw new DrillFailure(`after the move under ${version} another monitor runs: ${monitors}`);
    this.#counts.monitors += 1;
    const reports = async () => (await this.#run(to, 'test -s /run/csync-monitor-csync.json')).exitCode === 0;
    await until(reports, 30_000, `the report of the monitor on ${to}`);
    const state = JSON.parse(await this.#type(to, 'cat /run/csync-monitor-csync.json')) as { verdict: unknown };
    if (state.verdict !== null) throw new DrillFailure(`the monitor has a verdict: ${JSON.stringify(state.verdict)}`);
    await this.drills.waitSeen();
    await this.drills.waitClients();
  }

  /** A fault of 0.1.0: its daemons count connections that a move left half open, and refuse these clients later. 0.2.0 resets them itself. */
  async #resetConnections(member: string): Promise<void> {
    const { packageAddress, cfenginePort } = this.drills.lab.spec.settings;
    await this.#type(member, `ss -KHtn state established src '[${packageAddress}]' sport = :${cfenginePort}`);
  }

  /** The package keeps running: same member, same daemon, nothing halted. */
  async #withoutHalt(what: string, change: () => Promise<unknown>): Promise<void> {
    const owner = await this.drills.waitServed();
    const mark = this.drills.entries.length;
    const daemon = await this.#type(owner, 'pgrep -x cf-serverd');
    await change();
    await this.drills.waitSeen();
    const halts = this.drills.entries.slice(mark).filter(({ what: kind }) => kind === 'halting' || kind === 'service-died');
    if (halts.length > 0 || (await this.drills.waitServed()) !== owner)
      throw new DrillFailure(`${what}: ${halts.map(({ member, text }) => `${member} ${text}`).join('; ') || 'it moved'}`);
    await this.drills.waitClients();
    this.#counts.refusals += this.drills.entries.slice(mark).filter(({ what: kind }) => kind === 'client-lost').length;
    if ((await this.#type(owner, 'pgrep -x cf-serverd')) !== daemon)
      throw new DrillFailure(`${what}: another daemon runs on ${owner}`);
  }

  /** Only the planned moves happened, no edit is lost, and the invariants hold. */
  async #held(mark: number, moves: number): Promise<void> {
    const entries = this.drills.entries.slice(mark);
    const halts = entries.filter(({ what }) => what === 'halting');
    const died = entries.filter(({ what }) => what === 'service-died');
    if (halts.length !== moves || died.length > 0)
      throw new DrillFailure(
        `${halts.length} halts for ${moves} planned moves: ${[...halts, ...died].map(({ text }) => text).join('; ')}`,
      );
    const owner = await this.drills.waitServed();
    const kept = await this.#type(owner, `cat $(find /csync/[!.]* -name ${editFile} | head -n 1)`);
    const wanted = Array.from({ length: this.#counts.edits }, (_, index) => `${index + 1}`).join('\n');
    if (kept.trim() !== wanted) throw new DrillFailure(`edits are lost: ${kept.replaceAll('\n', ' ')} of ${this.#counts.edits}`);
    const broken = await this.drills.invariants();
    if (broken.length > 0) throw new DrillFailure(broken.join('; '));
  }

  async #is(what: string, member: string, script: string): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#run(member, script);
    if (exitCode !== 0) throw new DrillFailure(`${what}: ${script} exits with ${exitCode}\n${stdout}${stderr}`);
  }

  async #type(member: string, script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#run(member, script);
    if (exitCode !== 0) throw new DrillFailure(`on ${member}: ${script}\nexits with ${exitCode}\n${stdout}${stderr}`);
    return stdout;
  }

  #run(member: string, script: string) {
    return this.drills.lab.exec(member, ['sh', '-c', `cd /root && ${script}`], { timeoutMs: limitMs });
  }

  #anyOf(members: readonly string[]): string {
    return members[Math.floor(this.#random() * members.length)] ?? '';
  }
}
