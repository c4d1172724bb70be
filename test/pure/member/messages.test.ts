/** The lines of the package log: one form for writers and readers, and one table of codes. */
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLine, parseLogLine } from '../../../src/base/log-line.ts';
import { deviceOf } from '../../../src/contract/policy-file-system.ts';
import { type MemberLog, timeStamp } from '../../../src/host/member/member-log.ts';
import { failureTable } from '../../../src/member/failures.ts';
import { message, messages, ofStep } from '../../../src/member/messages.ts';
import { verdictSentence } from '../../../src/member/monitor/judge.ts';
import { haltRole, startRole } from '../../../src/member/programs/roles.ts';
import { firstLine, lastLine, type Role } from '../../../src/member/steps/parts.ts';
import { repository } from '../../support.ts';
import { SharedGroup, SimulatedMember } from './simulated-member.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = { type: 'pkcs1', format: 'pem' } as const;
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

  it('is read back with any sentence and any values', () => {
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

/** In every time zone the same. */
const stampOf = (at: number): string => timeStamp(new Date(at + new Date(at).getTimezoneOffset() * 60_000));

/** What the launcher logs for a script whose Node.js it does not need. */
const linesOfLauncher = {
  start: [firstLine('start', 'pre'), ofStep('mount-point', message('mount-point-free', { mount_point: '/csync' }))],
  halt: [firstLine('halt', 'pre'), ofStep('unmounted', message('unmounted', { mount_point: '/csync' }))],
};

/** A member with cfengine, and the scripts of the package on it with their log. */
class Member extends SimulatedMember {
  readonly lines: string[] = [];

  constructor(name: string, group: SharedGroup) {
    super(name, group);
    for (const program of ['cf-serverd', 'cf-agent']) this.file(`/usr/bin/${program}`, '', 0o755);
    this.file('/var/lib/cfengine3/ppkeys/localhost.priv', keys.privateKey.export(pem) as string);
    this.file('/var/lib/cfengine3/ppkeys/localhost.pub', keys.publicKey.export(pem) as string);
    this.file('/csync', null, 0o755);
    this.addresses = [];
    this.add('cf-serverd', { listens: true });
  }

  logOf(script: string): MemberLog {
    const own = { member: this.member, packageName: 'csync', script };
    return {
      line: (result, logged) => void this.lines.push(`${stampOf(this.now())} ${logLine(own, result, logged)}`),
      plain: () => {},
      flush: async () => {},
      alarm: () => {},
    };
  }

  async script(script: 'start' | 'halt', role: Role): Promise<void> {
    const log = this.logOf(script);
    log.line('ok', firstLine(script, role));
    const more = { directory: '/conf/csync', digest: () => '', role, logFile: null, dryRun: false, hurried: false, log };
    const exit = await (script === 'start' ? startRole : haltRole)({ ...this.context(), ...more });
    log.line(exit === 0 ? 'ok' : 'failed', lastLine(script, role, { exit, ms: 35, dryRun: false }));
    expect(exit).toBe(0);
  }

  /** As the launcher does it, without Node.js. */
  async outerPart(script: 'start' | 'halt'): Promise<void> {
    for (const line of linesOfLauncher[script]) this.logOf(script).line('ok', line);
    if (script === 'halt') await this.script('halt', 'daemon');
  }

  serviceguard(action: 'mounts' | 'unmounts'): void {
    const isHere = action === 'mounts';
    this.active = isHere;
    this.mounted = isHere ? [{ source: deviceOf(this.settings), target: '/csync', type: 'ext4', options: ['rw'] }] : [];
    this.addresses = isHere ? ['10.9.0.100'] : [];
  }
}

describe('the log of a failover', () => {
  it.each(['start', 'halt'] as const)('has the lines of the launcher for %s', (script) => {
    const template = readFileSync(join(repository, 'package-templates/modular/launcher.sh.tpl'), 'utf8');
    for (const line of linesOfLauncher[script]) {
      const whole = logLine({ member: 'm1', packageName: 'csync', script }, 'ok', line).replace('m1 csync ', '');
      expect(template).toContain(whole.replace('/csync', '$mount_point'));
    }
  });

  it('names every step, what follows, and how long no master served; docs/reference/log.md has it', async () => {
    const group = new SharedGroup();
    group.files.set('/csync/dsau', { text: null, mode: 0o755, inode: 1 });
    const [from, to] = [new Member('m1', group), new Member('m2', group)];
    from.serviceguard('mounts');
    await from.script('start', 'main');
    from.lines.splice(0);
    from.processes = [];
    const gone = { reason: 'gone', since: from.now(), evidence: 'cf-serverd (pid 42) is gone' } as const;
    const sentence = verdictSentence(gone, from.settings, 'm1', 0);
    const since = new Date(from.now()).toISOString();
    from.logOf('monitor').line('failed', message('verdict', { sentence, reason: 'gone', since }));
    await from.script('halt', 'main');
    from.serviceguard('unmounts');
    await from.outerPart('halt');
    await to.gate.wait(1000);
    await to.outerPart('start');
    to.serviceguard('mounts');
    await to.script('start', 'main');
    const [daemon] = to.processes;
    to.logOf('monitor').line('ok', message('watching', { daemon: `cf-serverd (pid ${daemon?.pid})`, pid: daemon?.pid ?? '' }));
    const text = [...from.lines, '', ...to.lines, ''].join('\n');
    expect(text.split('\n').filter((line) => line !== '' && parseLogLine(line) === null)).toEqual([]);
    await expect(text).toMatchFileSnapshot(join(repository, 'test/golden/failover.txt'));
  });
});
