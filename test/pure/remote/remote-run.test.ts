/** Remote runs: what is typed, and what its output amounts to; outputs of cf-runagent are recorded ones of 3.21 (failsafe: abridged). */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunksOf,
  isClassName,
  parseRuns,
  remoteRunText,
  runLimitMs,
  runScript,
  runsText,
} from '../../../src/cluster/procedures/remote-run.ts';
import { type Reason, reasons } from '../../../src/cluster/procedures/run-outputs.ts';
import { repository, settingsFor } from '../../support.ts';

const settings = settingsFor();
const generation2 = settingsFor({ cfengine_generation: 2 });
const c1 = { name: 'c1', addresses: ['10.9.0.21', '10.9.1.21'] };
const c2 = { name: 'c2', addresses: [] };
const wish = { parallel: 4, timeoutSeconds: 600, classes: [] };
const recorded = join(repository, 'test/recorded/cf-runagent');
const record = (name: string): string => readFileSync(join(recorded, `${name}.txt`), 'utf8');

/** As the script prints it for the first host. */
const printed = (text: string, status = 0): string => {
  const pieces =
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,3000}/g) ?? [];
  return `${pieces.map((piece) => `out 0 ${piece}\n`).join('')}end 0 ${status} 1234\ndone\n`;
};
const read = (text: string, status = 0, of = settings) => parseRuns(printed(text, status), of, [c1])[0];

describe('what is typed for a host', () => {
  it('is the address for cf-runagent and the name for cfrun, with classes where the agent takes them', () => {
    expect(remoteRunText(settings, c1, wish)).toBe('/usr/bin/cf-runagent -H 10.9.0.21:5308 -t 600');
    expect(remoteRunText(settings, c2, { ...wish, classes: ['a', 'b'] })).toBe('/usr/bin/cf-runagent -H c2:5308 -t 600 -D a,b');
    expect(remoteRunText(generation2, c1, { ...wish, classes: ['a', 'b'] })).toBe(
      '/var/cfengine/bin/cfrun c1 -- --inform -Da -Db',
    );
    const elsewhere = settingsFor({ cfengine_generation: 2, cfengine_port: 5309 });
    expect(remoteRunText(elsewhere, { ...c1, name: 'access1' }, wish)).toBe('/var/cfengine/bin/cfrun 10.9.0.21:5309 -- --inform');
  });

  it.each([settings, generation2])('is in a script a POSIX shell takes, never on trust; generation $cfengineGeneration', (of) => {
    const script = runScript(of, [c1, c2], { ...wish, classes: ['a'] });
    expect(spawnSync('/bin/sh', ['-n'], { input: script, encoding: 'utf8' }).stderr).toBe('');
    expect(script).not.toMatch(/ -T\b| -i\b/);
    expect(script).toContain("'0 c1 10.9.0.21' '1 c2 -' | xargs -P 4 ");
  });

  it('has no name in it that a shell could take for something else', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const [run] = parseRuns('done\n', settings, [{ name, addresses: [] }]);
        const script = runScript(settings, [{ name, addresses: [] }], wish);
        return run?.reason === 'name' ? script.includes("printf '%s\\n'  |") : /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name);
      }),
    );
    expect(['urgent', '_a1'].every(isClassName) && !['', 'a b', '1a', 'a;b', '-a'].some(isClassName)).toBe(true);
  });

  it('is many at a time, in chunks whose answer can be held', () => {
    const hosts = Array.from({ length: 1000 }, (_, index) => index);
    expect(chunksOf(hosts, 16).map(({ length }) => length)).toEqual([...Array.from({ length: 15 }, () => 64), 40]);
    expect(chunksOf(hosts, 128)[0]).toHaveLength(128);
    expect(chunksOf([], 16)).toEqual([]);
    expect(chunksOf(hosts, 3).flat()).toEqual(hosts);
    expect(runLimitMs(64, { ...wish, parallel: 16 })).toBeGreaterThan(4 * 600_000);
  });
});

