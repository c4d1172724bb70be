/** The lines of the package log: one form for writers and readers, and one table of codes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLine, parseLogLine } from '../../../src/base/log-line.ts';
import { failureTable } from '../../../src/member/failures.ts';
import { message, messages, ofStep } from '../../../src/member/messages.ts';
import { repository } from '../../support.ts';

const head = { member: 'm1', packageName: 'csync', script: 'start' };

describe('a line of the log', () => {
  it('has the event for a person, and the same for a program', () => {
    const answers = ofStep('daemon', message('daemon-answers', { daemon: 'cf-serverd', pid: 878 }));
    const line = logLine(head, 'ok', answers);
    expect(line).toBe('m1 csync start: ok [daemon-answers] cf-serverd runs (pid 878) and answers. | step=daemon pid=878');
    expect(parseLogLine(`Nov 30 03:40:30 ${line}`)).toEqual({
      script: 'start',
      result: 'ok',
      code: 'daemon-answers',
      text: 'cf-serverd runs (pid 878) and answers.',
      keys: { step: 'daemon', pid: '878' },
    });
  });

  it('is one line, and leaves off a key without a value', () => {
    const why = 'Error: no descriptors\n    at open (file.ts:1)\n';
    expect(logLine(head, 'failed', message('internal-error', { why }))).toBe(
      'm1 csync start: failed [internal-error] Internal error, please report it: Error: no descriptors / at open (file.ts:1)',
    );
    const names = { member: 'm1', name: 'csync.lab', address: '10.9.0.100', after: '', from: '', outage_ms: '' };
    expect(logLine(head, 'done', message('master', { ...names, epoch: 7 }))).toMatch(/\(10\.9\.0\.100\)\. \| epoch=7$/);
  });

  it('is read back whatever its sentence and its values are', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '|', '"', '=', '\\', '\n') });
    const property = fc.property(text, text, (sentence, value) => {
      const parsed = parseLogLine(
        logLine(head, 'ok', { code: 'mounted', text: sentence, keys: { step: 'mount', value, pid: 1 } }),
      );
      expect(parsed).toMatchObject({ result: 'ok', code: 'mounted', keys: { step: 'mount', pid: '1' } });
    });
    fc.assert(property);
  });

  it.each(['', 'Nov 30 03:40:30 - Node "m1": Activating volume group vg', '\tERROR:  Function add_ip_address'])(
    'of another program is none: %j',
    (line) => {
      expect(parseLogLine(line)).toBeNull();
    },
  );
});

describe('the table of messages', () => {
  const codes = [...Object.keys(messages), ...Object.keys(failureTable)];

  it('has each code once', () => {
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('has the codes that programs in other languages log', () => {
    const monitor = join(repository, 'src/member/monitor/csync-front.pl');
    const launcher = join(repository, 'package-templates/modular/launcher.sh.tpl');
    for (const file of [monitor, launcher]) {
      const found = [...readFileSync(file, 'utf8').matchAll(/(?:failed|warning) \[([a-z-]+)\]/g)].map(([, code]) => code);
      expect(found, file).not.toEqual([]);
      expect(codes).toEqual(expect.arrayContaining(found));
    }
  });

  it('has no code that nothing logs', () => {
    const files = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' });
    const source = files
      .filter((name) => /^(member|host\/member)\/.*\.(ts|pl)$/.test(name) && !name.endsWith('messages.ts'))
      .map((name) => readFileSync(join(repository, 'src', name), 'utf8'))
      .concat(readFileSync(join(repository, 'package-templates/modular/launcher.sh.tpl'), 'utf8'))
      .join('');
    expect(Object.keys(messages).filter((code) => !source.includes(`'${code}'`) && !source.includes(`[${code}]`))).toEqual([]);
  });
});
