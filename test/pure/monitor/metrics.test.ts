/** The monitor's figures, and how long a failover took, as tables. */
import { describe, expect, it } from 'vitest';
import { noteOfHalt, parseHandover, parsePromotion, promotionAfter } from '../../../src/contract/handover.ts';
import type { MonitorState } from '../../../src/contract/monitor-state.ts';
import { answerTo } from '../../../src/host/member/http-endpoint.ts';
import { metricsText } from '../../../src/member/monitor/report/metrics.ts';
import { parseListenAddress } from '../../../src/settings/rules.ts';

const state: MonitorState = {
  version: 1,
  package: 'csync',
  member: 'm"1\\',
  pid: 7,
  startedAt: '2026-11-28T00:00:00.000Z',
  at: '2026-11-28T00:00:05.000Z',
  watching: 'cf-serverd (pid 42)',
  endIsEvent: true,
  paused: false,
  brake: null,
  starvations: 3,
  layers: { port: { result: 'good', detail: 'connected', milliseconds: 2.5, at: '2026-11-28T00:00:05.000Z' } },
  verdict: null,
};
const promotion = { epoch: 12, at: 1_795_824_000_000, failover: { from: 'm2', milliseconds: 640 } };
const sample = (text: string, name: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${name}{`))
    ?.split(' ')
    .at(-1);

describe('figures for Prometheus', () => {
  it('have a name, labels and a value a line, each family with its help and type before it', () => {
    const text = metricsText(state, false, promotion);
    const known = new Set<string>();
    for (const line of text.trimEnd().split('\n')) {
      const [, word, name = ''] = /^# (HELP|TYPE) (\w+) /.exec(line) ?? [];
      if (word !== undefined) known.add(`${word} ${name}`);
      else {
        // The text format's own grammar of a sample.
        const [, family = ''] =
          /^([a-zA-Z_]\w*)\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\} -?\d+(?:\.\d+)?$/.exec(line) ?? [];
        expect(known, line).toContain(`HELP ${family}`);
        expect(known, line).toContain(`TYPE ${family}`);
      }
    }
    expect(text).toContain('member="m\\"1\\\\"');
    expect(text.endsWith('\n')).toBe(true);
  });

  it.each([
    ['csync_master', '1'],
    ['csync_monitor_starvations_total', '3'],
    ['csync_layer_look_seconds', '0.0025'],
    ['csync_promotions_total', '12'],
    ['csync_last_failover_seconds', '0.64'],
  ])('%s is %s', (name, value) => {
    expect(sample(metricsText(state, false, promotion), name)).toBe(value);
  });

  it('say that there is no master here any more after a halt, and after a verdict', () => {
    expect(sample(metricsText(state, true, promotion), 'csync_master')).toBe('0');
    const verdict = { reason: 'gone', since: state.at, noticed: 0, evidence: '', sentence: '' };
    const failed = metricsText({ ...state, verdict }, false, promotion);
    expect(sample(failed, 'csync_master')).toBe('0');
    expect(failed).toContain('csync_monitor_verdict{package="csync",member="m\\"1\\\\",reason="gone"} 1');
  });

  it('leave out what is not known', () => {
    const text = metricsText(state, false, null);
    expect(text).not.toMatch(/promotion|failover/);
    expect(text).not.toContain('NaN');
  });
});

describe('how long a failover took', () => {
  const before = { epoch: 4, member: 'm1', lostAt: 1000, reason: 'failure' };
  it.each([
    ['a failure', before, { from: 'm1', milliseconds: 500 }],
    ['a halted member', { ...before, reason: 'automatic_halt' }, { from: 'm1', milliseconds: 500 }],
    ['a user halted the package', { ...before, reason: 'user_halt' }, null],
    ['the note of an earlier promotion: the last member crashed', { ...before, epoch: 3 }, null],
    ['a clock that is behind', { ...before, lostAt: 2000 }, null],
    ['no note', null, null],
  ])('%s', (_, note, failover) => {
    expect(promotionAfter(5, 1500, note)).toEqual({ epoch: 5, at: 1500, failover });
  });

  const own = { epoch: 5, member: 'm2', lostAt: 9000, reason: 'failure' };
  const role = (epoch: number) => ({ epoch, at: 1, failover: null });
  type Facts = Omit<Parameters<typeof noteOfHalt>[1], 'noteBefore'> & { before: ReturnType<typeof noteOfHalt> };
  it.each<[string, Facts, ReturnType<typeof noteOfHalt>]>([
    ['the master writes its own', { proved: role(5), marked: 'm2', before }, own],
    ['a master that could not write its mark, too', { proved: role(5), marked: 'm1', before }, own],
    ['a start that failed before its mark writes none', { proved: null, marked: 'm1', before }, null],
    ['nor if it was the master earlier', { proved: role(3), marked: 'm1', before }, null],
    ['nor beside a damaged mark', { proved: null, marked: null, before }, null],
    [
      'a start that failed behind its mark hands on the note of the member that lost the role',
      { proved: role(3), marked: 'm2', before },
      { ...before, epoch: 5 },
    ],
    ['but none of an earlier failover', { proved: null, marked: 'm2', before: { ...before, epoch: 3 } }, own],
    ['and none that is old', { proved: null, marked: 'm2', before: { ...before, lostAt: 9000 - 600_000 } }, own],
    ['nor one that is missing', { proved: null, marked: 'm2', before: null }, own],
  ])('the halt leaves a note: %s', (_, facts, note) => {
    const { before, ...known } = facts;
    expect(noteOfHalt(own, { ...known, noteBefore: () => before })).toEqual(note);
  });

  it('takes anything else for no note', () => {
    for (const text of [null, '', 'x', '{}', '[]', '{"epoch":"1","member":"m1","lostAt":1,"reason":"failure"}']) {
      expect(parseHandover(text)).toBeNull();
      expect(parsePromotion(text)).toBeNull();
    }
    expect(parsePromotion(JSON.stringify(promotion))).toEqual(promotion);
  });
});

describe('where the monitor answers', () => {
  it.each([
    ['off', null],
    ['127.0.0.1:9308', { host: '127.0.0.1', port: 9308 }],
    ['[::1]:9308', { host: '::1', port: 9308 }],
    ['127.0.0.1', undefined],
    [':9308', undefined],
    ['127.0.0.1:0', undefined],
    ['127.0.0.1:70000', undefined],
    ['[::1:9308', undefined],
    ['[zz]:9308', undefined],
    ['300.0.0.1:9308', undefined],
    ['localhost:9308', undefined],
  ])('%s', (text, wanted) => {
    expect(parseListenAddress(text)).toEqual(wanted);
  });
});

describe('a request for the figures', () => {
  const pages = { '/metrics': { type: 'text/plain', text: () => 'grün\n' } };

  it.each([
    ['GET /metrics HTTP/1.1\r\nHost: m1\r\n\r\n', '200 OK', 'grün\n'],
    ['HEAD /metrics HTTP/1.0\n\n', '200 OK', ''],
    ['GET /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n', '200 OK', 'grün\n'],
    ['GET /toString HTTP/1.1\r\n\r\n', '404 Not Found', ''],
    ['POST /metrics HTTP/1.1\r\n\r\n', '405 Method Not Allowed', ''],
    [`GET /${'x'.repeat(5000)}`, '400 Bad Request', ''],
  ])('%s', (head, status, body) => {
    const answer = answerTo(head, pages);
    expect(answer.startsWith(`HTTP/1.1 ${status}\r\n`)).toBe(true);
    expect(answer).toContain('\r\nConnection: close\r\n');
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(body);
    if (body !== '') expect(answer).toContain(`Content-Length: ${Buffer.byteLength(body)}\r\n`);
  });
});
