/** What csync-front.pl makes of a monitor that sends nothing: the decision alone, over what /proc would say at each wait. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { have, repository } from '../../support.ts';

const front = join(repository, 'src/member/monitor/csync-front.pl');

/** What /proc says of the monitor: whether a thread of it is runnable, its processor time in ticks, its major page faults. */
interface Seen {
  readonly runnable?: boolean;
  readonly ticks?: number;
  readonly faults?: number;
}

/** After how many waits the monitor is to be replaced, and why; null: not within `most` of them. */
function replacedAfter(expected: string, at: (wait: number) => Seen, most = 1000): string | null {
  const seen = Array.from({ length: most + 1 }, (_, wait) => {
    const { runnable = false, ticks = 100, faults = 0 } = at(wait);
    return `[${runnable ? 1 : 0}, ${ticks}, ${faults}]`;
  });
  const script = `
require $ARGV[0];
my @seen = (${seen.join(', ')});
my $wait = 0;
no warnings;
*main::used = sub { my (undef, $ticks, $faults) = @{ $seen[$wait] }; return ($ticks, $ticks + $faults) };
*main::is_runnable = sub { return $seen[$wait][0] };
expect('${expected}');
while (++$wait < @seen) {
  my $why = why_replaced();
  if (defined $why) { print "$wait: $why"; exit }
}
`;
  const { stdout, stderr, status } = spawnSync('/usr/bin/perl', ['-', front], { input: script, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout === '' ? null : stdout;
}

describe.skipIf(!have('perl'))('the program in front, of a monitor that sends nothing', () => {
  it.each([
    // Waits of 0.25 s: 2 s and 10 s.
    ['asked', '8: did not answer'],
    ['started', '40: did not start'],
    // Nine waits of 2 s, then eight of 0.25 s.
    ['idle', '17: sent nothing'],
  ])('%s: replaces one that is blocked (stopped, asleep, stuck in the kernel): %s', (expected, after) => {
    expect(replacedAfter(expected, () => ({}))).toBe(after);
  });

  it.each(['asked', 'started', 'idle'])('%s: leaves one alone that is runnable and gets no processor time', (expected) => {
    expect(replacedAfter(expected, () => ({ runnable: true }))).toBeNull();
  });

  it.each(['asked', 'started', 'idle'])('%s: leaves one alone that gets a little processor time', (expected) => {
    expect(replacedAfter(expected, (wait) => ({ ticks: wait }))).toBeNull();
  });

  it('leaves one alone that is blocked on pages of its own program, and replaces it when none comes any more', () => {
    expect(replacedAfter('started', (wait) => ({ faults: wait }))).toBeNull();
    expect(replacedAfter('started', (wait) => ({ faults: Math.min(wait, 100) }))).toBe('140: did not start');
  });

  it.each([
    ['asked', '120: did not answer in 30 s of processor time'],
    ['started', '120: did not start in 30 s of processor time'],
    ['idle', '129: sent nothing in 30 s of processor time'],
  ])('%s: replaces one in an endless loop: %s', (expected, after) => {
    // 0.25 s at a time, from the wait on at which it is checked.
    const first = expected === 'idle' ? 9 : 0;
    expect(replacedAfter(expected, (wait) => ({ runnable: true, ticks: Math.max(0, wait - first) * 25 }))).toBe(after);
  });

  it('counts the waits in which it was blocked, with any pause between them', () => {
    // It is busy in the waits 1, 5 and 9.
    expect(replacedAfter('asked', (wait) => ({ runnable: wait % 4 === 1 }))).toBe('11: did not answer');
  });

  it('does not count the processor time of the months before', () => {
    expect(replacedAfter('asked', () => ({ runnable: true, ticks: 9_000_000 }))).toBeNull();
  });
});
