/**
 * A member with cfengine generation 2, in namespaces of its own: the stand-in programs, a real ext4 on a loop device, the
 * package rendered by the toolkit. No lab, no Serviceguard. Everything lies on a tmpfs inside; when the test ends or is
 * killed, process 1 of the namespaces sees the end of its standard input and the kernel takes the rest.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, type TestContext } from 'vitest';
import type { CommandResult } from '../../../src/host/host.ts';
import { childrenOf, type RunningProcess, runProcess, startProcess } from '../../../src/host/processes.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { eventually, have, isRoot, repository, settingsFor, settingsText } from '../../support.ts';

const programs = ['unshare', 'nsenter', 'ip', 'losetup', 'mkfs.ext4', 'perl', 'ss', 'openssl'] as const;

export const whyNoMember: string | null = !isRoot
  ? 'namespaces need root'
  : (programs.find((program) => !have(program)) ?? null) === null
    ? null
    : `missing: ${programs.filter((program) => !have(program)).join(', ')}`;

if (whyNoMember !== null) console.warn(`tests of cfengine generation 2 are skipped: ${whyNoMember}`);

export const ownAddress = '10.9.0.11';
export const packageAddress = '10.9.0.100';
export const clientAddress = '10.9.0.21';
const searchPath = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Process 1: reaps every orphan, and exits with its standard input. */
const init = '$SIG{CHLD} = "IGNORE"; $| = 1; print "ready\\n"; 1 while sysread STDIN, my $nothing, 1';

/** One key pair for the whole file: to make one takes longer than everything else here. */
let keys: string | null = null;

/** cfservd.conf after cfengine.md 1.7, with these admit lines; a line of `control` replaces that of the same name, since lists add up. */
export function cfservdConf(admit: readonly string[], control: readonly string[] = []): string {
  const networks = '127.0.0.1 10.9.0.0/24';
  const lines = [
    'domain = ( lab )',
    'AllowUsers = ( root )',
    `AllowConnectionsFrom = ( ${networks} )`,
    `AllowMultipleConnectionsFrom = ( ${networks} )`,
    'MaxConnections = ( 20 )',
  ].filter((line) => !control.some((own) => own.split(' ')[0] === line.split(' ')[0]));
  lines.push(...control);
  return `control:\n  ${lines.join('\n  ')}\nadmit:\n  any::\n    ${admit.join('\n    ')}\n`;
}

/** m1 is a member and has the package address; c1 is a client that knows it. */
const addressesOf = { m1: [ownAddress, packageAddress], c1: [clientAddress] } as const;
type HostName = keyof typeof addressesOf;

export class Member {
  readonly #outer: RunningProcess;
  readonly #pid: number;
  readonly #name: HostName;
  readonly directory: string;

  private constructor(outer: RunningProcess, pid: number, name: HostName, directory: string) {
    this.#outer = outer;
    this.#pid = pid;
    this.#name = name;
    this.directory = directory;
  }

