/** A staged rollout: an edit that only some clients fetch, until it is committed or taken back. Pure. */
import { attempt } from '../../base/attempt.ts';
import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { refuseNewer } from '../../contract/formats.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { RosterClient } from '../../contract/roster.ts';
import { isClassName } from '../procedures/remote-run.ts';
import { type HostRun, reasons } from '../procedures/run-outputs.ts';
import { type CommitPlan, type CommitRecord, parseRecord } from './commit.ts';

export interface StagedHost {
  readonly name: string;
  /** Digest of its key; names its directory. */
  readonly key: string;
}

export interface Stage {
  readonly record: CommitRecord;
  /** Digest of the served policy below the edit. */
  readonly base: string;
  /** Digest of the edit alone; the same for another run of the command. */
  readonly edit: string;
  readonly hosts: readonly StagedHost[];
}

export interface TakenBack {
  readonly record: CommitRecord;
  readonly hosts: readonly string[];
  readonly at: string;
  readonly why: string;
}

export interface Stages {
  readonly open: Stage | null;
  /** One is open, with unknown hosts and edit. */
  readonly isDamaged: boolean;
  /** null: every host of the last one has the served policy again. */
  readonly leaving: TakenBack | null;
  readonly takenBack: readonly TakenBack[];
}

const fileWords = 'the staged rollout of the policy';

function read<T>(text: string, part: (found: Readonly<Record<string, unknown>>, record: CommitRecord) => T | null): T | null {
  refuseNewer(text, fileWords);
  return attempt(() => {
    const found = JSON.parse(text) as Record<string, unknown>;
    const record = parseRecord(JSON.stringify(found.record));
    return record === null ? null : part(found, record);
  }, null);
}

const word = (value: unknown): string => (typeof value === 'string' ? value : '');
const isKey = (text: string): boolean => /^[A-Z0-9]+=[0-9a-f]+$/.test(text);

/** null: none, or damaged. */
export function parseStage(text: string): Stage | null {
  return read(text, ({ base, edit, hosts }, record) => {
    const found = (hosts as Partial<StagedHost>[]).map(({ name, key }) => ({ name: word(name), key: word(key) }));
    return found.every(({ name, key }) => name !== '' && isKey(key))
      ? { record, base: word(base), edit: word(edit), hosts: found }
      : null;
  });
}

export function parseTakenBack(text: string): TakenBack | null {
  return read(text, ({ hosts, at, why }, record) => ({
    record,
    hosts: (hosts as unknown[]).map(word),
    at: word(at),
    why: word(why),
  }));
}

export const stageText = (stage: Stage | TakenBack): string => `${JSON.stringify(stage)}\n`;

/** Identifies the edit, also when the served policy changed in between. */
export function editOf({ write, remove }: Pick<CommitPlan, 'write' | 'remove'>): string {
  const writes = write.map(({ name, content }) => [name, sha256(content)]);
  return sha256(JSON.stringify([writes.sort(), [...remove].sort()]));
}

/** Printed by a host's agent only with the policy of this rollout (update.cf). */
export const stageReport = (stage: Stage): string => `csync stage ${stageMark(stage)}`;

export const stageMark = ({ record }: Stage): string => `${record.commit} ${record.digest}`;

export interface StageWish {
  readonly names: readonly string[];
  /** Of all clients. 0: none. */
  readonly percent: number;
  readonly classes: readonly string[];
}

/** Reads names, a share such as 10%, class:NAME, with commas between. */
export function readStageWish(text: string): Checked<StageWish> {
  const items = text.split(',').map((item) => item.trim());
  const percents = items.flatMap((item) => /^(\d{1,3})%$/.exec(item)?.[1] ?? []).map(Number);
  const classes = items.flatMap((item) => /^class:(.*)$/.exec(item)?.[1] ?? []);
  const names = items.filter((item) => !/^class:|%$/.test(item));
  const wrong = [
    ...items.filter((item) => item.endsWith('%') && !/^(100|[1-9]\d?)%$/.test(item)),
    ...classes.filter((name) => !isClassName(name)).map((name) => `class:${name}`),
    ...names.filter((name) => name === ''),
  ];
  if (wrong.length > 0 || percents.length > 1)
    return {
      ok: false,
      problems: [
        errorProblem(
          'usage',
          `--stage ${JSON.stringify(text)}: clients, a share from 1% to 100%, or class:NAME are required`,
          'csync policy commit --stage c1,c2   (or 10%, or class:web)',
        ),
      ],
    };
  return { ok: true, value: { names, percent: percents[0] ?? 0, classes }, problems: [] };
}

