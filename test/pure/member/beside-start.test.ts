/** What a start leaves to a process of its own: nothing of it is on the way of a failover. */
import { describe, expect, it } from 'vitest';
import type { LogMessage } from '../../../src/base/log-line.ts';
import { arpProbeName } from '../../../src/contract/package-directory.ts';
import { leaveBeside } from '../../../src/member/steps/beside-start.ts';
import type { ScriptContext } from '../../../src/member/steps/script.ts';
import { settingsFor } from '../../support.ts';

describe('a start leaves beside itself', () => {
  it('the probe of the address, with the warning for the case that another host answers', () => {
    const started: (readonly string[])[] = [];
    const host = { member: 'm1', detach: (argv: readonly string[]) => started.push(argv) > 0 };
    leaveBeside({ host, settings: settingsFor(), directory: '/set', logFile: null } as unknown as ScriptContext);
    const [[, , perl, probe, address, , log, tag, line] = [], ...others] = started;
    expect([perl, probe, address, log, tag]).toEqual(['perl', `/set/${arpProbeName}`, '10.9.0.100', '-', 'csync']);
    expect(line).toMatch(
      /^m1 csync start: warning \[address-conflict\] another host answers for 10\.9\.0\.100 as well \(hardware address %s\).*arping -U/,
    );
    expect(others).toEqual([]);
  });

  it('nothing, and goes on, where no program can be started', () => {
    const said: string[] = [];
    const log = { line: (result: string, { code, text }: LogMessage) => said.push(`${result} [${code}] ${text}`) };
    const host = {
      member: 'm1',
      detach: () => {
        throw new Error('no descriptors');
      },
    };
    leaveBeside({ host, settings: settingsFor(), directory: '/set', logFile: null, log } as unknown as ScriptContext);
    expect(said).toEqual(['warning [background-unstarted] No probe of the address: Error: no descriptors.']);
  });
});
