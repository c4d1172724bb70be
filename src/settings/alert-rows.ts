import type { SettingsRow } from './row.ts';
import { off, offOrPath, whole } from './rules.ts';

export const alertRows = {
  alertDirectory: {
    key: 'alert_directory',
    question: 'Directory of the programs that report events, or off?',
    fallback: off,
    since: '0.2.0',
    check: offOrPath,
    comment:
      'Directory of programs (hooks) on every member. csync alert run, called by a timer, runs all of them for each event: promotion, failed failover, package down, pending rotation, lack of space, readiness. off: none.',
  },
  alertTimeoutSeconds: {
    key: 'alert_timeout_seconds',
    question: 'Time limit of one hook, in seconds?',
    fallback: 30,
    since: '0.2.0',
    check: whole(1, 300),
    comment: 'Seconds after which a hook is killed. It is tried again at the next run, 5 times in all.',
  },
  alertRepeatHours: {
    key: 'alert_repeat_hours',
    question: 'Hours until an event that lasts is reported again?',
    fallback: 24,
    since: '0.2.0',
    check: whole(0, 720),
    comment: 'Hours until an event that lasts is reported again. 0: once.',
  },
} as const satisfies Record<string, SettingsRow>;
