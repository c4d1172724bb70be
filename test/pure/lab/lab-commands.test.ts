/** argv of every emulated command. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandNames, eventOf, parseCommand } from '../../../src/lab/commands/commands.ts';
import { messages } from '../../../src/lab/manager/messages.ts';

const parse = (line: string) => {
  const [name = '', ...argv] = line.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
  const parsed = parseCommand(name, argv);
  return parsed.ok ? parsed.request : parsed.errorLines[0];
};

describe('commands', () => {
  test.each([
    ['cmviewcl', { verbose: false, format: 'table', level: null }],
    ['cmviewcl -vf line -s config', { verbose: true, format: 'line', configuration: true }],
    ['cmviewcl -v -f line -p csync', { packages: ['csync'] }],
    ['cmviewcl -l node', { level: 'node' }],
    ['cmquerycl -v -C file -c lab -n a -n b', { members: ['a', 'b'], outputFile: 'file', clusterName: 'lab' }],
    ['cmcheckconf -v -k -P a -P b', { packageFiles: ['a', 'b'], clusterFile: null }],
    ['cmapplyconf -f -v -C c -P a', { force: true, clusterFile: 'c', packageFiles: ['a'] }],
    ['cmgetconf -p csync out', { package: 'csync', outputFile: 'out' }],
    ['cmdeleteconf -f -p csync', { force: true, package: 'csync' }],
    [
      'cmmakepkg -m sg/failover -m sg/service -n csync out',
      { modules: ['sg/failover', 'sg/service'], name: 'csync', outputFile: 'out' },
    ],
    ['cmmakepkg -i old -m sg/pev', { inputFile: 'old', outputFile: null }],
    ['cmmakepkg -l', { list: true }],
    ['cmruncl -v -n a -n b', { members: ['a', 'b'], preview: false }],
    ['cmhaltcl -f -v', { force: true }],
    ['cmrunnode -v a', { members: ['a'] }],
    ['cmhaltnode -f -t a b', { members: ['a', 'b'], force: true, preview: true }],
    ['cmrunpkg -n a csync', { packages: ['csync'], members: ['a'], anyMember: false }],
    ['cmrunpkg -vnalpha -- csync', { packages: ['csync'], members: ['alpha'] }],
    ['cmrunpkg -a csync web', { packages: ['csync', 'web'], anyMember: true }],
    ['cmrunpkg -m sg/package_ip csync', { upToModule: 'sg/package_ip', exceptModule: null }],
    ['cmrunpkg -e sg/service csync', { exceptModule: 'sg/service' }],
    ['cmhaltpkg -f csync', { packages: ['csync'], force: true }],
    ['cmmodpkg -e -n a -n b csync', { change: 'enable', members: ['a', 'b'], packages: ['csync'] }],
    ['cmmodpkg -d csync', { change: 'disable' }],
    ['cmmodpkg -m on -n a csync', { change: 'maintenance-on', members: ['a'] }],
    ['cmmodpkg -m off csync', { change: 'maintenance-off' }],
    ['cmmodpkg -R -s csync_monitor csync', { change: 'reset-restarts', service: 'csync_monitor' }],
    ['cmversion', { command: 'cmversion' }],
    ['cmmodnet -a -i 10.9.0.50 10.9.0.0', { action: 'add', address: '10.9.0.50', subnet: '10.9.0.0' }],
    ['cmmodnet -r -i 10.9.0.50 10.9.0.0', { action: 'remove' }],
    ['cmrunserv -r 3 mon "/x y"', { service: 'mon', commandLine: '/x y', restarts: 3 }],
    ['cmrunserv -R mon /x', { restarts: 'unlimited' }],
    ['cmhaltserv -v mon', { service: 'mon' }],
    ['cmgetpkgenv csync', { package: 'csync' }],
    ['cmexec a "uname -n"', { member: 'a', commandLine: 'uname -n' }],
  ])('%s', (line, expected) => {
    expect(parse(line)).toMatchObject({ command: line.split(' ')[0], ...expected });
  });
});

describe('commands that are refused', () => {
  test.each([
    ['cmviewcl -x', 'cmviewcl: illegal option -- x'],
    ['cmviewcl -f', 'cmviewcl: option requires an argument -- f'],
    ['cmviewcl -f xml', 'cmviewcl: -f is table or line, not xml'],
    ['cmhaltnode -d a', 'cmhaltnode: option -d is not imitated by the lab: live application detach'],
    ['cmmakepkg -s', "cmmakepkg: option -s is not imitated by the lab: the text of Serviceguard's own control script template"],
    ['cmmakepkg -p -m sg/failover', 'cmmakepkg: -p makes a legacy template; -m, -i and -l are for modular ones'],
    ['cmrunpkg', 'cmrunpkg: an argument is missing'],
    ['cmrunpkg -a -n x csync', 'cmrunpkg: use either -a or -n'],
    ['cmmodpkg csync', 'cmmodpkg: use exactly one of -e, -d, -m and -R'],
    ['cmmodpkg -e -d csync', 'cmmodpkg: use exactly one of -e, -d, -m and -R'],
    ['cmmodpkg -m maybe csync', 'cmmodpkg: -m is on or off, not maybe'],
    ['cmmodpkg -R csync', 'cmmodpkg: use -R and -s service together'],
    ['cmgetpkgenv a b', 'cmgetpkgenv: unexpected argument: b'],
    ['cmapplyconf -f', 'cmapplyconf: name a file with -C or -P'],
    ['cmrunserv -r x mon /x', 'cmrunserv: -r is a number, not x'],
    ['cmsetlog', 'cmsetlog: not imitated by the lab'],
    ['constructor', 'constructor: not imitated by the lab'],
  ])('refuses: %s', (line, complaint) => {
    expect(parse(line)).toBe(complaint);
  });

  test('a refusal shows the usage', () => {
    const parsed = parseCommand('cmrunnode', ['-x']);
    expect(parsed).toMatchObject({
      ok: false,
      errorLines: [expect.anything(), 'Usage: cmrunnode [-v] [-t] [-w none] [node]...'],
    });
  });

  test('never throws, for any arguments', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('-n', '-v', '-m', 'on', '-R', '--', 'csync'));
    fc.assert(fc.property(fc.constantFrom(...commandNames), fc.array(word), (name, argv) => void parseCommand(name, argv)));
  });

  test('a member that is not named is the one the command was typed on', () => {
    const typed = (line: string) => {
      const request = parse(line);
      return request === undefined || typeof request === 'string' ? null : eventOf(request, 'here');
    };
    expect(typed('cmhaltnode -f')).toEqual({ kind: 'member-halt', members: ['here'], force: true });
    expect(typed('cmrunnode')).toEqual({ kind: 'member-run', members: ['here'] });
    expect(typed('cmrunpkg csync')).toEqual({
      kind: 'package-run',
      packages: ['csync'],
      members: [],
      issuedOn: 'here',
      anyMember: false,
    });
    expect(typed('cmmodpkg -d -n a csync')).toEqual({
      kind: 'package-switch',
      packages: ['csync'],
      enable: false,
      members: ['a'],
    });
    expect(typed('cmviewcl')).toBe(null);
  });
});

describe('messages', () => {
  test('every text says where it was seen, or that it is ours', () => {
    for (const [key, { source, text }] of Object.entries(messages)) {
      expect(source, key).not.toBe('');
      expect(text('1', '2', '3'), key).not.toMatch(/%\d/);
    }
  });
});
