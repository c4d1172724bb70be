/**
 * Files that one csync writes and another may read. A test reads version 0.1.0's sample of each, and passes an unknown version to each
 * reader. docs/explanation/formats.md is generated from this table.
 */

import { errorProblem, Failure, type Problem } from '../base/problem.ts';
import { newerIn, newerText } from '../base/version.ts';

interface Format {
  readonly file: string;
  /** null: a line of words; appended words are ignored. */
  readonly field: string | null;
  readonly writtenBy: string;
  readonly readBy: string;
  /** What version 0.1.0 wrote, and how it is read. */
  readonly before: string;
  /** How a reader treats a newer version. */
  readonly unknown: string;
}

const refused = '`file-newer`: the verb changes nothing';
const asMissing = 'counts as missing';

export const formats = {
  settings: {
    file: 'csync.yaml',
    field: '`version`',
    writtenBy: '`csync init`, administrators',
    readBy: 'all verbs',
    before: 'lacks settings that came later: they have their defaults',
    unknown: refused,
  },
  appliedSettings: {
    file: 'sets/*/settings.json',
    field: '`version`',
    writtenBy: '`csync apply`',
    readBy: 'the scripts of the same set; verbs without csync.yaml, `csync rollback`',
    before: 'in the package directory itself; lacks settings that came later: they have their defaults',
    unknown: 'refused with the sentence of `file-newer`. The scripts of a set read only settings of their own version',
  },
  manifest: {
    file: 'sets/*/manifest.json',
    field: '`version`',
    writtenBy: '`csync apply`',
    readBy: 'the scripts of the same set; `csync apply`, `diff`',
    before: 'in the package directory itself, without the files beside the sets',
    unknown: refused,
  },
  roster: {
    file: 'roster.json',
    field: '`version`',
    writtenBy: 'verbs that set up members, clients and keys',
    readBy: 'the same verbs; `csync status`, which goes on without it',
    before: 'the same',
    unknown: refused,
  },
  history: {
    file: 'history/*.json, history/*.set.gz',
    field: '`version` of the line about the set',
    writtenBy: '`csync apply`',
    readBy: '`csync history`, `rollback`',
    before: 'sets without a directory of their own: `csync rollback` applies their settings with the present scripts',
    unknown: '`csync history` lists the set, `csync rollback` to it is refused: `file-newer`',
  },
  applied: {
    file: 'applied, /run/csync-running-*',
    field: null,
    writtenBy: '`csync apply`; the package start',
    readBy: 'launchers, verbs',
    before: 'did not exist: the files in the package directory itself are the package',
    unknown: asMissing,
  },
  sentinel: {
    file: 'csync.sentinel',
    field: '`version`',
    writtenBy: 'the package start',
    readBy: 'the next start, clients, `csync status`',
    before: 'the same',
    unknown: '`epoch` is read in every version: a start must not fail for it',
  },
  monitorState: {
    file: '/run/csync-monitor-*.json',
    field: '`version`',
    writtenBy: 'the monitor',
    readBy: '`csync status`, metrics, the package halt',
    before: 'without the brake, and with another word for unknown',
    unknown: '`csync status` reports it, and prints no layers',
  },
  handover: {
    file: '.csync-handover.json, /run/csync-promotion-*.json',
    field: '`version`',
    writtenBy: 'the package halt and start',
    readBy: 'the next start, metrics',
    before: 'the same',
    unknown: `${asMissing}: the duration of that failover is unknown`,
  },
  maintenance: {
    file: 'csync.debug',
    field: null,
    writtenBy: '`csync maintenance on`, administrators',
    readBy: 'the monitor, `csync status`',
    before: 'the same',
    unknown: 'maintenance without an end, as for an empty file',
  },
  restartNotice: {
    file: '/run/csync-restart-*',
    field: null,
    writtenBy: 'verbs that restart the daemon',
    readBy: 'the monitor',
    before: 'the same',
    unknown: 'announces nothing',
  },
  commitRecord: {
    file: 'the commit record of the policy',
    field: '`version`',
    writtenBy: '`csync policy commit`',
    readBy: '`csync policy` verbs, clients',
    before: 'without `revision`',
    unknown: refused,
  },
  alertState: {
    file: '/run/csync-alerts-*.json, /run/csync-rehearsed-*.json',
    field: '`version`',
    writtenBy: '`csync alert run`; `csync rehearse`',
    readBy: 'the next `csync alert run`; `csync status`, `check`',
    before: 'did not exist',
    unknown: `${asMissing}: events that last are reported once more`,
  },
  notice: {
    file: 'standard input of a hook',
    field: '`version`',
    writtenBy: '`csync alert run`',
    readBy: 'hooks of the administrator',
    before: 'did not exist',
    unknown: 'the hook decides; fields are only added within a version',
  },
  stagedRollout: {
    file: '.csync-stage/stage.json, stage-leaving, taken-back',
    field: '`version`',
    writtenBy: '`csync policy commit --stage`, `csync policy take-back`',
    readBy: '`csync policy` verbs; `csync status`, which goes on without it',
    before: 'did not exist',
    unknown: refused,
  },
  rehearsal: {
    file: 'rehearsals/*.json',
    field: '`format`',
    writtenBy: '`csync rehearse`',
    readBy: '`csync rehearse`, for the comparison',
    before: 'the same',
    unknown: 'is not compared with',
  },
} as const satisfies Readonly<Record<string, Format>>;

/** A file of a newer csync must not count as missing or damaged. */
export function newerProblem(file: string, version: number, member?: string): Problem {
  const remedy = 'run the newer csync; csync toolkit status   (lists the version on each member)';
  return errorProblem('file-newer', `${newerText(file, version)}. Nothing was changed`, remedy, member);
}

/** Throws a Failure for a text of a newer csync. */
export function refuseNewer(text: string, file: string, member?: string): void {
  const version = newerIn(text);
  if (version !== null) throw new Failure([newerProblem(file, version, member)]);
}
