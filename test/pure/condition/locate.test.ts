/** Where the package is, asked of as few members as it takes. */
import { describe, expect, it } from 'vitest';
import { locate } from '../../../src/cluster/remote/observation.ts';
import type { MemberShell } from '../../../src/host/admin/member-shell.ts';
import { settingsFor } from '../../support.ts';

const settings = settingsFor({ members: ['m1', 'm2', 'm3'] });

const viewOf = (owner: string): string =>
  [
    'name=lab',
    `package:${settings.packageName}|name=${settings.packageName}`,
    `package:${settings.packageName}|status=up`,
    `package:${settings.packageName}|state=running`,
    `package:${settings.packageName}|owner=${owner}`,
    '',
  ].join('\n');

/** `views`: what each member's cmviewcl prints; a member that is missing is not reached. */
function shellOn(here: string, views: Readonly<Record<string, string>>): { shell: MemberShell; asked: string[] } {
  const asked: string[] = [];
  const shell = {
    here,
    stop: new AbortController().signal,
    run: async (member: string) => {
      asked.push(member);
      const stdout = views[member] ?? '';
      return { exitCode: stdout === '' ? 255 : 0, signal: null, timedOut: false, errorCode: null, stdout, stderr: '' };
    },
  } as unknown as MemberShell;
  return { shell, asked };
}

describe('where the package is', () => {
  it('says the member it is asked on, and no other is called', async () => {
    const { shell, asked } = shellOn('m2', { m1: viewOf('m1'), m2: viewOf('m3') });
    expect(await locate(shell, settings)).toMatchObject({ owner: 'm3', status: 'up' });
    expect(asked).toEqual(['m2']);
  });

  it.each([
    ['its own Serviceguard does not answer', 'm1', ['m1', 'm2', 'm3']],
    ['it is no member', 'admin', ['m1', 'm2', 'm3']],
  ])('says the first of the others that answers when %s', async (_why, here, all) => {
    const { shell, asked } = shellOn(here, { m2: viewOf('m2'), m3: viewOf('m3') });
    expect(await locate(shell, settings)).toMatchObject({ owner: 'm2' });
    expect(asked.toSorted()).toEqual(all);
  });

  it('is not known when no member answers, or none knows the package', async () => {
    expect(await locate(shellOn('m1', {}).shell, settings)).toBeNull();
    expect(await locate(shellOn('m1', { m1: 'name=lab\n' }).shell, settings)).toBeNull();
  });
});
