/** Begins a staged rollout and takes it back, each by one rename, so hosts find all of it or nothing. Pure. */
import { shellWord } from '../../base/shell-word.ts';
import { stageMarkName } from '../../contract/policy-file-system.ts';
import { hostScript } from '../remote/shell-text.ts';
import { digestFunction, here, leavingName, type PolicyPlace, policyStatus, stageFileName, takenBackName } from './look.ts';
import {
  type CommitOrder,
  exchangeFunction,
  nextTree,
  prepareNext,
  removeStage,
  sameStage,
  syncTree,
  takeLock,
} from './scripts.ts';
import { type Stage, stageMark, stageText, type TakenBack } from './stage.ts';

/** Exits unless this policy has the rules for it. */
function hasRules({ stage, tree }: PolicyPlace): string {
  const files = ['update.cf', 'csync_update.cf'].map((name) => shellWord(`${tree}/${name}`)).join(' ');
  const fetches = `grep -qsF -e ${shellWord(`${stage}/$(sys.key_digest)/`)} ${files}`;
  const admits = `grep -rqsF -e ${shellWord(`${stage}/$(connection.key)/`)} ${shellWord(tree)}/`;
  return `${fetches} && ${admits} || { echo "the policy of the master has no rules for staged rollouts"; exit ${policyStatus.noStage}; }`;
}

export interface StageOrder extends Omit<CommitOrder, 'record' | 'stage' | 'dryRun'> {
  readonly stage: Stage;
  /** An open rollout of the same edit on another served policy. */
  readonly instead: Stage | null;
}

/** Prints `swapping` before the step from which hosts find it, `durable` at the end. */
export function stageScript(place: PolicyPlace, { stage, instead, state, write, remove }: StageOrder): string {
  const { keep, mountPoint } = place;
  const [made, directory] = [`${keep}/stage-next`, shellWord(place.stage)];
  const of = (key: string, name: string): string => shellWord(`${made}/${key}/${name}`);
  const hosts = stage.hosts.flatMap(({ key }) => [
    `mkdir -- ${of(key, '')}; cp -al -- ${shellWord(nextTree(place))} ${of(key, 'masterfiles')}`,
    `printf '%s\\n' ${shellWord(stageMark(stage))} > ${of(key, stageMarkName)}`,
  ]);
  return hostScript(
    'set -eu; umask 077',
    digestFunction,
    exchangeFunction,
    here(place),
    hasRules(place),
    ...prepareNext(place, { state, record: stage.record, write, remove, stage: instead }),
    syncTree(shellWord(nextTree(place))),
    // Any user may read the state for csync status; the policy below is root's.
    `rm -rf -- ${shellWord(made)}; mkdir -m 711 -- ${shellWord(made)}`,
    ...hosts,
    `printf %s ${shellWord(stageText(stage))} > ${shellWord(`${made}/${stageFileName}`)}; chmod 644 ${shellWord(`${made}/${stageFileName}`)}`,
    `find ${shellWord(made)} \\( -type d -o -name ${stageMarkName} -o -name ${stageFileName} \\) -exec sync {} +`,
    here(place),
    'echo swapping',
    instead === null ? `mv -T -- ${shellWord(made)} ${directory}` : `exchange ${shellWord(made)} ${directory}`,
    `sync ${shellWord(mountPoint)} ${shellWord(keep)}; echo durable`,
    `rm -rf -- ${shellWord(made)}`,
  );
}

/** `leaving`: with all hosts that may have its policy. */
export function takeBackScript(place: PolicyPlace, stage: Stage, leaving: TakenBack): string {
  const log = shellWord(`${place.keep}/${takenBackName}`);
  return hostScript(
    'set -eu; umask 077',
    here(place),
    takeLock(place),
    sameStage(place, stage),
    `printf %s ${shellWord(stageText(leaving))} >> ${log}; sync ${log}`,
    ...writeLeaving(place, leaving),
    'echo swapping',
    ...removeStage(place),
    'echo durable',
  );
}

function writeLeaving({ keep }: PolicyPlace, leaving: TakenBack | null): string[] {
  const file = shellWord(`${keep}/${leavingName}`);
  const next = shellWord(`${keep}/${leavingName}.next`);
  return leaving === null
    ? [`rm -f -- ${file}`]
    : [`printf %s ${shellWord(stageText(leaving))} > ${next}; sync ${next}; mv -f -- ${next} ${file}; sync ${shellWord(keep)}`];
}

/** Records which hosts still have it; null: none. */
export function leavingScript(place: PolicyPlace, leaving: TakenBack | null): string {
  return hostScript('set -eu; umask 077', here(place), takeLock(place), ...writeLeaving(place, leaving), 'echo durable');
}
