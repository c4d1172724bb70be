/** The package file's grammar, and what cmmakepkg writes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { phases } from '../../../src/lab/emulation/scripts/control-script.ts';
import { findAttribute, modules, startOrder } from '../../../src/serviceguard/modules.ts';
import { parsePackageFile, printPackageFile } from '../../../src/serviceguard/package-file.ts';
import { makePackageTemplate } from '../../../src/serviceguard/package-template.ts';

const parse = (text: string) => parsePackageFile(text, 'p.conf');

describe('package file', () => {
  test('reads keywords in either case, quoted values, empty values and comments', () => {
    const read = parse(
      '# comment\nPACKAGE_NAME nfspkg\n\n  service_cmd\t"/usr/sbin/ping hasupt22"\nfs_umount_opt ""\nfs_type "xfs" # why not\n',
    );
    expect(read).toMatchObject({
      ok: true,
      value: {
        name: 'nfspkg',
        lines: [
          { keyword: 'package_name', value: 'nfspkg', line: 2 },
          { keyword: 'service_cmd', value: '/usr/sbin/ping hasupt22', line: 4 },
          { keyword: 'fs_umount_opt', value: '', line: 5 },
          { keyword: 'fs_type', value: 'xfs', line: 6 },
        ],
      },
    });
  });

  test('reads a package that others wrote, toolkit attributes and variables included', () => {
    const read = parse(
      'package_name nfspkg\nscript_log_file $SGRUN/log/nfspkg.log\ntkit/nfs/nfs/XFS "-o rw,sync,no_root_squash *:/nfs"\nPEV_Level 3\nnode_name *\n',
    );
    expect(read).toMatchObject({
      value: {
        lines: [
          {},
          { value: '$SGRUN/log/nfspkg.log' },
          { keyword: 'tkit/nfs/nfs/XFS', value: '-o rw,sync,no_root_squash *:/nfs' },
          { keyword: 'pev_Level' },
          { value: '*' },
        ],
      },
    });
  });

  test('collects all problems with their lines', () => {
    const read = parse('node_name\nservice_cmd "/bin/x\n=bad 1\nfs_mount_opt -o "rw"\n');
    expect(read.ok).toBe(false);
    expect(read.problems.map((problem) => [problem.code, problem.place?.line])).toEqual([
      ['package-file-no-value', 1],
      ['package-file-quote', 2],
      ['package-file-keyword', 3],
      ['package-file-quote', 4],
      ['package-file-no-name', undefined],
    ]);
  });

  test('one file describes one package with a legal name', () => {
    expect(parse('package_name a\npackage_name b\n').problems).toMatchObject([
      { code: 'package-file-two-names', place: { line: 2 } },
    ]);
    for (const name of ['-a', 'a-', `a${'b'.repeat(39)}`, 'a/b'])
      expect(parse(`package_name ${name}\n`).problems, name).toHaveLength(1);
    for (const name of ['a', 'a.b-c_d', `a${'b'.repeat(38)}`]) expect(parse(`package_name ${name}\n`).problems, name).toEqual([]);
  });

  test('what is printed reads back to the same', () => {
    const keyword = fc.constantFrom('node_name', 'service_cmd', 'fs_mount_opt', 'pev_Some_Name', 'tkit/x/Y');
    const value = fc.string({ unit: fc.constantFrom(...'abcXYZ019 /-_.:$#*=,') }).map((text) => text.trim());
    const line = fc.record({ keyword, value });
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const all = [{ keyword: 'package_name', value: 'p' }, ...lines].map((one, index) => ({ ...one, line: index + 1 }));
        const file = { name: 'p', lines: all };
        expect(parse(printPackageFile(file))).toEqual({ ok: true, value: file, problems: [] });
      }),
    );
  });

  test('values that could be misread are printed in quotes', () => {
    const lines = ['', 'a b', 'a#b', 'plain'].map((value, index) => ({ keyword: 'node_name', value, line: index + 1 }));
    const printed = printPackageFile({ name: 'p', lines }).trimEnd().split('\n');
    expect(printed.map((line) => line.replace(/^node_name +/, ''))).toEqual(['""', '"a b"', '"a#b"', 'plain']);
  });

  test('never throws, for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parse(text)));
  });
});

describe('cmmakepkg', () => {
  const make = (modules: string[], more: Partial<Parameters<typeof makePackageTemplate>[0]> = {}): string => {
    const made = makePackageTemplate({ modules, name: null, existing: null, ...more });
    return made.ok ? made.value : made.problems.map((problem) => problem.code).join();
  };

  test('writes the attributes of the modules asked for, and no others', () => {
    const text = make(['sg/failover', 'sg/service'], { name: 'csync' });
    expect(text).toMatch(/^package_name +csync$/m);
    expect(text).toMatch(/^auto_run +yes$/m);
    expect(text).toMatch(/^#service_name$/m);
    expect(text).toMatch(/^module_name +sg\/service$/m);
    expect(text).not.toContain('ip_subnet');
  });

  test('without -m takes all modules, under any of the names for it', () => {
    expect(make([])).toBe(make(['sg/all']));
    expect(make(['sg/all'])).toBe(make(['default']));
    expect(make([])).toContain('generic_resource_name');
  });

  test('a template with a name is a package file as it stands; without one it must be edited', () => {
    expect(parse(make(['sg/all'], { name: 'csync' })).ok).toBe(true);
    expect(parse(make(['sg/all'])).problems.map((problem) => problem.code)).toContain('package-file-no-value');
  });

  test('-i keeps every value of the existing file and adds modules', () => {
    const existing = parse(
      'package_name csync\nmodule_name sg/failover\nmodule_name sg/service\nauto_run no\nservice_name a\nservice_cmd "/x y"\nservice_name b\nservice_cmd /z\ntkit/x/Y 1\n',
    );
    if (!existing.ok) throw new Error('must parse');
    const again = parse(make(['sg/pev'], { existing: existing.value }));
    if (!again.ok) throw new Error('must parse');
    const pairs = again.value.lines.map((line) => `${line.keyword} ${line.value}`);
    for (const line of existing.value.lines) expect(pairs).toContain(`${line.keyword} ${line.value}`);
    expect(pairs.filter((pair) => /^service_(name|cmd)/.test(pair))).toEqual([
      'service_name a',
      'service_cmd /x y',
      'service_name b',
      'service_cmd /z',
    ]);
    expect(pairs).toContain('module_name sg/pev');
    expect(parse(make([], { existing: again.value }))).toMatchObject({
      value: { lines: again.value.lines.map(({ keyword, value }) => ({ keyword, value })) },
    });
  });

  test('refuses unknown modules and no or two base modules', () => {
    expect(make(['sg/nothing'])).toBe('package-module-unknown');
    expect(make(['sg/service'])).toBe('package-module-base');
    expect(make(['sg/failover', 'sg/multi_node'])).toBe('package-module-base');
  });

  test('every fallback is a legal value', () => {
    for (const module of modules) {
      for (const attribute of module.attributes) {
        if (attribute.fallback !== null) expect(attribute.legal.accepts(attribute.fallback), attribute.keyword).toBe(true);
      }
    }
  });

  test('scripts run before storage, storage before addresses, addresses before external scripts and services', () => {
    const wanted = ['sg/external_pre', 'sg/volume_group', 'sg/filesystem', 'sg/package_ip', 'sg/external', 'sg/service'];
    expect(startOrder.filter((name) => name !== 'sg/pr_cntl')).toEqual(wanted);
    expect(phases).toEqual(wanted);
    expect(findAttribute('pev_anything')?.modules).toEqual(['sg/pev']);
  });
});