describe('what cf-runagent said', () => {
  it.each<[string, number, Reason]>([
    ['key-here', 255, 'key-here'],
    ['key-there', 255, 'key-there'],
    ['admission', 255, 'admission'],
    ['no-command', 255, 'admission'],
    ['connects', 255, 'connects'],
    ['role', 255, 'role'],
    ['class', 255, 'class'],
    ['connect', 255, 'connect'],
    ['no-address', 255, 'no-address'],
    ['silent-agent', 255, 'time'],
    ['failsafe', 0, 'failsafe'],
    ['status', 3, 'status'],
  ])('%s (%i) is %s', (name, status, reason) => {
    expect(read(record(name), status)).toMatchObject({ outcome: reasons[reason][0], reason });
  });

  it('a run with nothing to do, with changes, with errors of the agent', () => {
    expect(read(record('nothing'))).toEqual({
      host: 'c1',
      outcome: 'ran',
      reason: null,
      exitCode: 0,
      milliseconds: 1234,
      changes: [],
      errors: [],
      reports: [],
      cut: false,
    });
    expect(read(record('changes'))?.changes).toEqual([
      "Updated file '/var/lib/cfengine3/inputs/csync-lab-policy.txt' from 'csync.lab:/csync/dsau/masterfiles/csync-lab-policy.txt'",
    ]);
    expect(read(record('errors'))).toMatchObject({
      outcome: 'ran',
      errors: [
        "Can't stat file '/csync/dsau/masterfiles' on '10.9.0.100' in files.copy_from promise",
        expect.stringContaining('Errors encountered'),
      ],
    });
    expect(read(record('status'), 3)).toMatchObject({ exitCode: 3 });
  });

  it('no end within the limit is timed out, but an end is an end', () => {
    for (const status of [124, 137]) expect(read('10.9.0.21> -> begun\n', status)?.outcome).toBe('timed out');
    expect(read(record('nothing'), 124)?.outcome).toBe('ran');
  });

  it('every recorded output is read, cut short anywhere as well; then it never counts as run', () => {
    for (const name of readdirSync(recorded)) {
      const text = record(name.replace('.txt', ''));
      const whole = read(text);
      expect(whole?.reason, name).not.toBe('words');
      for (let length = 0; length < text.indexOf('(exit code'); length += 7)
        expect(read(text.slice(0, length))?.outcome, `${name} ${length}`).not.toBe('ran');
    }
  });
});

