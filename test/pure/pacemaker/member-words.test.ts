/** All lines that member scripts log are in the words of Pacemaker where Pacemaker runs, and unchanged where Serviceguard does. */
import { describe, expect, it } from 'vitest';
import { logLine } from '../../../src/base/log-line.ts';
import { explained } from '../../../src/engine/pacemaker/explained.ts';
import { inPacemakersWords } from '../../../src/engine/pacemaker/member-words.ts';
import { codeEntries } from '../../../src/explain/codes.ts';
import { type FailureCode, failureMessage, failureTable } from '../../../src/member/failures.ts';
import { messages } from '../../../src/member/messages.ts';
import { verdictSentence } from '../../../src/member/monitor/judge.ts';
import { logWords } from '../../../src/member/settings-file.ts';
import { firstLine, lastLine, parts, type Role, type ScriptName } from '../../../src/member/steps/parts.ts';
import { serviceguardWords, settingsFor } from '../../support.ts';

/** Only a legacy package has these steps, and Pacemaker has no such package. */
const legacyOnly: readonly string[] = ['address-not-added', 'service-not-started', 'service-not-halted'];

const failures = (Object.keys(failureTable) as FailureCode[])
  .filter((code) => !legacyOnly.includes(code))
  .map((code) => failureMessage({ code, text: 'found' }, 'm1.lab', 'csync').text);
const lines = (Object.keys(parts) as ScriptName[]).flatMap((script) =>
  (Object.keys(parts[script]) as Role[])
    .filter((role) => role !== 'legacy')
    .flatMap((role) => [
      firstLine(script, role).text,
      ...[0, 1, 2].map((exit) => lastLine(script, role, { exit, ms: 1, dryRun: false }).text),
    ]),
);
const verdict = { reason: 'unknown', since: 0, evidence: 'no answer' } as const;
const verdicts = (['none', 'unlimited', 3] as const).map((serviceRestart) =>
  verdictSentence(verdict, { ...settingsFor(), serviceRestart }, 'm1', 3),
);
const texts = [...failures, ...lines, ...verdicts, ...Object.values(messages).map(([text]) => text)];

describe('what a member script logs', () => {
  it('names nothing of Serviceguard with Pacemaker', () => {
    expect(texts.filter((text) => serviceguardWords.test(text)).length).toBeGreaterThan(20);
    expect(texts.map(inPacemakersWords).filter((text) => serviceguardWords.test(text))).toEqual([]);
  });

  it.each([
    ['cmmodpkg -e -n m1.lab csync', 'crm_resource --cleanup --resource csync --node m1.lab'],
    ['then cmmodpkg -e csync.', 'then crm_resource --cleanup --resource csync.'],
    ['cmrunnode m2', 'crm_standby --node m2 --delete'],
    ['cmviewcl -v -p csync shows the members', 'crm_mon -1 -r -f shows the members'],
    ['the policy is served', 'the policy is served'],
  ])('%s becomes %s', (from, to) => {
    expect(inPacemakersWords(from)).toBe(to);
  });

  const facts = (...there: readonly string[]) => ({ facts: (file: string) => (there.includes(file) ? {} : null) }) as never;
  const unread = { ok: false, finding: { code: 'settings-damaged', text: 'no file' } } as const;
  const [conf, cib] = ['/etc/cmcluster.conf', '/var/lib/pacemaker/cib/cib.xml'];
  const read = (engine: 'serviceguard' | 'pacemaker') =>
    ({ ok: true, settings: settingsFor({ engine }), digest: () => '' }) as const;

  it.each([
    ['settings of Pacemaker', facts(conf, cib), read('pacemaker'), true],
    ['settings of Serviceguard', facts(cib), read('serviceguard'), false],
    ['no settings, a cluster of Pacemaker', facts(cib), unread, true],
    ['no settings, both', facts(conf, cib), unread, false],
    ['no settings, nothing', facts(), unread, false],
  ])('with %s', (_, host, settings, isPacemaker) => {
    const head = { member: 'm1', packageName: 'csync', script: 'start', ...logWords(host, settings) };
    const line = logLine(head, 'failed', { code: 'x', text: 'Serviceguard tries another member' });
    expect(line).toContain(isPacemaker ? '] Pacemaker tries another member' : '] Serviceguard tries another member');
  });
});

describe('what csync explain prints', () => {
  /** Of Serviceguard alone; they cannot come from a cluster of Pacemaker. */
  const foreign = codeEntries
    .filter(({ code, text }) => explained(code, `${text} cmviewcl`).endsWith('cmviewcl'))
    .map(({ code }) => code);
  const textsOf = ({ code, text, cluster, why, fix, example }: (typeof codeEntries)[number]) =>
    [text, cluster, why, ...fix, example].map((one) => explained(code, one));

  it('names nothing of Serviceguard with Pacemaker, except in codes of Serviceguard', () => {
    const own = codeEntries.filter(({ code }) => !foreign.includes(code));
    expect(own.length).toBeGreaterThan(180);
    expect(own.flatMap(textsOf).filter((text) => serviceguardWords.test(text))).toEqual([]);
    expect(foreign).toContain('change-cmapplyconf');
    expect(foreign).not.toContain('package-group');
  });

  it('has the command that starts the group again', () => {
    expect(explained('no-address', 'Then start it: `cmmodpkg -e PACKAGE`.')).toBe(
      'Then start it: `crm_resource --cleanup --resource PACKAGE`.',
    );
    expect(explained('interrupted-remove', 'Run `csync remove` again. To keep the package: `cmmodpkg -e PACKAGE`.')).toContain(
      '--set-parameter target-role',
    );
  });
});
