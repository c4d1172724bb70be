/**
 * `daemon.cjs HOME DIST attached|detached`: the lab's only daemon, under process 1 of its pid namespace: machines, package manager, answers
 * to cm* commands and `csync lab`. When it exits, the kernel removes the lab.
 */

import { view } from '../engine/pacemaker/status.ts';
import * as files from '../host/lab/lab-files.ts';
import { type Connection, listen } from '../host/lab/lab-socket.ts';
import { progress } from '../host/output.ts';
import { policyTemplateNames } from '../render/policy.ts';
import { commandNames } from './commands/commands.ts';
import { emulatedCluster } from './emulation/emulated-cluster.ts';
import { Journal } from './emulation/journal.ts';
import type { LabCluster } from './emulation/lab-cluster.ts';
import { Observer } from './emulation/observer.ts';
import {
  bootCfengine,
  installCfengine,
  installPrograms,
  type PolicyTemplates,
  preparePolicyFileSystem,
  publish,
  runInitScript,
  versionAt,
} from './machines/cfengine-setup.ts';
import { isSetUp, type LabSpec, membersOf, watchedClients } from './machines/lab-spec.ts';
import { bootSsh, installSsh } from './machines/ssh-setup.ts';
import { World } from './machines/world.ts';
import { realCluster } from './pacemaker/real-cluster.ts';
import type { LabStatus, LabVerb } from './protocol.ts';

class LabDaemon {
  readonly #world: World;
  readonly #journal: Journal;
  readonly #cluster: LabCluster;
  readonly #observer: Observer;
  readonly #dist: string;
  #ending = false;