describe('what cfrun said [cfengine.md 1.11, 1.13]', () => {
  const head = 'cfrun(0):         .......... [ Hailing c1.lab ] ..........\n';
  const line = `${'- '.repeat(39)}-\n`;
  const failed = 'cfrun:m1.lab: Key-authentication for m1.lab failed\n';
  it.each<[string, Reason]>([
    ['cfrun:m1.lab: No response hailing c1.lab\nsocket: Connection refused\n', 'connect'],
    ["cfrun:m1.lab: Couldn't open a socket\ncfrun:m1.lab: socket: Connection refused\n", 'connect'],
    ['cfrun:m1.lab: Unable to lookup c1.lab (Name or service not known)\n', 'no-address'],
    [' Unspecified server refusal (see verbose server output)', 'admission'],
    [`cfrun:m1.lab: BAD: key could not be accepted on trust\n${failed}`, 'key-there'],
    [`cfrun:m1.lab: BAD: keys did not match\n${failed}`, 'key-there'],
    [`cfrun:m1.lab: BAD: Unspecified server refusal (see verbose server output)\n${failed}`, 'key-here'],
    [`cfrun:m1.lab: Challenge response from server c1.lab/10.9.0.21 was incorrect!\n${failed}`, 'key-here'],
    [`cfrun:m1.lab: BAD: Server is currently too busy -- increase MaxConnections or Splaytime?\n${failed}`, 'busy'],
    [`cfrun:m1.lab: Protocol transaction broken off\n${failed}`, 'connects'],
    ['', 'connects'],
    ['Hello m1.lab (10.9.0.11), nothing relevant to do here...\n', 'class'],
    ['Please reply yes or no...()\n'.repeat(1000), 'key-here'],
    [`\n${line}\ncfengine:c1: half of`, 'words'],
    ['something else\n', 'words'],
  ])('instead of an agent: %j is %s', (text, reason) => {
    expect(read(`${head}${text}`, 0, generation2)).toMatchObject({ outcome: reasons[reason][0], reason, changes: [] });
  });

  it('nothing: the host is not in its list', () => {
    expect(read('', 0, generation2)?.reason).toBe('not-listed');
  });

  const said = (...lines: readonly string[]) =>
    read(`${head}\n${line}\n${lines.map((text) => `${text}\n`).join('')}${line}\n`, 0, generation2);
  const began = 'cfservd Executing /var/cfengine/bin/cfagent --no-splay --inform --inform';
  const script = [
    'cfengine:c1: ',
    'Executing script /bin/sh /var/cfengine/inputs/csync_keys.sh members...(timeout=60,uid=-1,gid=-1)',
    'cfengine:c1: Finished script /bin/sh /var/cfengine/inputs/csync_keys.sh members',
  ];
  const file = '/var/cfengine/inputs/cfagent.conf';
  const master = 'csync.lab';
  const away = (server: string) => `cfengine:c1: Unable to establish connection with ${server} (failover)`;
  const refused = (server: string) => [`cfengine:c1: Authentication dialogue with ${server} failed`, away(server)];

  it('an agent that changed nothing: scripts, directories and what commands print are in every run', () => {
    const quiet = [
      ...script,
      'cfengine:c1:/bin/echo pol: policy v1',
      "cfengine:c1:/bin/echo pol: Can't open file",
      'cfengine:c1: Tidy directory /var/cfengine/outputs cannot be accessed',
    ];
    for (const lines of [[began], [began, ...quiet], quiet])
      expect(said(...lines)).toMatchObject({ outcome: 'ran', reason: null, changes: [], errors: [] });
  });

  it('an agent that changed files', () => {
    const changes = [
      `Copying from ${master}:/csync/dsau/cfengine_master/inputs/site.main`,
      `Updated image ${file} from master /csync/dsau/cfengine_master/inputs/cfagent.conf on ${master}`,
      'Deleting file /var/cfengine/inputs/x.cfsaved',
    ];
    expect(said(began, ...changes.map((text) => `cfengine:c1: ${text}`), ...script)).toMatchObject({
      outcome: 'ran',
      changes,
      errors: [],
    });
  });

  it.each<[string, readonly string[], Reason]>([
    [
      'a broken policy',
      [`cf:cfagent:${file}:3: Unknown command or name out of context`, `cf:cfagent:${file}:3: syntax error`],
      'syntax',
    ],
    ['the end of one', [`cfengine:c1:${file}:Execution terminated after parsing due to errors in program`], 'syntax'],
    [
      'a file that cannot be opened',
      ["cfengine:c1: Can't open file /var/cfengine/inputs/site.main", 'cfengine:c1: (CFINPUTS is set to <nothing>)'],
      'no-file',
    ],
    ['no policy', ['cfengine:c1:/var/cfengine/inputs/update.conf:39: Warning: actionsequence is empty ', ...script], 'no-policy'],
    ['a key that the master has not', ['cfengine:c1: BAD: key could not be accepted on trust', ...refused(master)], 'master-key'],
    ['another key of the master', [`cfengine:c1: Not authorized to trust the server`, ...refused(master)], 'master-key'],
    ['a refusal whose reason cfrun dropped', ['ine:c1: cfengine:c1: ', ...refused('10.9.0.100')], 'master-key'],
    ['a busy master', ['cfengine:c1: BAD: Server is currently too busy', ...refused(master)], 'master-busy'],
    ['no master', [away(master), ...script], 'master-away'],
    ['a wrong clock', ['cfengine:c1: BAD: Clocks are too far unsynchronized 1795000000/1795004000'], 'clock'],
    ['a connection that was closed', ['cfengine:c1: Received signal 13 (SIGPIPE) while doing [lock]'], 'cut-off'],
    ['no command', ['Exec request: no cfrunCommand defined'], 'admission'],
    ['other classes', ['Hello m1.lab (10.9.0.11), nothing relevant to do here...'], 'class'],
  ])('an agent that did not do its work: %s', (_, lines, reason) => {
    expect(said(began, ...lines)).toMatchObject({ outcome: reasons[reason][0], reason, changes: [] });
  });

  it('another server than the master is an error of its policy, and no failed run', () => {
    const errors = [
      'Authentication dialogue with mirror.lab failed',
      'Unable to establish connection with mirror.lab (failover)',
    ];
    expect(said(began, ...refused('mirror.lab'))).toMatchObject({ outcome: 'ran', changes: [], errors });
  });
});

