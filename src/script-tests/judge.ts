import type { Expectation } from './cases/case-model.ts';

export interface CallSeen {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** False: exited before. */
  readonly reached: boolean;
  /** To the exit, from the awaited moment or the call. */
  readonly milliseconds: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines it added to the package log. */
  readonly log: string;
  readonly pipesClosed: boolean;
}

export interface MemberSeen {
  /** `pid:start time` of the daemon's name. */
  readonly daemons: readonly string[];
  readonly mounted: boolean;
  readonly address: boolean;
  readonly scripts: readonly string[];
}

export interface Seen {
  readonly call: CallSeen;
  readonly before: MemberSeen;
  readonly after: MemberSeen;
  readonly shell?: { readonly exitCode: number | null; readonly output: string };
}

export interface Judgement {
  readonly holds: boolean;
  readonly seen: string;
}

const shown = 160;

function line(text: string): string {
  const flat = text.trim().replaceAll(/\s+/g, ' ');
  return flat.length > shown ? `${flat.slice(0, shown)}...` : flat;
}

function endOf({ exitCode, signal, timedOut, reached, milliseconds, stderr, log }: CallSeen): string {
  const took = `${(milliseconds / 1000).toFixed(1)} s`;
  const last = (stderr || log).trim().split('\n').at(-1) ?? '';
  const why = last === '' ? '' : `: ${line(last)}`;
  if (timedOut) return `still running after ${took}${why}`;
  const early = reached ? '' : ' before the expected moment';
  return exitCode === null
    ? `killed by ${signal ?? 'an unknown signal'}${early}`
    : `exit status ${exitCode}${early} after ${took}${why}`;
}

function judgeDaemon(is: 'same' | 'one' | 'another' | 'none', before: MemberSeen, after: MemberSeen): Judgement {
  const same = after.daemons.join(' ') === before.daemons.join(' ');
  const count = after.daemons.length;
  const holds = is === 'same' ? same && count > 0 : is === 'none' ? count === 0 : count === 1 && (is === 'one' || !same);
  const pids = (daemons: readonly string[]): string => daemons.map((daemon) => daemon.split(':')[0]).join(', ') || 'none';
  return { holds, seen: `daemon before: ${pids(before.daemons)}, after: ${pids(after.daemons)}` };
}

function find(text: string, pattern: RegExp): Judgement {
  const at = text.search(pattern);
  if (at === -1) return { holds: false, seen: `not found; the last line: ${line(text.trim().split('\n').at(-1) ?? '')}` };
  return { holds: true, seen: line(text.slice(text.lastIndexOf('\n', at) + 1).split('\n')[0] ?? '') };
}

export function judge(expectation: Expectation, { call, before, after, shell }: Seen): Judgement {
  switch (expectation.kind) {
    case 'ends':
      return { holds: call.reached && call.exitCode !== null && expectation.with.includes(call.exitCode), seen: endOf(call) };
    case 'fails':
      return { holds: call.reached && call.exitCode !== null && call.exitCode !== 0, seen: endOf(call) };
    case 'is over':
      return { holds: call.reached && !call.timedOut, seen: endOf(call) };
    case 'within':
      return { holds: call.reached && !call.timedOut && call.milliseconds <= expectation.seconds * 1000, seen: endOf(call) };
    case 'stays':
      return {
        holds: call.reached && !call.timedOut,
        seen: call.reached ? 'it kept running until it was signalled' : endOf(call),
      };
    case 'log':
      return find(call.log, expectation.has);
    case 'output':
      return find(`${call.stdout}\n${call.stderr}`, expectation.has);
    case 'log lacks': {
      const found = find(call.log, expectation.pattern);
      return { holds: !found.holds, seen: found.holds ? found.seen : 'not found' };
    }
    case 'silent': {
      const said = line(`${call.stdout} ${call.stderr}`);
      return { holds: said === '', seen: said === '' ? 'nothing' : said };
    }
    case 'pipes closed':
      return { holds: call.pipesClosed, seen: call.pipesClosed ? 'closed' : 'a process still has them open' };
    case 'daemon':
      return judgeDaemon(expectation.is, before, after);
    case 'mounted':
    case 'address': {
      const is = after[expectation.kind];
      return {
        holds: is === expectation.is,
        seen: `${expectation.kind === 'mounted' ? 'mounted' : 'the address is active'}: ${is ? 'yes' : 'no'}`,
      };
    }
    case 'nothing left':
      return { holds: after.scripts.length === 0, seen: after.scripts.length === 0 ? 'nothing' : line(after.scripts.join('; ')) };
    case 'true':
      return {
        holds: shell?.exitCode === 0,
        seen: line(shell?.output ?? '') || (shell?.exitCode === 0 ? 'yes' : 'no'),
      };
  }
}
