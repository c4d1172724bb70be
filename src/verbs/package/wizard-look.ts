/** Runs the wizard's commands here and on the other members. Changes nothing. */
import { inParallel } from '../../cluster/remote/observation.ts';
import type { Engine } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { whyNoAnswer } from '../../host/admin/no-answer.ts';
import type { CommandResult } from '../../host/host.ts';
import { runProcess } from '../../host/processes.ts';
import type { Findings } from '../../wizard/findings.ts';
import { lookScript, type MemberLook, readLook } from '../../wizard/look.ts';
import { engineHere } from '../common/engine-here.ts';

const commandLimitMs = 10_000;
/** A member without an answer in this time is reported. */
const memberLimitMs = 8000;
/** A resolver that does not answer takes 10 s or more. */
const lookupLimitMs = 3000;

export class Looker {
  readonly #shell: MemberShell;
  readonly #stop: AbortSignal;
  #path = '';

  constructor(shell: MemberShell, stop: AbortSignal) {
    this.#shell = shell;
    this.#stop = stop;
  }

  async look(): Promise<Findings> {
    const { here } = this.#shell;
    const { engine, variables } = engineHere();
    this.#path = engine.host.searchPath(process.env.PATH, variables ?? {});
    const [cluster, own] = await Promise.all([this.#cluster(engine), this.#shell.run(here, lookScript, commandLimitMs)]);
    const members = new Map<string, MemberLook>([[here, readLook(own.stdout)]]);
    const unseen = new Map<string, string>();
    const others = 'why' in cluster ? [] : cluster.members.filter((member) => member !== here);
    await inParallel(others, async (member) => {
      const seen = await this.#lookOver(member);
      if (typeof seen === 'string') unseen.set(member, seen);
      else members.set(member, seen);
    });
    return { here, engine, variables, cluster, members, unseen, answers: new Map() };
  }

  async #cluster({ host, words }: Engine): Promise<Findings['cluster']> {
    const outputs: string[] = [];
    for (const argv of host.clusterCommands) {
      const said = await this.#run(argv, commandLimitMs);
      if (outputs.length === 0 && said.exitCode !== 0) return { why: reason(words.viewer, said) };
      outputs.push(said.stdout);
    }
    return host.readCluster(outputs) ?? { why: `${words.viewer} prints no member` };
  }

  async #lookOver(member: string): Promise<MemberLook | string> {
    const seen = await this.#shell.run(member, lookScript, memberLimitMs);
    return seen.exitCode === 0 ? readLook(seen.stdout) : whyNoAnswer(member, seen, memberLimitMs).why;
  }

  /** Adds the results of these lookups; known ones are repeated only with `fresh`. */
  async lookUp(findings: Findings, words: readonly string[], fresh = false): Promise<Findings> {
    const wanted = [...new Set(words)].filter((word) => fresh || !findings.answers.has(word));
    const answers = await Promise.all(wanted.map(async (word) => [word, await this.#answer(word)] as const));
    return { ...findings, answers: new Map([...findings.answers, ...answers]) };
  }

  async #answer(word: string): Promise<readonly string[]> {
    if (word.startsWith('/')) {
      const { stdout } = await this.#run(['blkid', '-o', 'value', '-s', 'TYPE', word], lookupLimitMs);
      return stdout.split('\n').filter((line) => line !== '');
    }
    if (!/^[\w.-]+$/.test(word) || word.startsWith('-')) return [];
    const backward = /^\d+(\.\d+){3}$/.test(word);
    const { stdout } = await this.#run(['getent', backward ? 'hosts' : 'ahostsv4', word], lookupLimitMs);
    const fields = stdout.split('\n').map((line) => line.split(/\s+/));
    const found = backward ? fields.flatMap(([, ...names]) => names) : fields.flatMap(([address = '']) => address);
    return [...new Set(found)].filter((one) => one !== '');
  }

  async #run(argv: readonly string[], timeoutMs: number): Promise<CommandResult> {
    const env = { PATH: this.#path, LC_ALL: 'C' };
    const result = await runProcess(argv, { timeoutMs, env, stop: this.#stop });
    this.#stop.throwIfAborted();
    return result;
  }
}

function reason(program: string, { errorCode, timedOut, exitCode, stderr }: CommandResult): string {
  if (errorCode === 'ENOENT') return `${program} is not installed here`;
  if (timedOut) return `${program} did not answer in time`;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return said === '' ? `${program} failed with ${exitCode ?? errorCode}` : said;
}