describe('an answer of many', () => {
  const hosts = ['a', 'b', 'c', 'd'].map((name) => ({ name, addresses: [] }));
  it('is distinguished by its numbers, in any order; a host without a line is lost', () => {
    const out = (index: number, text: string) => `out ${index} ${Buffer.from(text).toString('base64')}`;
    const whole = record('nothing');
    const lines = [
      'skip 3 closed',
      out(1, whole.slice(0, 50)),
      out(0, whole),
      'cut 1',
      out(1, whole.slice(50)),
      'end 1 0 5',
      'end 0 0 7',
    ];
    const runs = parseRuns(lines.join('\n'), settings, hosts);
    expect(runs.map(({ host, outcome, reason, cut }) => [host, outcome, reason, cut])).toEqual([
      ['a', 'ran', null, false],
      ['b', 'ran', null, true],
      ['c', 'unclear', 'lost', false],
      ['d', 'unreachable', 'closed', false],
    ]);
  });

  it('of a long output has the begin and the end, with the status of the agent', () => {
    const long = record('nothing').replace(
      /^(\S+> ).*\(exit code/m,
      (_, head) => `${`${head}-> info: Copied file '/a'\n`.repeat(4000)}${head}(exit code`,
    );
    const bytes = Buffer.from(long);
    const read = (kept: number, last: number) =>
      parseRuns(
        [
          `out 0 ${bytes.subarray(0, kept).toString('base64')}`,
          `cut 0 ${bytes.subarray(Math.max(kept, bytes.length - last)).toString('base64')}`,
          'end 0 0 5',
        ].join('\n'),
        settings,
        hosts.slice(0, 1),
      )[0];
    expect(read(49_152, 2250)).toMatchObject({ outcome: 'ran', exitCode: 0, cut: true });
    // The end alone, from the begin of its line.
    const exitLine = long.lastIndexOf('\n', long.lastIndexOf('(exit code')) + 1;
    expect(read(Buffer.byteLength(long.slice(0, exitLine)), 2250)).toMatchObject({ outcome: 'ran', exitCode: 0, cut: true });
  });

  it('for any text, yields one word for each host', () => {
    const word = fc.constantFrom('out', 'end', 'skip', 'cut', 'done', 'constructor');
    const line = fc.tuple(word, fc.integer({ min: -1, max: 5 }), fc.string()).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom(settings, generation2), (lines, of) => {
        const runs = parseRuns(lines.join('\n'), of, hosts);
        expect(runs.map(({ host }) => host)).toEqual(['a', 'b', 'c', 'd']);
        for (const { outcome, reason } of runs) expect(reason === null).toBe(outcome === 'ran');
        expect(runsText(runs, 'm1')).toMatch(/^ran +\d of 4/);
      }),
    );
  });

  it('ends in counts, changes, and the fix for each kind of failure', () => {
    const answer = [
      `${printed(record('changes')).replace('done\n', '')}`,
      'skip 1 closed',
      'skip 2 closed',
      'skip 3 no-address',
    ].join('\n');
    expect(runsText(parseRuns(answer, settings, hosts), 'm1')).toBe(
      [
        'ran          1 of 4, 1 with changes',
        'unreachable  3',
        '',
        'changes:',
        "  a: Updated file '/var/lib/cfengine3/inputs/csync-lab-policy.txt' from 'csync.lab:/csync/dsau/masterfiles/csync-lab-policy.txt'",
        '',
        'unreachable: b c',
        '  no daemon listens on its port',
        '  Fix: on b: /usr/local/sbin/csync-cfservd start, or the init script',
        'unreachable: d',
        '  m1 cannot resolve its name',
        '  Fix: on m1: getent hosts d',
        '',
      ].join('\n'),
    );
  });
});
