import { parseLayerSchedule } from '../../settings/rules.ts';
import type { Call, Case, Expectation, State } from './case-model.ts';
import {
  ends,
  epoch,
  fails,
  foreignLocale,
  fullLog,
  halt,
  hostile,
  isTrue,
  logs,
  monitor,
  nodeMissing,
  nothingHolds,
  nothingLeft,
  one,
  oneDaemon,
  preHalt,
  preStart,
  sameDaemon,
  saying,
  silent,
  start,
  wholeSentinel,
  within,
  withoutSettings,
} from './case-parts.ts';

const watching = { logged: /monitor: ok \[watching\] / } as const;

const ended = (says: string, seconds: number): readonly Expectation[] => [
  saying(says, fails),
  saying(`within ${seconds} s`, within(seconds)),
  nothingLeft,
];

export const monitors: readonly Case[] = [
  one(
    'monitor killed by SIGTERM',
    'running',
    [],
    { ...monitor, limitSeconds: 6, once: { ...watching, signal: 'SIGTERM' } },
    ends(0),
    within(2),
    sameDaemon,
    nothingLeft,
    silent,
  ),
  one(
    'monitor killed by SIGTERM at once',
    'running',
    [],
    { ...monitor, limitSeconds: 6, once: { sh: 'eventually a_script_runs', signal: 'SIGTERM' } },
    { says: 'is over', kind: 'is over' },
    within(2),
    nothingLeft,
  ),
  {
    ...one(
      'monitor of a healthy daemon',
      'running',
      [],
      { ...monitor, once: { ...watching, forSeconds: 3, signal: 'SIGTERM' } },
      { says: 'keeps running', kind: 'stays' },
      sameDaemon,
      silent,
      { says: 'keeps the log quiet', kind: 'log lacks', pattern: /(monitor: .*\n){4}/ },
    ),
  },
  one(
    'monitor of a daemon that is killed',
    'running',
    [],
    { ...monitor, once: { ...watching, sh: 'kill_daemon' } },
    ...ended('exits with a failure', 3),
    logs(/monitor: failed \[verdict\] The cfengine daemon exited/, 'the log has the verdict'),
  ),
  one(
    'monitor of a stopped daemon',
    'running',
    [],
    { ...monitor, once: { ...watching, sh: 'kill -STOP "$(daemon_pid)"' } },
    ...ended('exits with a failure', 7),
  ),
  one(
    'monitor of a daemon that is replaced',
    'running',
    [],
    { ...monitor, once: { ...watching, sh: 'kill_daemon; "$DAEMON_PROGRAM" < /dev/null > /dev/null 2>&1 || :' } },
    ...ended('exits with a failure', 3),
  ),
  {
    ...one(
      'monitor after an unmount',
      'running',
      [],
      // The monitor may have it open.
      { ...monitor, limitSeconds: 60, once: { ...watching, sh: 'eventually serviceguard_unmounts' } },
      { says: 'exits with a failure', kind: 'fails' },
    ),
    takes: ({ monitorStorage }) => (parseLayerSchedule(monitorStorage)?.everyMs ?? Number.POSITIVE_INFINITY) / 1000,
  },
  one(
    'monitor in a foreign locale',
    'running',
    [],
    {
      ...monitor,
      environment: { ...foreignLocale, ...hostile },
      once: { ...watching, sh: 'tr "\\0" "\\n" < "/proc/$(script_pid)/environ" > /run/conform-environ', signal: 'SIGTERM' },
    },
    ends(0),
    isTrue(
      'runs in the C locale',
      'grep ^L /run/conform-environ; grep -qx LC_ALL=C /run/conform-environ && ! grep -q tr_TR /run/conform-environ',
    ),
    isTrue(
      'runs without the variables of its caller',
      '! grep -E "^(NODE_OPTIONS|NODE_PATH|IFS|service_restart)=" /run/conform-environ',
    ),
  ),
  one('monitor without a daemon', 'running', ['kill_daemon'], monitor, ...ended('exits with a failure', 3)),
  one('monitor with settings removed', 'running', [withoutSettings], monitor, fails),
  one('monitor without Node.js', 'running', [nodeMissing], monitor, fails),
  one(
    'monitor with a full log',
    'running',
    [fullLog, '( sleep 2; kill_daemon ) > /dev/null 2>&1 &'],
    { ...monitor, limitSeconds: 15 },
    saying('exits with a failure', fails),
  ),
];

/** Killed anywhere: the same call completes. */
function interrupted(
  name: string,
  state: State,
  given: readonly string[],
  call: Call,
  steps: readonly string[],
  behind: readonly Expectation[],
): Case {
  return {
    name: `${name} killed by SIGTERM`,
    state,
    given,
    calls: [
      ...steps.flatMap((step, index) => [
        {
          call: { ...call, heldAt: step, limitSeconds: 6 },
          expect: [
            saying(`at step "${step}" it exits at once`, { says: '', kind: 'within', seconds: 3 }),
            // It exits after its last step.
            ...(index === 0
              ? [
                  saying(`at step "${step}" it does not continue`, {
                    says: '',
                    kind: 'log lacks',
                    pattern: /\[script-(complete|failed)\]/,
                  } as const),
                ]
              : []),
          ],
        },
        { call, expect: [saying(`again after step "${step}" exits with 0`, ends(0))] },
      ]),
      { call, expect: behind },
    ],
  };
}

export const interruptions: readonly Case[] = [
  interrupted(
    'start',
    'mounted',
    [],
    start,
    ['mount', 'address', 'installation', 'daemon', 'policy', 'sentinel', 'proof', 'name'],
    [sameDaemon, wholeSentinel, nothingHolds, nothingLeft],
  ),
  interrupted(
    'start with the daemon not running',
    'mounted',
    ['kill_daemon'],
    start,
    ['installation', 'daemon'],
    [oneDaemon, nothingLeft],
  ),
  interrupted('halt', 'running', [], halt, ['release', 'thaw', 'clients', 'holders'], [sameDaemon, nothingHolds, nothingLeft]),
];

export const lives: readonly Case[] = [
  {
    name: 'start, halt and start again',
    state: 'halted',
    given: [],
    calls: [
      { call: preStart, expect: [saying('the first step exits with 0', ends(0))] },
      {
        first: 'serviceguard_mounts; serviceguard_adds_the_address',
        call: start,
        expect: [saying('the start exits with 0', ends(0))],
      },
      { call: halt, expect: [saying('the halt exits with 0', ends(0)), sameDaemon, nothingHolds] },
      {
        first: 'serviceguard_unmounts; ip address delete "$ADDRESS/32" dev lo',
        call: preHalt,
        expect: [saying('the last step exits with 0', ends(0))],
      },
      { call: preStart, expect: [saying('the first step exits with 0 again', ends(0))] },
      {
        first: 'serviceguard_mounts; serviceguard_adds_the_address',
        call: start,
        expect: [saying('the start exits with 0 again', ends(0)), epoch(2), oneDaemon],
      },
    ],
  },
];