  get work(): string {
    return `${this.directory}/work`;
  }
  get mountPoint(): string {
    return `${this.directory}/csync`;
  }
  get policyDirectory(): string {
    return `${this.mountPoint}/dsau`;
  }
  get log(): string {
    return `${this.directory}/csync.log`;
  }
  get settings(): Settings {
    return settingsFor(this.#said);
  }

  static async start(directory: string, name: HostName): Promise<Member> {
    const at = (path: string): string => `${directory}/${path}`;
    const nodes = ['null', 'zero', 'full', 'random', 'urandom'];
    const setUp = [
      'set -e; umask 022; cd /',
      // What a monitor leaves in /run is not the next one's.
      'mount -t tmpfs -o mode=755 tmpfs /run',
      `mount -t tmpfs -o mode=755 tmpfs ${directory}; mkdir -p ${at('csync')} ${at('conf')} ${at('dev')} ${at('work/inputs')}`,
      `echo ${name} > /proc/sys/kernel/hostname`,
      'ip link set lo up',
      ...addressesOf[name].map((address) => `ip address add ${address}/24 dev lo`),
      `printf '127.0.0.1 localhost\\n${ownAddress} m1\\n${clientAddress} c1.lab c1\\n${packageAddress} csync.lab\\n' > ${at('hosts')}`,
      `mount --bind ${at('hosts')} /etc/hosts; : > ${at('fstab')}; [ ! -e /etc/fstab ] || mount --bind ${at('fstab')} /etc/fstab`,
      `truncate -s 96M ${at('disk')}; mkfs.ext4 -q -F ${at('disk')}`,
      // Detached at once, while it is held open here: it goes with its last user.
      `loop=$(losetup --find --show ${at('disk')}); exec 9<$loop; losetup --detach $loop`,
      `mount -t tmpfs -o mode=755 tmpfs ${at('dev')}; mkdir ${at('dev/vg_csync')}; : > ${at('dev/vg_csync/lv_csync')}`,
      `mount --bind $loop ${at('dev/vg_csync/lv_csync')}`,
      `for node in ${nodes.join(' ')}; do : > ${at('dev')}/$node; mount --bind /dev/$node ${at('dev')}/$node; done`,
      `ln -s /proc/self/fd ${at('dev/fd')}; mount --rbind ${at('dev')} /dev`,
      `exec perl -e '${init}'`,
    ].join('\n');
    const unshare = 'unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc'.split(' ');
    const said: string[] = [];
    const outer = startProcess([...unshare, 'sh', '-c', setUp], {
      env: { PATH: searchPath, LC_ALL: 'C' },
      stdin: 'pipe',
      onLine: (line) => said.push(line),
    });
    let ended = false;
    void outer.ended.then(() => {
      ended = true;
    });
    await eventually('the namespaces', () => ended || said.includes('ready'));
    const [pid] = childrenOf(outer.pid ?? 0);
    if (ended || pid === undefined) throw new Error(`the namespaces did not come up: ${said.join(' | ')}`);
    const member = new Member(outer, pid, name, directory);
    try {
      await member.#install();
    } catch (error) {
      await member.close();
      throw error;
    }
    return member;
  }

  /** cfengine with the cluster's key pair and a policy, and the rendered package. */
  async #install(): Promise<void> {
    const { work } = this;
    await this.demand(`mkdir ${work}/bin; cp ${repository}/test/fixtures/cfengine2/* ${work}/bin/`);
    if (keys !== null) await this.demand(`cd ${work} && base64 -d | tar x`, keys);
    else {
      await this.demand(`${work}/bin/cfkey`);
      keys = await this.demand(`cd ${work} && tar c modules ppkeys rpc_in rpc_out state randseed | base64`);
    }
    const trusted = [ownAddress, packageAddress].map((address) => `root-${address}.pub`);
    await this.demand(`cd ${work}/ppkeys && for name in ${trusted.join(' ')}; do cp localhost.pub $name; done`);
    this.writeConf(cfservdConf([`${this.policyDirectory} 127.0.0.1 10.9.0.0/24`]));
    await this.render({});
  }

