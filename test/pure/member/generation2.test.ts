/** What the member scripts do to a daemon of generation 2, seen by a host that only takes notes. */
import { describe, expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import type { MemberHost, ProcessState } from '../../../src/host/host.ts';
import { Daemon } from '../../../src/member/daemon.ts';
import { roleProved } from '../../../src/member/steps/steps.ts';
import { settingsFor } from '../../support.ts';

/** A host with one daemon on the port that no signal but KILL impresses. Time passes at each pause only. */
function note(name: string): { host: MemberHost; signals: string[]; launched: string[] } {
  const signals: string[] = [];
  const launched: string[] = [];
  const process: ProcessState = { pid: 4711, startTime: '1', state: 'S', name };
  let now = 0;
  let lives = true;
  const host = {
    member: 'm1',
    environment: {},
    elapsed: () => now,
    pause: async (milliseconds: number) => {
      now += milliseconds;
    },
    facts: () => null,
    readText: () => null,
    origin: () => ({ users: [0], trusted: [0], program: null }),
    program: () => null,
    process: () => (lives ? process : null),
    listeners: () => (lives ? [{ inode: '1', processes: [process] }] : []),
    signal: (_: ProcessState, signal: string) => {
      signals.push(signal);
      if (signal === 'SIGKILL') lives = false;
      return true;
    },
    freeBytes: () => null,
    launch: async (argv: readonly string[]) => {
      launched.push(argv.join(' '));
      return { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
    },
  } as unknown as MemberHost;
  return { host, signals, launched };
}

describe('a daemon of generation 2', () => {
  // Nobody answers there: the role stays unproved.
  const two = { ...settingsFor({ cfengine_generation: 2 }), packageAddress: '127.0.0.1', cfenginePort: 1 };

  it('gets no SIGHUP, which it would ignore, where one of generation 3 does', async () => {
    expect(adapterFor(two).reloadSignal).toBeNull();
    const cfservd = note('cfservd');
    new Daemon(cfservd.host, two).reload();
    const step = roleProved({ host: cfservd.host, settings: two, daemon: new Daemon(cfservd.host, two) });
    await step.action?.run({ code: 'role-unproved', text: '' });
    expect(cfservd.signals).toEqual([]);
    const cfServerd = note('cf-serverd');
    new Daemon(cfServerd.host, settingsFor()).reload();
    expect(cfServerd.signals).toEqual(['SIGHUP']);
  });

  it('is ended with TERM, and with KILL when that hangs, before another is started without a lock option', async () => {
    const { host, signals, launched } = note('cfservd');
    await new Daemon(host, two).start({ code: 'daemon-dead', text: '' });
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(launched).toEqual([
      '/bin/sh -c cd / && umask 077 && ulimit -c 0 && ulimit -n 4096 && exec "$@" sh /var/cfengine/bin/cfservd',
    ]);
  });
});
