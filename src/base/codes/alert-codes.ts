import { code } from './entry.ts';

const serving = 'None for the package: no start, halt or failover waits for a hook. The event may be unreported.';

export const alertCodes = {
  'alert-off': code('badInput', 'Events are not reported, because alert_directory is off.', {
    cluster: serving,
    why: 'The applied settings name no directory of hooks.',
    fix: ['Set `alert_directory` in csync.yaml, for example to /etc/csync/alerts.d.', '`csync apply` distributes the setting.'],
    example: '`csync alert test` before the first hook is set up.',
    page: 'alerts',
  }),
  'alert-hook': code('changeFailed', 'A hook failed, or is not run.', {
    cluster: serving,
    why: 'It exited with another status than 0, ran longer than `alert_timeout_seconds`, or is not safe to run as root.',
    fix: ['Correct what the message names, in `alert_directory` on that member.', '`csync alert test` runs it again.'],
    example: 'The webhook cannot be reached from m2.',
    page: 'alerts',
  }),
  'alert-unrun': code('changeFailed', 'csync alert run could not be called on a member.', {
    cluster: serving,
    why: 'The member does not answer, or csync is not installed there.',
    fix: ['`csync toolkit install` puts csync on the members.', '`ssh MEMBER true` must succeed.'],
    example: 'm3 is new, and `toolkit_program` is missing there.',
    page: 'alerts',
  }),
  'alert-busy': code('changeFailed', 'Another run of csync alert did not end in time.', {
    cluster: serving,
    why: 'One run at a time calls hooks on a member. A hook that hangs is killed after `alert_timeout_seconds`.',
    fix: ['On that member: `ps -ef | grep "csync alert"` shows it.', 'Run the same command again when it has ended.'],
    example: 'A disk below /etc hangs.',
    page: 'alerts',
  }),
  'alert-state': code('changeFailed', 'The memory of reported events cannot be written, so no event was reported.', {
    cluster: serving,
    why: 'Without it, every run would report the same event again. /run is full, or the user is not root.',
    fix: ['Run the same command as root.', '`df /run; df -i /run` on that member: free space or inodes there.'],
    example: '`csync alert run` as an ordinary user.',
    page: 'alerts',
  }),
};
