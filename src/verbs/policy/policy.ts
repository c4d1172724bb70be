/** `csync policy show | log`. */

import { type ExitCode, exitCodes, Failure } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import {
  type CommitRecord,
  commitRecordName,
  type PolicyState,
  recordsOf,
  unreadableNames,
} from '../../cluster/policy/commit.ts';
import { type PolicyLook, policyPlace } from '../../cluster/policy/look.ts';
import type { Stages } from '../../cluster/policy/stage.ts';
import { out } from '../../host/output.ts';
import { onMembers } from '../common/connections.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { commitShape, findOwner, lookAtPolicy, type PolicyOptions, recordLine } from './master.ts';
import { makeWorkingCopy } from './working-copy.ts';

const stagedShape = shape.object({ record: commitShape, hosts: shape.many(shape.object({ name: shape.text, key: shape.text })) });
const takenBackShape = shape.object({ record: commitShape, hosts: shape.texts, at: shape.text, why: shape.text });

export const showDocument = shape.document({
  member: shape.text,
  epoch: shape.nullable(shape.number),
  digest: shape.text,
  commit: shape.nullable(shape.parts),
  files: shape.many(shape.object({ name: shape.text, digest: shape.text, owner: shape.picklist(['toolkit', 'administrator']) })),
  links: shape.parts,
  staged: shape.nullable(stagedShape),
  leaving: shape.nullable(takenBackShape),
  copy: shape.maybe,
});

export const logDocument = shape.document({
  member: shape.text,
  commits: shape.many(commitShape),
  takenBack: shape.many(takenBackShape),
});

/** `copy`: directory for a working copy. */
export async function policyShow(options: PolicyOptions & { readonly copy?: string | undefined }): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const copy = options.copy;
  return onMembers(settings, 'once', async (shell) => {
    const owner = await findOwner(shell, settings);
    const { state, contents, links, stages } = await lookAtPolicy(shell, owner, policyPlace(settings), copy !== undefined);
    if (copy !== undefined) {
      const problems = unreadableNames(state);
      if (problems.length > 0) throw new Failure(problems);
      makeWorkingCopy(copy, contents);
    }
    const files = [...state.files].map(([name, { digest, ours }]) => ({
      name,
      digest,
      owner: ours ? ('toolkit' as const) : ('administrator' as const),
    }));
    files.sort((one, other) => (one.name < other.name ? -1 : 1));
    const { epoch, digest, current } = state;
    if (options.json)
      printJson<typeof showDocument>({
        member: owner,
        epoch,
        digest,
        commit: current,
        files,
        links: Object.fromEntries(links),
        staged: stages.open,
        leaving: stages.leaving,
        copy: copy ?? null,
      });
    else out(showText(owner, state, { files, links, stages, copy }));
    return exitCodes.ok;
  });
}

interface Shown {
  readonly files: readonly { readonly name: string; readonly digest: string; readonly owner: string }[];
  readonly links: PolicyLook['links'];
  readonly stages: Stages;
  readonly copy: string | undefined;
}

function showText(owner: string, { epoch, digest, current }: PolicyState, { files, links, stages, copy }: Shown): string {
  const since = current === null || current.digest === digest ? '' : '; later changed by the toolkit or by hand';
  return [
    `${owner} serves the policy of epoch ${epoch}, digest ${digest}`,
    current === null ? 'no commit yet' : `${recordLine(current)}${since}`,
    ...stageLines(stages),
    ...columns(
      [
        ...files.map((file) => [file.digest.slice(0, 12), file.owner, file.name]),
        ...[...links].map(([name, to]) => ['-', 'link', `${name} -> ${to}`]),
      ],
      { indent: 2 },
    ),
    `(hosts get it in ${commitRecordName})`,
    ...(copy === undefined ? [] : [`working copy in ${copy}: edit it, then run csync policy commit ${copy}`]),
    '',
  ].join('\n');
}

function stageLines({ open, leaving }: Stages): string[] {
  return [
    ...(open === null ? [] : [`staged, not committed: ${recordLine(open.record)}`]),
    ...(leaving === null
      ? []
      : [
          `taken back, and perhaps still on ${leaving.hosts.join(' ')}: ${recordLine(leaving.record)}; csync policy take-back   (runs their agents)`,
        ]),
  ];
}

/** Newest last. */
export async function policyLog(options: PolicyOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  return onMembers(settings, 'once', async (shell) => {
    const owner = await findOwner(shell, settings);
    const { state, stages } = await lookAtPolicy(shell, owner, policyPlace(settings), false);
    const commits = recordsOf(state);
    const { takenBack } = stages;
    const files = ({ files: written, removed }: CommitRecord) => [...written, ...removed.map((name) => `-${name}`)].join(' ');
    const lines = [
      ...commits.map((one) => ({ one, end: '' })),
      ...takenBack.map(({ record, why }) => ({ one: record, end: `\n    taken back: ${why}` })),
    ]
      .sort((first, second) => first.one.commit - second.one.commit)
      .map(({ one, end }) => `${recordLine(one)}\n    ${files(one)}${end}\n`);
    if (options.json) printJson<typeof logDocument>({ member: owner, commits, takenBack });
    else out(lines.length === 0 ? 'No commit yet.\n' : lines.join(''));
    return exitCodes.ok;
  });
}