/** Each host's directory has a link to each file. */
const mostLinks = 200_000;

/** `ofClasses`: clients in one of the classes. A share always takes the same clients, ordered by digest of their names. */
export function stagedHosts(
  wish: StageWish,
  clients: readonly RosterClient[],
  ofClasses: readonly string[],
  files: number,
): Checked<readonly StagedHost[]> {
  const known = new Map(clients.map((client) => [client.name, client]));
  const unknown = wish.names.filter((name) => !known.has(name));
  const order = [...known.keys()].sort((one, other) => (sha256(one) < sha256(other) ? -1 : 1));
  const share = order.slice(0, Math.ceil((order.length * wish.percent) / 100));
  const hosts = [...new Set([...wish.names, ...share, ...ofClasses])].flatMap((name) => known.get(name) ?? []);
  const problem = (text: string, remedy: string): Problem => errorProblem('policy-stage-hosts', text, remedy);
  const problems = [
    ...unknown.map((name) =>
      problem(
        `${name} is not a client that is set up, and only those can get a policy before the others`,
        `csync client list; csync client add ${name}`,
      ),
    ),
    ...(hosts.length === 0 && unknown.length === 0
      ? [problem('no client is chosen by --stage', 'csync client list   (lists the clients); then name some')]
      : []),
    ...(hosts.length * files > mostLinks
      ? [
          problem(
            `${hosts.length} clients with ${files} files each are too many: each client needs a link to each file, at most ${mostLinks} in all`,
            'name fewer clients in --stage',
          ),
        ]
      : []),
  ];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: hosts.map(({ name, key }) => ({ name, key: key.digest })), problems: [] };
}

export interface StageResult {
  readonly host: string;
  /** `unproven`: its agent did not report the staged policy; perhaps the package moved. */
  readonly result: 'succeeded' | 'failed' | 'unproven';
  readonly why: string;
}

/** Judges by the agent's output: cf-agent exits with 0 even if it fetches nothing or promises fail. */
export function stageResult(stage: Stage, { host, outcome, reason, errors, reports }: HostRun): StageResult {
  const why = errors[0] ?? (reason === null ? 'its agent did not fetch the staged policy' : reasons[reason][1]);
  if (!reports.includes(stageReport(stage))) return { host, result: 'unproven', why };
  return outcome === 'ran' && errors.length === 0 ? { host, result: 'succeeded', why: '' } : { host, result: 'failed', why };
}

/** Whether it fetched the served policy after that. */
export const isBack = ({ outcome, errors, reports }: HostRun): boolean =>
  outcome === 'ran' && errors.length === 0 && !reports.some((line) => line.startsWith('csync stage '));

export const hostsText = (names: readonly string[]): string => {
  const shown = names.slice(0, 10).join(' ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
};

export const namesOf = ({ hosts }: Stage): string[] => hosts.map(({ name }) => name);

/** For csync status. */
export function stageAdvice({
  staged,
  leaving,
}: {
  readonly staged: Stages['open'];
  readonly leaving: Stages['leaving'];
}): { readonly text: string; readonly remedy: string }[] {
  return [
    ...(staged === null
      ? []
      : [
          {
            text: `commit ${staged.record.commit} of ${staged.record.by} is staged for ${hostsText(namesOf(staged))} since ${staged.record.at}; other hosts keep the served policy`,
            remedy:
              'if that csync policy commit does not run any more: run it again, which continues it, or csync policy take-back',
          },
        ]),
    ...(leaving === null
      ? []
      : [
          {
            text: `commit ${leaving.record.commit} was taken back, and ${hostsText(leaving.hosts)} may still have it until the next agent run`,
            remedy: 'csync policy take-back   (runs the agents)',
          },
        ]),
  ];
}