  constructor(spec: LabSpec, dist: string) {
    this.#dist = dist;
    this.#journal = new Journal(`${spec.home}/journal.ndjson`);
    this.#world = new World(
      { spec, dist, nodePath: process.execPath, commands: commandNames },
      { onMachineDown: (host) => this.#machineDown(host) },
    );
    const boot = (member: string): Promise<void> => this.#bootServices(member);
    this.#cluster =
      spec.settings.engine === 'pacemaker'
        ? realCluster(this.#world, this.#journal, view, boot)
        : emulatedCluster(this.#world, this.#journal, boot);
    this.#observer = new Observer(this.#world, this.#journal, process.execPath);
  }

  async bringUp(): Promise<void> {
    const { spec } = this.#world;
    files.makeDirectory(`${spec.home}/shared`);
    await listen(`${spec.home}/shared/control.sock`, (connection) => this.#serve(connection));
    // Every user has the monitor role. The kernel verified that this one is not root.
    const view = (connection: Connection): void => this.#serve(connection, 'monitor');
    await listen(`${spec.home}/shared/monitor.sock`, view, 0o666);
    this.#progress('creating the shared disk and the network');
    await this.#world.create();
    installPrograms(this.#world);
    const setUp = spec.cfengine === 'set up';
    if (setUp) await installCfengine(this.#world, this.#policyTemplates());
    await installSsh(this.#world);
    for (const host of spec.hosts) {
      this.#progress(`booting ${host.name} (${host.kind}, ${host.address})`);
      await this.#world.boot(host.name);
      await this.#bootServices(host.name);
    }
    if (setUp) await preparePolicyFileSystem(this.#world, membersOf(spec)[0]?.name ?? '');
    this.#observer.start();
    for (const { name } of watchedClients(spec)) {
      this.#observer.probeFrom(name);
      this.#observer.runAgents(name);
    }
    this.#journal.add({ kind: 'progress', what: 'lab-ready', text: 'all machines are up' });
  }

  #policyTemplates(): PolicyTemplates {
    const read = (name: string) => {
      const file = `${this.#dist}/package-templates/${name}`;
      return { file, text: files.readText(file) ?? '' };
    };
    return new Map(policyTemplateNames(3).map((name) => [name, read(name)]));
  }

  async #bootServices(name: string): Promise<void> {
    await bootSsh(this.#world, name);
    const host = this.#world.spec.hosts.find((one) => one.name === name);
    if (host !== undefined && isSetUp(this.#world.spec, host)) return bootCfengine(this.#world, name);
    const started = await runInitScript(this.#world, name);
    if (started === null) return;
    const said = `${started.stdout}${started.stderr}`.trim();
    const text = `init script of cfengine failed with ${started.exitCode ?? started.signal}${said === '' ? '' : `:\n${said}`}`;
    this.#journal.add({ kind: 'log', what: 'init-script', member: name, text });
  }

  fail(error: unknown): void {
    this.#journal.add({ kind: 'progress', what: 'lab-failed', text: error instanceof Error ? error.message : String(error) });
    progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  async end(): Promise<never> {
    this.#ending = true;
    this.#observer.halt();
    await this.#world.thaw();
    process.exit(0);
  }

  #progress(text: string): void {
    this.#journal.add({ kind: 'progress', what: 'booting', text });
  }

  #machineDown(host: string): void {
    if (this.#ending) return;
    this.#journal.add({ kind: 'event', what: 'machine-down', member: host, text: 'machine is down' });
    this.#cluster.memberLost(host);
  }

  #serve(connection: Connection, role: 'root' | 'monitor' = 'root'): void {
    connection.onMessage((message) => {
      const answered =
        message.kind === 'lab' && role === 'root'
          ? this.#verb(message as unknown as LabVerb, connection)
          : this.#cluster.serve(message, connection, role);
      answered.catch((error: unknown) => connection.send({ problem: error instanceof Error ? error.message : String(error) }));
    });
  }

  async #verb(request: LabVerb, connection: Connection): Promise<void> {
    const hosts = this.#world.spec.hosts.map((host) => host.name);
    if ('member' in request && request.member !== undefined && !hosts.includes(request.member))
      throw new Error(`the lab has no host ${request.member}; it has ${hosts.join(', ')}`);
    switch (request.verb) {
      case 'status':
        return connection.send(this.#status());
      case 'view':
        return connection.send({ view: await this.#cluster.view(request.packageName) });
      case 'crash':
        this.#fault(request.member, 'crash', 'power is cut');
        await this.#world.crash(request.member);
        return connection.send({});
      case 'boot':
        await this.#cluster.bootMember(request.member);
        return connection.send({});
      case 'cut':
      case 'heal':
        this.#fault(
          request.member,
          request.verb,
          request.verb === 'cut' ? 'network cable is pulled' : 'network cable is plugged in',
        );
        await this.#cluster.setLink(request.member, request.verb === 'heal');
        return connection.send({});
      case 'exec':
        return connection.send(await this.#exec(request));
      case 'read':
        return connection.send({
          texts: request.paths.map((path) => files.readText(this.#world.pathOn(request.member, path))),
        });
      case 'note':
        this.#journal.add({ kind: 'fault', what: request.what, member: request.member, text: request.text });
        return connection.send({});
      case 'publish':
        await publish(this.#world, request.member, request.version);
        this.#journal.add({
          kind: 'fault',
          what: 'published',
          member: request.member,
          text: `policy version ${request.version} is published`,
        });
        for (const { name } of watchedClients(this.#world.spec)) this.#observer.runAgentNow(name);
        return connection.send({});
      case 'fetch':
        this.#observer.runAgentNow(request.member);
        return connection.send({});
      case 'client-version':
        return connection.send({ version: versionAt(this.#world, request.member) });
      case 'follow':
        return this.#follow(connection);
      case 'down':
        connection.send({});
        return await this.end();
    }
  }

  #fault(member: string, what: string, text: string): void {
    this.#journal.add({ kind: 'fault', what, member, text });
  }

  #follow(connection: Connection): void {
    for (const entry of this.#journal.entries) connection.send({ entry });
    connection.onClose(this.#journal.follow((entry) => connection.send({ entry })));
  }

  async #exec(request: Extract<LabVerb, { verb: 'exec' }>): Promise<object> {
    const { member, argv, timeoutMs, label } = request;
    if (label !== undefined) this.#journal.add({ kind: 'command', what: argv[0] ?? '', member, text: label });
    const { exitCode, stdout, stderr, timedOut } = await this.#world.run(member, argv, { timeoutMs });
    return { exitCode: exitCode ?? 255, stdout, stderr: timedOut ? `${stderr}killed after ${timeoutMs} ms\n` : stderr };
  }

  #status(): LabStatus {
    const { spec } = this.#world;
    const hosts = spec.hosts.map((host) => ({
      ...host,
      kind: host.kind === 'client' ? host.kind : this.#cluster.isMember(host.name) ? ('member' as const) : ('spare' as const),
      up: this.#world.isUp(host.name),
      init: this.#world.initOf(host.name),
      mounted: this.#world.hasDiskMounted(host.name),
      packageAddress: this.#world.hasAddress(host.name, spec.settings.packageAddress),
    }));
    return {
      name: spec.name,
      quirks: spec.quirks,
      hosts,
      worstLookDelayMs: this.#observer.worstDelayMs,
      seenUntil: this.#observer.seenUntil,
      entries: this.#journal.entries.length,
    };
  }
}

const [home = '', dist = '', attachment = ''] = process.argv.slice(2);
const specText = files.readText(`${home}/spec.json`);
if (specText === null) throw new Error(`no lab spec in ${home}`);
const daemon = new LabDaemon(JSON.parse(specText) as LabSpec, dist);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void daemon.end());
if (attachment === 'attached') {
  process.stdin.on('end', () => void daemon.end());
  process.stdin.on('error', () => void daemon.end());
  process.stdin.resume();
}
daemon.bringUp().catch((error: unknown) => daemon.fail(error));
