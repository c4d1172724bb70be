/** What the member scripts do to a daemon of generation 2. */
import { describe, expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { roleProved } from '../../../src/member/steps/steps.ts';
import type { SimulatedProcess } from '../../../src/simulated/member-facts.ts';
import { settingsFor } from '../../support.ts';
import { SimulatedMember } from './simulated-member.ts';

function memberWith(name: string, more: Partial<SimulatedProcess> = {}): SimulatedMember {
  const member = new SimulatedMember();
  member.add(name, { listens: true, ...more });
  return member;
}

describe('a daemon of generation 2', () => {
  const two = settingsFor({ cfengine_generation: 2 });

  it('gets no SIGHUP, which it would ignore, where one of generation 3 does', async () => {
    expect(adapterFor(two).reloadSignal).toBeNull();
    const cfservd = memberWith('cfservd');
    const context = cfservd.context(two);
    context.daemon.reload();
    expect((await cfservd.carryOut(roleProved(context))).failed).toBe('role-unproved');
    expect(cfservd.effects).toEqual([]);
    const cfServerd = memberWith('cf-serverd');
    cfServerd.context().daemon.reload();
    expect(cfServerd.effects).toEqual(['sends SIGHUP to cf-serverd']);
  });

  it('is ended with TERM, and with KILL when that hangs, before another is started without a lock option', async () => {
    const member = memberWith('cfservd', { ignoresTerm: true });
    await member.context(two).daemon.start({ code: 'daemon-dead', text: '' });
    expect(member.effects).toEqual(['sends SIGTERM to cfservd', 'sends SIGKILL to cfservd', 'starts cfservd']);
    expect(adapterFor(two).startDaemon.slice(3)).toEqual(['sh', '/var/cfengine/bin/cfservd']);
  });
});
