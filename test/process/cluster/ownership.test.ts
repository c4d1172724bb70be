/** Who could change what is run, or believed, as root. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeOwnership, type Seen, strangersTo } from '../../../src/host/ownership.ts';
import { isRoot, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const root = { users: [0], groups: [0] };
const seen = (changes: Partial<Seen>): Seen => ({ place: '/p', user: 0, group: 0, mode: 0o755, above: false, ...changes });

describe('ownership', () => {
  it.each<[string, Partial<Seen>, string[]]>([
    ['of root, closed', {}, []],
    ['of root, open to its group, which is root', { mode: 0o775 }, []],
    ['of another user', { user: 1000 }, ['/p belongs to user 1000']],
    ['open to another group', { mode: 0o775, group: 50 }, ['/p can be written by group 50']],
    ['of another group that cannot write', { group: 50 }, []],
    ['open to everybody', { mode: 0o757 }, ['/p can be written by everybody']],
    ['/tmp on the way', { mode: 0o1777, above: true }, []],
    ['a sticky directory that is itself checked', { mode: 0o1777 }, ['/p can be written by everybody']],
    ['a directory on the way that everybody writes to', { mode: 0o777, above: true }, ['/p can be written by everybody']],
    [
      'all of it',
      { user: 7, group: 8, mode: 0o777 },
      ['/p belongs to user 7', '/p can be written by group 8', '/p can be written by everybody'],
    ],
  ])('%s', (_what, changes, said) => {
    expect(judgeOwnership(seen(changes), root)).toEqual(said);
  });

  it('of the user who runs it is trusted, and no other', () => {
    expect(judgeOwnership(seen({ user: 1000 }), { users: [0, 1000], groups: [0] })).toEqual([]);
    expect(judgeOwnership(seen({ user: 1001 }), { users: [0, 1000], groups: [0] })).toHaveLength(1);
  });
});

describe('the way to a file', () => {
  const directory = (): string => {
    const made = join(mkdtempSync(join(scratch, 'way-')), 'conf');
    mkdirSync(made, { mode: 0o755 });
    return made;
  };

  it('is checked as a whole, also where a link leads elsewhere', () => {
    const [here, there] = [directory(), directory()];
    writeFileSync(join(there, 'node'), '', { mode: 0o755 });
    symlinkSync(join(there, 'node'), join(here, 'node'));
    expect(strangersTo(join(here, 'node'))).toEqual([]);
    chmodSync(there, 0o757);
    expect(strangersTo(join(here, 'node'))).toEqual([`${there} can be written by everybody`]);
    chmodSync(there, 0o755);
    chmodSync(here, 0o757);
    expect(strangersTo(join(here, 'node'))).toEqual([`${here} can be written by everybody`]);
  });

  it('to what is missing reports nothing of it, only of what exists', () => {
    const here = directory();
    expect(strangersTo(join(here, 'customer-defined'))).toEqual([]);
    chmodSync(here, 0o757);
    expect(strangersTo(join(here, 'customer-defined'))).toEqual([`${here} can be written by everybody`]);
  });

  it.runIf(isRoot)('names a file of another user', () => {
    const file = join(directory(), 'csync.sh');
    writeFileSync(file, '');
    chownSync(file, 12_345, 0);
    expect(strangersTo(file)).toEqual([`${file} belongs to user 12345`]);
  });
});
