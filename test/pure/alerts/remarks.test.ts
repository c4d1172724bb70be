/** What status and check report about hooks. */
import { expect, it } from 'vitest';
import { alertFacts, alertRemarks } from '../../../src/cluster/alerts/remarks.ts';
import { type AlertState, alertStateText, noAlertState } from '../../../src/contract/alerts.ts';

const at = '2026-11-30T12:00:00.000Z';
const settings = { packageName: 'csync', alertDirectory: '/etc/csync/alerts.d' };
const hook = { name: 'mail', digest: 'aa', refused: null };
const good: AlertState = { ...noAlertState, at, hooks: [hook] };
const facts = (member: string, state: AlertState | null, minutes = 1) =>
  alertFacts(member, state === null ? undefined : alertStateText(state), Date.parse(at) + minutes * 60_000);
const failed = { ok: false, result: 'exit status 1', attempts: 2, at };

it.each<[string, AlertState | null, number, RegExp[]]>([
  ['all is well', good, 1, []],
  ['no run since the boot', null, 1, [/^csync alert run has not run on m2/]],
  ['only a run of csync alert test', { ...good, at: '' }, 1, [/^csync alert run has not run on m2/]],
  ['an old run', good, 11, [/^csync alert run last ran on m2 11 min ago/]],
  [
    'a directory that others can change',
    { ...good, problem: 'it belongs to user 7' },
    1,
    [/^no hook is run on m2: it belongs to user 7/],
  ],
  ['no hook', { ...good, hooks: [] }, 1, [/has no hook: an event/, /^hooks of m2 and m1 differ: mail/]],
  [
    'a hook that is not run',
    { ...good, hooks: [hook, { name: 'sms', digest: null, refused: 'it is not executable' }] },
    1,
    [/^hook sms on m2 is not run: it is not executable/, /differ: sms/],
  ],
  ['a hook that failed', { ...good, results: { mail: failed } }, 1, [/^hook mail on m2 failed: exit status 1/]],
  ['a hook that failed and is gone', { ...good, results: { sms: failed } }, 1, []],
  [
    'another hook than on the first member',
    { ...good, hooks: [{ ...hook, digest: 'bb' }] },
    1,
    [/^hooks of m2 and m1 differ: mail/],
  ],
  ['what it cannot observe', { ...good, unknown: ['package-down'] }, 1, [/cannot observe: package-down/]],
])('%s', (_title, state, minutes, expected) => {
  const all = [facts('m1', good), facts('m2', state, minutes)];
  const remarks = alertRemarks(all[1] as (typeof all)[number], all, settings);
  expect(remarks.map(({ text }) => text)).toEqual(expected.map((one) => expect.stringMatching(one)));
  for (const { remedy } of remarks) expect(remedy).not.toBe('');
});

it('a member without a report is compared with nothing', () => {
  const all = [facts('m1', null), facts('m2', good)];
  expect(alertRemarks(all[1] as (typeof all)[number], all, settings)).toEqual([]);
});
