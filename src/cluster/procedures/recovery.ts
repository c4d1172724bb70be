/**
 * What a failed or timed-out script left, and the recovery in the order of HP's manual: address, users of the file system, mount, volume
 * group, switches [serviceguard.md 6.5, L9 p.285]. Pure.
 */

import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { deviceOf } from '../../contract/policy-file-system.ts';
import { engineFor, engineShell, typed } from '../../engine/choice/engine-for.ts';
import type { Commands, PackageStatus } from '../../engine/engine.ts';
import type { NoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import { configuredFile, configuredLines } from '../hosts/boot-start.ts';
import { type Look, saidIn } from '../remote/answers.ts';
import { daemonFunction } from '../remote/daemon-lines.ts';
import { addressTest, engineScript, mountedTest, script } from '../remote/shell-text.ts';

export interface Leftovers {
  readonly mounted: boolean;
  readonly address: boolean;
  /** The logical volume's device exists: its volume group is active. */
  readonly active: boolean;
  readonly users: readonly string[];
}

/** The script fails if the step did not work. */
export interface ProcedureStep {
  readonly member: string;
  readonly text: string;
  readonly script: string;
}

/** Prints the input of parseLeftovers; users only for root. */
export function leftoversLook(settings: Settings): Look<Leftovers | null> {
  const { mountPoint, packageAddress } = settings;
  const lines = [
    `${mountedTest(mountPoint)} && echo mounted`,
    `${addressTest(packageAddress)} && echo address`,
    `[ -e ${shellWord(deviceOf(settings))} ] && echo active`,
    `if ${mountedTest(mountPoint)}; then`,
    `  for user in $(fuser -m ${shellWord(mountPoint)} 2>/dev/null); do echo "user $user $(cat /proc/$user/comm 2>/dev/null)"; done`,
    'fi',
    'echo looked',
  ];
  return { lines, read: ({ text }) => parseLeftovers(text) };
}

/** null: another format. */
export function parseLeftovers(output: string): Leftovers | null {
  const said = saidIn(output);
  if (!said.has('looked')) return null;
  const users = (said.get('user') ?? []).filter((user) => /^\d+ \S/.test(user));
  return { mounted: said.has('mounted'), address: said.has('address'), active: said.has('active'), users };
}

/** One command of the engine for each step. */
export function procedureCommands(member: string, commands: Commands): ProcedureStep[] {
  return commands.map((argv) => ({
    member,
    text: argv.join(' '),
    script: engineScript(`${argv.map(shellWord).join(' ')} < /dev/null`),
  }));
}

export interface RecoveryInput {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  /** null: the engine does not answer, or has no such package. */
  readonly status: PackageStatus | null;
  readonly clusterAnswers: boolean;
  readonly members: readonly { readonly member: string; readonly left: Leftovers | null; readonly noAnswer: NoAnswer }[];
  readonly commandMember: string;
  readonly run: boolean;
}

/** No steps: nothing is left, every switch is on. Never changes a running package. */
export function planRecovery(input: RecoveryInput): Checked<ProcedureStep[]> {
  const { settings, status, members, commandMember, run } = input;
  const { packageName } = settings;
  const { orders, words } = engineFor(settings);
  const problems: Problem[] = members.flatMap(({ member, left, noAnswer }): Problem[] =>
    left === null
      ? [
          errorProblem(
            'cluster-unreachable',
            `cannot be checked: ${noAnswer.why}`,
            `${noAnswer.remedy}. A member that is powered off has nothing mounted, but csync cannot verify that`,
            member,
          ),
        ]
      : [],
  );
  if (status === null)
    problems.push(
      errorProblem(
        'cluster-no-status',
        `${words.viewer} reports nothing about ${packageName}: csync must know first where it runs`,
        input.clusterAnswers ? 'csync status   (prints the next step)' : words.lookOrStart,
      ),
    );
  else if (!['up', 'down'].includes(status.status) || ['starting', 'halting'].includes(status.state))
    problems.push(
      errorProblem(
        'change-busy',
        `${packageName} is ${status.state}: a script may still run`,
        'wait until it finishes: csync status --watch',
      ),
    );
  if (problems.length > 0 || status === null) return { ok: false, problems };
  const cleaning = members.flatMap(({ member, left }) =>
    left === null || member === status.owner ? [] : cleanMember(member, left, input),
  );
  const off = settings.members.filter((member) => status.switching.get(member) === false);
  const switches = off.flatMap((member) => orders.switchMembersOn(packageName, [member]));
  const start = run && !(status.status === 'up' && status.autoRun) ? orders.switchOn(packageName) : [];
  return { ok: true, value: [...cleaning, ...procedureCommands(commandMember, [...switches, ...start])], problems: [] };
}

function cleanMember(member: string, left: Leftovers, { settings, adapter }: RecoveryInput): ProcedureStep[] {
  const { mountPoint, packageAddress, packageSubnet, volumeGroup } = settings;
  const step = (text: string, ...lines: readonly string[]): ProcedureStep => ({
    member,
    text,
    script: script('set -e', ...lines),
  });
  const point = shellWord(mountPoint);
  const steps: ProcedureStep[] = [];
  if (left.address) {
    const release = engineFor(settings).orders.releaseAddress(packageAddress, packageSubnet);
    const lines = release.map((argv) => argv.map(shellWord).join(' '));
    steps.push(step(typed(release), engineShell.path, ...lines, `! ${addressTest(packageAddress)}`));
  }
  if (left.mounted && left.users.length > 0)
    steps.push(
      step(
        `fuser -km ${mountPoint}, which kills ${left.users.map((user) => user.replace(/^(\d+) (.*)$/, '$2 (pid $1)')).join(', ')}`,
        // Without the mount, fuser -m would kill every process on the file system below.
        `if ${mountedTest(mountPoint)}; then fuser -km ${point} >/dev/null 2>&1 || true; fi`,
      ),
    );
  if (left.mounted)
    steps.push(
      step(
        `umount ${mountPoint}`,
        'tries=0',
        `while ${mountedTest(mountPoint)}; do`,
        `  umount ${point} && continue`,
        '  tries=$((tries + 1)); [ $tries -lt 5 ] || exit 32',
        // A killed process may need a moment to exit.
        '  sleep 1',
        'done',
      ),
    );
  if (left.active || left.mounted)
    steps.push(
      step(
        `vgchange -a n ${volumeGroup}; vgchange --deltag ${member} ${volumeGroup}`,
        `vgchange -a n ${volumeGroup}`,
        `vgchange --deltag ${member} ${volumeGroup} || true`,
      ),
    );
  if (steps.length > 0)
    steps.push(
      step(
        `start ${adapter.daemonName} if none runs`,
        daemonFunction(adapter, settings.cfengineWorkDirectory),
        '[ -z "$(daemon_pids)" ] || exit 0',
        `( ${adapter.startDaemon.map(shellWord).join(' ')} ) </dev/null >/dev/null 2>&1 || true`,
        'tries=0',
        // Its exit status proves nothing; the process does.
        `until [ -n "$(daemon_pids)" ]; do tries=$((tries + 1)); [ $tries -lt 10 ] || exit 1; sleep 1; done`,
      ),
    );
  return steps;
}

/** cfengine stays. */
export function planRemoval(
  settings: Settings,
  {
    status,
    commandMember,
    unconfigure,
  }: { readonly status: PackageStatus | null; readonly commandMember: string; readonly unconfigure: boolean },
): ProcedureStep[] {
  const { packageName, members } = settings;
  const { orders } = engineFor(settings);
  const remove =
    status === null ? [] : [...(status.status === 'down' ? [] : orders.halt(packageName)), ...orders.forget(packageName)];
  // On systems without the file there is nothing to switch off.
  const off = members.map((member) => ({
    member,
    text: `CSYNC_CONFIGURED=0 in ${configuredFile}, if the file exists`,
    script: script('set -e', `[ -f ${configuredFile} ] || exit 0`, ...configuredLines('0')),
  }));
  return [...procedureCommands(commandMember, remove), ...(unconfigure ? off : [])];
}
