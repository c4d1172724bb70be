/** Carries out the emulated commands. Files: the calling member's. Requests to the package manager are events, answered when complete. */

import { isIpv6 } from '../../base/network.ts';
import { errorProblem, formatProblem, type Problem } from '../../base/problem.ts';
import * as files from '../../host/lab/lab-files.ts';
import type { Connection } from '../../host/lab/lab-socket.ts';
import { makeLegacyTemplate } from '../../serviceguard/legacy.ts';
import { packageContent } from '../../serviceguard/package-content.ts';
import { type PackageFile, parsePackageFile, printPackageFile } from '../../serviceguard/package-file.ts';
import { listModules, makePackageTemplate } from '../../serviceguard/package-template.ts';
import type { CommandName, CommandRequest } from '../commands/command-table.ts';
import { eventOf, parseCommand } from '../commands/commands.ts';
import { viewCluster } from '../commands/view.ts';
import { addAddress, announceAddress } from '../machines/lab-spec.ts';
import type { World } from '../machines/world.ts';
import { checkPackage, checkTogether } from '../manager/configuration/check.ts';
import { type ClusterFile, parseClusterFile, printClusterFile } from '../manager/configuration/cluster-file.ts';
import { refuseOnlineChange } from '../manager/configuration/online-change.ts';
import { preview } from '../manager/configuration/preview.ts';
import { hostProblems, memberChange, refuseMembers, withMembers } from '../manager/member-change.ts';
import { say } from '../manager/messages.ts';
import { type Call, type Configuration, mayMonitor, withoutCluster } from './command-call.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Cluster } from './emulation.ts';
import type { Journal } from './journal.ts';
import { packageEnvironment } from './scripts/package-environment.ts';
import { observeMembers } from './validation.ts';

/** [serviceguard.md gap 13]. */
const version = 'A.12.00.00';

/** A member's file system may hang; the daemon serves all members. */
const writeLimitMs = 5000;

type Handlers = {
  readonly [Name in CommandName]: (request: Extract<CommandRequest, { command: Name }>, call: Call) => Promise<number> | number;
};

export class CommandService {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #journal: Journal;
  readonly #dispatcher: Dispatcher;
  readonly #handlers: Handlers;