  /** The package, with these settings changed. */
  async render(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const { directory } = this;
    this.write(`${directory}/csync.yaml`, settingsText({ ...this.#said, ...changes }));
    const rendered = ['render', '--settings', `${directory}/csync.yaml`, '--output', `${directory}/conf/csync`];
    await this.demand(`${process.execPath} ${repository}/dist/csync.mjs ${rendered.join(' ')}`);
  }

  get #said(): Record<string, unknown> {
    const { work, directory } = this;
    return {
      members: ['m1', 'm2'],
      mount_point: this.mountPoint,
      cfengine_generation: 2,
      cfengine_work_directory: work,
      cfengine_bin_directory: `${work}/bin`,
      monitor_interval_seconds: 1,
      monitor_timeout_seconds: 1,
      halt_grace_seconds: 1,
      package_directory: `${directory}/conf/csync`,
      script_log_file: this.log,
      node_path: process.execPath,
    };
  }

  /** A wire between two hosts, to which their addresses go. */
  async connect(other: Member): Promise<void> {
    const wire = ['ip', 'link', 'add', 'eth0', 'netns', String(this.#pid), 'type', 'veth', 'peer', 'name', 'eth0'];
    const { exitCode, stderr } = await runProcess([...wire, 'netns', String(other.#pid)], {
      timeoutMs: 10_000,
      env: { PATH: searchPath },
    });
    if (exitCode !== 0) throw new Error(`no wire between the hosts: ${stderr}`);
    for (const host of [this, other]) {
      const added = addressesOf[host.#name].map((address) => `ip address add ${address}/24 dev eth0`);
      await host.demand(`ip address flush dev lo; ip address add 127.0.0.1/8 dev lo; ${added.join('; ')}; ip link set eth0 up`);
    }
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = join(`/proc/${this.#pid}/root`, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
    chmodSync(file, mode);
  }

  writeConf(text: string): void {
    this.write(`${this.work}/inputs/cfservd.conf`, text);
  }

  /** For a daemon that runs: it reads a file again that is from a later second than its last reading, and one from the future again and again. */
  async changeConf(text: string): Promise<void> {
    // The file system's clock lags behind date's by up to a tick, so a file of this moment says when the second is over.
    await this.demand(
      `was=$(date +%s); until touch ${this.work}/second && [ "$(stat -c %Y ${this.work}/second)" -gt "$was" ]; do sleep 0.05; done; rm ${this.work}/second`,
    );
    this.writeConf(text);
  }

  #entered(argv: readonly string[]): string[] {
    return ['nsenter', '--target', String(this.#pid), '--mount', '--net', '--uts', '--ipc', '--pid', '--', ...argv];
  }

  /** A shell command inside, as the administrator would type it. */
  sh(script: string, input?: string): Promise<CommandResult> {
    const options = { timeoutMs: 30_000, env: { PATH: searchPath, LC_ALL: 'C', HOME: '/root' } };
    return runProcess(this.#entered(['sh', '-c', script]), input === undefined ? options : { ...options, input });
  }

  /** As sh, and an error when it fails. */
  async demand(script: string, input?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.sh(script, input);
    if (exitCode !== 0) throw new Error(`${script} ends with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  }

  /** A launcher of the package, in an empty environment, as Serviceguard might call it. */
  async script(words: string): Promise<{ exitCode: number | null; log: string }> {
    await this.demand(`: > ${this.log}`);
    const { exitCode, stdout, stderr } = await this.sh(`cd /tmp && exec env -i ${this.directory}/conf/csync/${words}`);
    return { exitCode, log: `${stdout}${stderr}${await this.demand(`cat ${this.log}`)}` };
  }

  /** Something that goes on inside until it is ended, by its own doing or with the namespaces. */
  begin(script: string): RunningProcess {
    return startProcess(this.#entered(['sh', '-c', script]), { env: { PATH: searchPath, LC_ALL: 'C' } });
  }

  async mount(): Promise<void> {
    await this.demand(`mount /dev/vg_csync/lv_csync ${this.mountPoint} && mkdir -p ${this.policyDirectory}`);
  }

  /** Pids of the processes of that name in its namespace. Read from outside: nothing is started in it for that. */
  processes(name: string): string[] {
    const proc = `/proc/${this.#pid}/root/proc`;
    const nameOf = (pid: string): string | null => {
      try {
        return readFileSync(join(proc, pid, 'comm'), 'utf8').trim();
      } catch {
        // It exited meanwhile.
        return null;
      }
    };
    return readdirSync(proc).filter((entry) => /^\d+$/.test(entry) && nameOf(entry) === name);
  }

  /** Pids of the daemon, as the members' scripts would recognise it. */
  async daemons(): Promise<string[]> {
    const looked =
      'for p in /proc/[0-9]*; do read -r name 2>/dev/null < $p/comm && [ "$name" = cfservd ] && echo "${p#/proc/}"; done';
    return (await this.sh(looked)).stdout.split('\n').filter((line) => line !== '');
  }

  async startDaemon(): Promise<string> {
    await this.demand(`cd /tmp && ${this.work}/bin/cfservd`);
    return eventually('cfservd to run as a daemon', async () => {
      const [pid, ...others] = await this.daemons();
      const written = (await this.sh(`cat ${this.work}/cfservd.pid`)).stdout.trim();
      return others.length === 0 && pid === written ? pid : null;
    });
  }

  async close(): Promise<void> {
    this.#outer.child.stdin?.end();
    await this.#outer.ended;
  }
}

/**
 * A fresh host for each test that asks for one; it is gone, with all it started, when that test has ended. Hosts of one test
 * have the same paths, each in its own mount namespace.
 */
export function useMember(): (name?: HostName) => Promise<Member> {
  let directory: string | null = null;
  let members: Member[] = [];
  afterEach(async () => {
    for (const member of members) await member.close();
    if (directory !== null) rmSync(directory, { recursive: true, force: true });
    members = [];
    directory = null;
  });
  return async (name = 'm1') => {
    directory ??= mkdtempSync(join(tmpdir(), 'csync-test-'));
    const member = await Member.start(directory, name);
    members.push(member);
    return member;
  };
}

/** A fresh host for a test that others run beside; it is gone when that test has ended. */
export async function memberFor({ onTestFinished }: TestContext): Promise<Member> {
  const directory = mkdtempSync(join(tmpdir(), 'csync-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const member = await Member.start(directory, 'm1');
  // The last that was registered is the first that is done.
  onTestFinished(() => member.close());
  return member;
}