  constructor(world: World, cluster: Cluster, journal: Journal) {
    this.#world = world;
    this.#cluster = cluster;
    this.#journal = journal;
    this.#dispatcher = new Dispatcher(world, journal);
    const event = (request: CommandRequest, call: Call): Promise<number> => this.#event(request, call);
    this.#handlers = {
      cmruncl: event,
      cmhaltcl: event,
      cmrunnode: event,
      cmhaltnode: event,
      cmrunpkg: event,
      cmhaltpkg: event,
      cmmodpkg: event,
      cmviewcl: (request, call) => this.#print(viewCluster(this.#cluster.state, request), call),
      cmquerycl: (request, call) => this.#query(request, call),
      cmcheckconf: async (request, call) => this.#checked((await this.#check(request, call)) !== null, call),
      cmapplyconf: (request, call) => this.#apply(request, call),
      cmgetconf: (request, call) => this.#getConfiguration(request, call),
      cmdeleteconf: (request, call) => this.#delete(request, call),
      cmmakepkg: (request, call) => this.#makePackage(request, call),
      cmversion: (_request, call) => this.#print({ exitCode: 0, lines: [version], errorLines: [] }, call),
      cmmodnet: (request, call) => this.#modifyNetwork(request, call),
      cmrunserv: (request, call) => this.#runService(request, call),
      cmhaltserv: (request, call) => this.#haltService(request, call),
      cmgetpkgenv: (request, call) => this.#environment(request.package, call),
      cmexec: (request, call) => this.#execute(request, call),
    };
  }

  /** The last message has the exit status. */
  async serve(
    message: Readonly<Record<string, unknown>>,
    connection: Connection,
    role: 'root' | 'monitor' = 'root',
  ): Promise<void> {
    if (message.kind !== 'command') return;
    const { command, argv, member, directory } = message as {
      command: string;
      argv: string[];
      member: string;
      directory: string;
    };
    const afterwards: (() => Promise<void>)[] = [];
    const call: Call = {
      member,
      directory,
      later: (work) => afterwards.push(work),
      out: (out) => connection.send({ out }),
      err: (err) => connection.send({ err }),
      ask: (question) =>
        new Promise((resolve) => {
          connection.onMessage((answer) => resolve(typeof answer.answer === 'string' ? answer.answer : null));
          connection.onClose(() => resolve(null));
          connection.send({ ask: question });
        }),
    };
    const parsed = parseCommand(command, argv);
    if (!parsed.ok) {
      for (const line of parsed.errorLines) call.err(line);
      return connection.send({ exit: 1 });
    }
    if (role === 'monitor' && !mayMonitor(parsed.request))
      return connection.send({ exit: refused(call, say('monitorRoleOnly', command)) });
    const { name, members } = this.#cluster.state;
    if (!Object.hasOwn(members, member) && !withoutCluster.includes(parsed.request.command))
      return connection.send({ exit: refused(call, say('notConfigured', command, member, name)) });
    const handler = this.#handlers[parsed.request.command] as (request: CommandRequest, call: Call) => Promise<number> | number;
    connection.send({ exit: await handler(parsed.request, call) });
    for (const work of afterwards) await work();
  }

  /** cmviewcl's output. null: refused. */
  view(argv: readonly string[]): string | null {
    const parsed = parseCommand('cmviewcl', argv);
    if (!parsed.ok || parsed.request.command !== 'cmviewcl') return null;
    const { exitCode, lines } = viewCluster(this.#cluster.state, parsed.request);
    return exitCode === 0 ? `${lines.join('\n')}\n` : null;
  }

  async #event(request: CommandRequest, call: Call): Promise<number> {
    const event = eventOf(request, call.member);
    if (event === null) return 1;
    if ('preview' in request && request.preview) {
      return this.#print(
        preview(request.command, this.#cluster.state, { ...event, request: 'preview' } as Parameters<typeof preview>[2]),
        call,
      );
    }
    return this.#print(await this.#cluster.ask(event), call);
  }

  #print(
    reply: { readonly exitCode: number; readonly lines: readonly string[]; readonly errorLines: readonly string[] },
    call: Call,
  ): number {
    for (const line of reply.lines) call.out(line);
    for (const line of reply.errorLines) call.err(line);
    return reply.exitCode;
  }

  /** On standard output, as cmcheckconf [serviceguard.md 2.7]. */
  #tell(problems: readonly Problem[], call: Call): void {
    for (const problem of problems) for (const line of formatProblem(problem).split('\n')) call.out(line);
  }

  #checked(good: boolean, call: Call): number {
    if (good) call.out(say('checkDone'));
    else call.err(say('checkFailed'));
    return good ? 0 : 1;
  }

  #path(call: Call, path: string): string {
    return this.#world.pathOn(call.member, path.startsWith('/') ? path : `${call.directory}/${path}`);
  }

  /** What to apply; null: an error. */
  async #check(
    request: { readonly clusterFile: string | null; readonly packageFiles: readonly string[] },
    call: Call,
  ): Promise<Configuration | null> {
    const now = this.#cluster.state;
    let members = now.memberOrder;
    const problems: Problem[] = [];
    const packages: PackageFile[] = [];
    const read = (file: string): string | null => {
      const text = files.readText(this.#path(call, file));
      if (text === null) {
        const remedy = 'name a file that exists on this member';
        problems.push(errorProblem('file-unreadable', `${file} cannot be read`, remedy, { file }));
      }
      return text;
    };
    if (request.clusterFile !== null) {
      const text = read(request.clusterFile);
      const parsed = text === null ? null : parseClusterFile(text, request.clusterFile, this.#clusterAsIs());
      problems.push(...(parsed?.problems ?? []));
      if (parsed?.ok === true) ({ members } = parsed.value);
    }
    // Packages are checked against the future members.
    const state = withMembers(now, members);
    for (const fileName of request.packageFiles) {
      const text = read(fileName);
      if (text === null) continue;
      const parsed = parsePackageFile(text, fileName);
      problems.push(...parsed.problems);
      if (!parsed.ok) continue;
      packages.push(parsed.value);
      const observations = await observeMembers(this.#world, parsed.value, state);
      problems.push(...checkPackage({ file: parsed.value, fileName, state, observations }));
    }
    const given = packages.map((file) => file.name);
    problems.push(...refuseMembers(now, members, given));
    // Without files: the running configuration [U19 p.264].
    if (request.clusterFile === null && request.packageFiles.length === 0) {
      for (const { config, name } of Object.values(state.packages)) {
        problems.push(
          ...checkPackage({
            file: config,
            fileName: name,
            state,
            observations: await observeMembers(this.#world, config, state),
          }),
        );
      }
    }
    problems.push(...checkTogether(packages, state));
    this.#tell(problems, call);
    return problems.some((problem) => problem.severity === 'error') ? null : { packages, members };
  }

  async #apply(request: Extract<CommandRequest, { command: 'cmapplyconf' }>, call: Call): Promise<number> {
    const configuration = await this.#check(request, call);
    const { packages, members } = configuration ?? { packages: [], members: [] };
    const state = withMembers(this.#cluster.state, members);
    const problems = packages.flatMap((after) => refuseOnlineChange(state.packages[after.name]?.config ?? null, after, state));
    this.#tell(problems, call);
    if (configuration === null || problems.some((problem) => problem.severity === 'error'))
      return refused(call, say('applyFailed'));
    if (!request.force && !isYes(await call.ask(say('applyQuestion')))) return refused(call, say('applyNotConfirmed'));
    const before = this.#cluster.state.memberOrder;
    const reply = await this.#cluster.ask({
      kind: 'configuration-applied',
      packages,
      ...(request.clusterFile === null ? {} : { members }),
    });
    const change = reply.exitCode === 0 && request.clusterFile !== null ? memberChange(before, members) : null;
    if (change !== null) call.later(() => this.#dispatcher.tell(call.member, change));
    return this.#print(reply, call);
  }

  async #delete(request: Extract<CommandRequest, { command: 'cmdeleteconf' }>, call: Call): Promise<number> {
    if (!request.force && !isYes(await call.ask(say('deleteQuestion', request.package))))
      return refused(call, say('deleteNotConfirmed'));
    return this.#print(await this.#cluster.ask({ kind: 'package-deleted', package: request.package }), call);
  }

  /** A cluster file for the present or the named members [serviceguard.md 8.2]. */
  async #query(request: Extract<CommandRequest, { command: 'cmquerycl' }>, call: Call): Promise<number> {
    const members = request.members.length === 0 ? this.#cluster.state.memberOrder : [...new Set(request.members)];
    const unknown = hostProblems(this.#cluster.state, members);
    this.#tell(unknown, call);
    if (unknown.length === 0) return this.#clusterFile(request.outputFile, request.clusterName, call, members);
    return refused(call, say('queryFailed'));
  }

  async #getConfiguration(request: Extract<CommandRequest, { command: 'cmgetconf' }>, call: Call): Promise<number> {
    if (request.package === null) return this.#clusterFile(request.outputFile, request.clusterName, call);
    const configured = this.#cluster.state.packages[request.package];
    if (configured === undefined) return refused(call, `cmgetconf: ${say('unknownPackage', request.package)}`);
    return this.#write(printPackageFile(configured.config), request.outputFile, call);
  }

  async #clusterFile(
    outputFile: string | null,
    clusterName: string | null,
    call: Call,
    members = this.#cluster.state.memberOrder,
  ): Promise<number> {
    const { name } = this.#cluster.state;
    if (clusterName !== null && clusterName !== name)
      return refused(call, `there is no cluster ${clusterName}; the lab's is named ${name}`);
    return this.#write(printClusterFile({ ...this.#clusterAsIs(), members }), outputFile, call);
  }

  #clusterAsIs(): ClusterFile {
    const { name, memberOrder } = this.#cluster.state;
    return { name, members: memberOrder, memberTimeoutMicroseconds: this.#world.spec.memberTimeoutMs * 1000 };
  }

  async #write(text: string, outputFile: string | null, call: Call): Promise<number> {
    if (outputFile === null) for (const line of text.trimEnd().split('\n')) call.out(line);
    else if (!(await files.writeTextWithin(writeLimitMs, this.#path(call, outputFile), text)))
      return refused(call, `${outputFile} cannot be written`);
    return 0;
  }

  async #makePackage(request: Extract<CommandRequest, { command: 'cmmakepkg' }>, call: Call): Promise<number> {
    if (request.list) return this.#print({ exitCode: 0, lines: listModules(), errorLines: [] }, call);
    const created = async (text: string): Promise<number> => {
      const written = await this.#write(text, request.outputFile, call);
      if (request.outputFile !== null) for (const key of ['templateCreated', 'templateMustBeEdited'] as const) call.out(say(key));
      return written;
    };
    if (request.legacy) return created(makeLegacyTemplate(request.name));
    const problems: Problem[] = [];
    let existing: PackageFile | null = null;
    if (request.inputFile !== null) {
      const text = files.readText(this.#path(call, request.inputFile));
      const parsed = parsePackageFile(text ?? '', request.inputFile);
      problems.push(...parsed.problems);
      if (parsed.ok) existing = parsed.value;
    }
    const made = makePackageTemplate({ modules: request.modules, name: request.name, existing });
    problems.push(...made.problems);
    this.#tell(problems, call);
    if (!made.ok || problems.some((problem) => problem.severity === 'error')) return 1;
    return created(made.value);
  }

  async #modifyNetwork(request: Extract<CommandRequest, { command: 'cmmodnet' }>, call: Call): Promise<number> {
    const { packageSubnet } = this.#world.spec.settings;
    if (request.subnet !== packageSubnet)
      return refused(call, `cmmodnet: ${request.subnet} is not a subnet of this cluster; it has ${packageSubnet}`);
    const { address } = request;
    const { spec } = this.#world;
    const isAdded = request.action === 'add';
    const remove = ['ip', 'address', 'delete', `${address}/${spec.prefixLength}`, 'dev', 'eth0'];
    const changed = await this.#world.run(call.member, isAdded ? addAddress(address, spec) : remove);
    if (changed.exitCode !== 0) call.err(`cmmodnet: ${changed.stderr.trim()}`);
    else if (isAdded && !isIpv6(address)) await this.#world.run(call.member, announceAddress(address));
    return changed.exitCode === 0 ? 0 : 1;
  }

  /** For package scripts: a configured service of the package [serviceguard.md 5.11]. */
  async #runService(request: Extract<CommandRequest, { command: 'cmrunserv' }>, call: Call): Promise<number> {
    const found = this.#ownService(request.service, call, 'cmrunserv');
    if (found === null) return 1;
    const { content, service } = found;
    // Before the service can exit.
    const { service: name, restarts } = request;
    this.#cluster.post({ kind: 'service-run', package: content.name, member: call.member, service: name, restarts });
    await this.#cluster.services.start(call.member, content, { ...service, command: request.commandLine }, 0);
    return 0;
  }

  async #haltService(request: Extract<CommandRequest, { command: 'cmhaltserv' }>, call: Call): Promise<number> {
    const found = this.#ownService(request.service, call, 'cmhaltserv');
    if (found === null) return 1;
    await this.#cluster.services.halt(call.member, found.content, found.service);
    return 0;
  }

  #ownService(name: string, call: Call, command: string) {
    const owned = Object.values(this.#cluster.state.packages).filter((configured) => configured.owner === call.member);
    const found = owned.flatMap(({ config, pending }) => {
      const content = packageContent(config);
      return content.services.filter((service) => service.name === name).map((service) => ({ content, service, pending }));
    });
    const [own] = found;
    if (own === undefined) call.err(`${command}: no package on ${call.member} is configured with the service ${name}`);
    // For package scripts only [serviceguard.md 5.11].
    else if (own.pending === null)
      call.err(
        `${command}: no script of package ${own.content.name} runs on ${call.member}; only its scripts start and halt services`,
      );
    else return own;
    return null;
  }

  #environment(name: string, call: Call): number {
    const configured = this.#cluster.state.packages[name];
    if (configured === undefined) return refused(call, `cmgetpkgenv: ${say('unknownPackage', name)}`);
    for (const line of packageEnvironment(configured.config)) call.out(line);
    return 0;
  }

  async #execute(request: Extract<CommandRequest, { command: 'cmexec' }>, call: Call): Promise<number> {
    if (!this.#world.isUp(request.member)) return refused(call, `cmexec: ${request.member} is not reachable`);
    this.#journal.add({ kind: 'log', what: 'cmexec', member: request.member, text: request.commandLine });
    const result = await this.#world.run(request.member, ['/bin/sh', '-c', request.commandLine], { timeoutMs: 600_000 });
    for (const line of result.stdout.split('\n').slice(0, -1)) call.out(line);
    for (const line of result.stderr.split('\n').slice(0, -1)) call.err(line);
    return result.exitCode ?? 1;
  }
}

function refused(call: Call, why: string): 1 {
  call.err(why);
  return 1;
}

function isYes(answer: string | null): boolean {
  return answer !== null && /^(y|yes|)$/i.test(answer.trim());
}
