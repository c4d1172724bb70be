/** `csync init` with small programs standing in for what it looks with, at a terminal and without one. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { settingsTable } from '../../../src/settings/table.ts';
import { checkedOutput } from '../../outputs.ts';
import { eventually, have, repository, scratchDirectory } from '../../support.ts';

const toolkit = join(repository, 'dist', 'csync.mjs');
const scratch = scratchDirectory();
const here = hostname().split('.')[0] ?? '';
const members = [here, 'm2', 'm3'];

/** What a member prints for the wizard's script. */
const lookOf = (address: string) =>
  [
    '== addresses',
    `2: eth0    inet ${address}/24 brd 10.7.0.255 scope global eth0\\       valid_lft forever`,
    '== end 0',
    '== volume groups',
    '  vg_csync|abc-1|',
    '== end 0',
  ].join('\n');

interface Site {
  /** Output of cmviewcl; without it there is no such program. */
  readonly cmviewcl?: string;
  /** Outputs of crm_mon and cibadmin, in the place of Serviceguard. */
  readonly pacemaker?: { readonly view: string; readonly configuration: string };
  /** name -> addresses, address -> names. */
  readonly names?: Readonly<Record<string, string>>;
  readonly looks?: Readonly<Record<string, string>>;
  readonly volumeGroups?: string;
}

const wholeView = ['name=prod', 'status=up', ...members.map((member) => `node:${member}|name=${member}`)].join('\n');
const wholeSite: Site = {
  cmviewcl: wholeView,
  names: { 'csync.example.com': '10.7.0.100', '10.7.0.100': 'csync.example.com' },
  looks: { m2: lookOf('10.7.0.12'), m3: lookOf('10.7.0.13') },
  volumeGroups: '  vg_csync|abc-1|',
};

/** A directory to work in, with the stand-ins of a site on PATH. */
function siteDirectory(site: Site): { directory: string; environment: Record<string, string> } {
  const directory = mkdtempSync(join(scratch, 'site-'));
  const bin = join(directory, '.bin');
  // Not on PATH: cmcluster.conf says where Serviceguard is.
  const sgsbin = join(bin, 'sg');
  mkdirSync(sgsbin, { recursive: true });
  const program = (name: string, lines: readonly string[]) => {
    writeFileSync(join(bin, name), ['#!/bin/sh', ...lines, ''].join('\n'));
    chmodSync(join(bin, name), 0o755);
  };
  const says = (text: string) => [`cat <<'END'\n${text}\nEND`];
  program('ip', says('2: eth0    inet 10.7.0.11/24 brd 10.7.0.255 scope global eth0\\       valid_lft forever'));
  program('vgs', says(site.volumeGroups ?? ''));
  program('lvs', says('  vg_csync|lv_csync|1.00g'));
  program('blkid', ['[ "$5" = /dev/vg_csync/lv_csync ] && echo xfs']);
  if (site.cmviewcl !== undefined) program('sg/cmviewcl', says(site.cmviewcl));
  for (const [word, answer] of Object.entries(site.names ?? {})) writeFileSync(join(bin, `name-${word}`), answer);
  program('getent', [
    `read -r answer < "${bin}/name-$2" 2>/dev/null || [ -n "$answer" ] || exit 2`,
    'case $1 in hosts) echo "$2 $answer" ;; *) for one in $answer; do echo "$one STREAM $2"; done ;; esac',
  ]);
  for (const [member, look] of Object.entries(site.looks ?? {})) writeFileSync(join(bin, `look-${member}`), look);
  program('ssh', [
    // The frame in which an answer has to be (src/host/admin/frame.ts).
    'while [ $# -gt 2 ]; do shift; done',
    `[ -e "${bin}/look-$1" ] || { echo "ssh: connect to host $1 port 22: No route to host" >&2; exit 255; }`,
    "mark=$(/bin/sed -n 's/^csync_mark=//p')",
    `printf '%s\\n' "$mark=begin=$mark"; /bin/sed "s/.*/$mark:&:$mark/" "${bin}/look-$1"; printf '\\n%s\\n' "$mark=0=$mark"`,
  ]);
  if (site.pacemaker === undefined)
    writeFileSync(join(bin, 'cmcluster.conf'), `SGCONF=/usr/local/cmcluster/conf # ours\nSGSBIN=${sgsbin}\n`);
  else {
    program('crm_mon', says(site.pacemaker.view));
    program('cibadmin', says(site.pacemaker.configuration));
    writeFileSync(join(bin, 'cib.xml'), '');
  }
  const files = { SGCONFFILE: join(bin, 'cmcluster.conf'), CIB_file: join(bin, 'cib.xml') };
  const environment = { PATH: bin, ...files, SHELL: '/bin/sh', TERM: 'dumb' };
  return { directory, environment };
}

/** That each output is what `csync schema` promises. */
const checks: Promise<string>[] = [];
afterAll(() => Promise.all(checks));

function init(site: Site, words: readonly string[], prepare: (directory: string) => void = () => {}) {
  const { directory, environment } = siteDirectory(site);
  prepare(directory);
  const ended = spawnSync(process.execPath, [toolkit, 'init', ...words], {
    cwd: directory,
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  checks.push(checkedOutput(['init', ...words], ended.stdout));
  return { ...ended, directory, written: readdirSync(directory).filter((name) => name !== '.bin') };
}

const cfengineSaid = [
  '--set',
  'cfengine_bin_directory=/usr/bin',
  '--set',
  'cfengine_work_directory=/var/lib/cfengine3',
  '--set',
  'cfengine_generation=3',
];

describe('csync init without a terminal', () => {
  it('writes a file that settings check takes, with a comment at every key, from facts and what was said', () => {
    const said = ['package_dns_name=csync.example.com', 'volume_group=vg_csync', 'logical_volume=lv_csync'];
    const made = init(wholeSite, [...said.flatMap((word) => ['--set', word]), ...cfengineSaid]);
    expect(made.stderr).toContain('cluster prod');
    expect(made.status, made.stderr).toBe(0);
    expect(made.written).toEqual(['csync.yaml']);
    const text = readFileSync(join(made.directory, 'csync.yaml'), 'utf8');
    expect(text).toContain(`members: ${JSON.stringify(members)}`);
    for (const line of ['package_address: "10.7.0.100"', 'package_subnet: "10.7.0.0"', 'file_system_type: "xfs"'])
      expect(text).toContain(`\n${line}\n`);
    const lines = text.split('\n');
    const uncommented = lines.filter((line, index) => /^\w+:/.test(line) && !lines[index - 1]?.startsWith('# '));
    expect(uncommented).toEqual([]);
    expect(lines.filter((line) => /^\w+:/.test(line))).toHaveLength(Object.keys(settingsTable).length);
    const checked = spawnSync(process.execPath, [toolkit, 'settings', 'check'], { cwd: made.directory, encoding: 'utf8' });
    expect(checked.status, checked.stderr).toBe(0);
    const digest = /digest (\w+)/.exec(checked.stdout)?.[1];
    expect(made.stdout).toContain(`Wrote csync.yaml (digest ${digest}).`);
    expect(made.stdout).toContain('csync apply --run');
  });

  it('finds a cluster of Pacemaker: engine, members and the group of a volume group', () => {
    const view = readFileSync(join(repository, 'test/recorded/pacemaker/crm_mon-serving.xml'), 'utf8').replaceAll(
      '"m1"',
      `"${here}"`,
    );
    const configuration =
      '<configuration><crm_config><cluster_property_set id="c"><nvpair id="c-n" name="cluster-name" value="prod"/></cluster_property_set></crm_config>' +
      '<resources><primitive id="other" class="ocf" provider="heartbeat" type="LVM-activate"><instance_attributes id="o"><nvpair id="o-v" name="vgname" value="vg_other"/></instance_attributes></primitive></resources></configuration>';
    const site: Site = { ...wholeSite, pacemaker: { view, configuration }, volumeGroups: '  vg_csync|abc-1|\n  vg_other|abc-2|' };
    const { cmviewcl: _, ...withoutServiceguard } = site;
    const made = init(withoutServiceguard, [
      '--yes',
      '--set',
      'package_address=10.7.0.100',
      '--set',
      'volume_group=vg_csync',
      ...cfengineSaid,
    ]);
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toMatch(new RegExp(`crm_mon +cluster prod: ${members.join(' ')}\n`));
    expect(made.stderr).not.toMatch(/Serviceguard|\bcm[a-z]+(cl|conf|pkg)\b/);
    const text = readFileSync(join(made.directory, 'csync.yaml'), 'utf8');
    for (const line of ['engine: "pacemaker"', 'package_directory: "/etc/csync"', 'script_log_file: "/var/log/csync.log"'])
      expect(text).toContain(`\n${line}\n`);
    expect(text).not.toMatch(/Serviceguard(?! or pacemaker)|SGCONF|\bcm[a-z]+(cl|conf|pkg)\b|log_level|package_style/);
    const checked = spawnSync(process.execPath, [toolkit, 'settings', 'check'], { cwd: made.directory, encoding: 'utf8' });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });

  it('decides nothing by itself: guesses are listed as missing, each with question, what was found and how to say it', () => {
    const made = init(wholeSite, cfengineSaid);
    expect([made.status, made.stdout, made.written]).toEqual([3, '', []]);
    const missing = [...made.stderr.matchAll(/error \[settings-missing\]\n {2}"(\w+)" is missing: \S.*\?/g)].map(
      (match) => match[1],
    );
    expect(missing).toEqual(['package_dns_name', 'package_address', 'package_subnet', 'volume_group', 'logical_volume']);
    expect(made.stderr).toContain('Found by vgs: vg_csync.');
    expect(made.stderr).toContain(
      '--set volume_group=vg_csync, or a line "volume_group: ..." in the file of --answers; --yes accepts',
    );
  });

  it('--yes takes every offer; what has none is still missing', () => {
    const made = init(wholeSite, ['--yes', '--set', 'package_address=10.7.0.100', '--json', ...cfengineSaid]);
    expect(made.status, made.stderr).toBe(0);
    const { settings, from } = JSON.parse(made.stdout) as { settings: Record<string, unknown>; from: Record<string, string> };
    expect(settings).toMatchObject({ packageDnsName: 'csync.example.com', volumeGroup: 'vg_csync', logicalVolume: 'lv_csync' });
    expect(from).toMatchObject({ members: 'cmviewcl', package_address: '--set', volume_group: 'vgs', mount_point: 'default' });
    const without = init(wholeSite, ['--yes']);
    expect(without.stderr.match(/is missing/g)).toHaveLength(3);
  });

  it('--set beats --answers, and --answers beats what was found', () => {
    const answers = 'members: [m2, m3]\nmount_point: /policy\npackage_dns_name: csync.example.com\n';
    const made = init(
      wholeSite,
      ['--yes', '--answers', 'mine.yaml', '--set', 'mount_point=/csync', '--set', 'auto_run=n', ...cfengineSaid],
      (directory) => writeFileSync(join(directory, 'mine.yaml'), answers),
    );
    expect(made.status, made.stderr).toBe(0);
    expect(made.written).toEqual(['csync.yaml', 'mine.yaml']);
    const text = readFileSync(join(made.directory, 'csync.yaml'), 'utf8');
    for (const line of ['members: ["m2","m3"]', 'mount_point: "/csync"', 'policy_directory: "/csync/dsau"', 'auto_run: false'])
      expect(text).toContain(`\n${line}\n`);
  });

  it('prints everything wrong with the answers at once: unknown keys with the nearest, values with their place', () => {
    const words = ['--answers', 'mine.yaml', '--set', 'package_addres=1', '--set', 'cfengine_port=none', '--set', 'auto_run'];
    const made = init(wholeSite, words, (directory) =>
      writeFileSync(join(directory, 'mine.yaml'), 'membrs: [m1]\nmount_point: /usr\n'),
    );
    expect(made.written).toEqual(['mine.yaml']);
    for (const expected of [
      /mine\.yaml:1:1\n.*"membrs" is not a setting\n.*did you mean members/,
      /mine\.yaml:2:\d+\n.*"\/usr", but that is a system directory/,
      /--set package_addres\n.*\n.*package_address/,
      /--set cfengine_port\n.*"none", but expected a whole number/,
      /--set auto_run has no value/,
    ])
      expect(made.stderr).toMatch(expected);
    expect(made.status).toBe(3);
  });

  it('prints each source that is missing in a line, and asks for it', () => {
    const made = init({}, []);
    expect(made.stderr).toMatch(/cmviewcl +cmviewcl is not installed here; csync will ask\n/);
    expect(made.stderr).toContain('"members" is missing');
    const deaf = init({ ...wholeSite, looks: {} }, []);
    expect(deaf.stderr).toMatch(/m3 +not checked: no connection: ssh: connect to host m3 port 22: No route to host\n/);
  });

  it('refuses a cross-subnet cluster, names where every member is, and what to make the master', () => {
    const subnets = [
      `node:${here}|subnet:10.7.0.0|name=10.7.0.0`,
      'node:m2|subnet:10.7.0.0|name=10.7.0.0',
      'node:m3|subnet:10.8.0.0|name=10.8.0.0',
    ];
    const view = [wholeView, ...subnets, 'quorum_server:qs1|name=qs1'].join('\n');
    const made = init({ ...wholeSite, cmviewcl: view }, ['--yes', '--set', 'package_address=10.7.0.100']);
    expect([made.status, made.stdout, made.written]).toEqual([4, '', []]);
    expect(made.stderr).toContain('[here-cross-subnet]');
    expect(made.stderr).toContain('m3 in 10.8.0.0');
    expect(made.stderr).toMatch(/external host as the master, preferably the quorum server's host, qs1/);
    const bySsh = init({ ...wholeSite, looks: { m2: lookOf('10.8.0.12') } }, ['--yes', '--json']);
    expect((JSON.parse(bySsh.stdout) as { problems: { code: string }[] }).problems[0]?.code).toBe('here-cross-subnet');
  });

  it.each([
    ['does not resolve', {}, 'settings-name-forward', 'csync.example.com does not resolve'],
    [
      'resolves elsewhere',
      { 'csync.example.com': '10.7.0.9' },
      'settings-name-forward',
      'resolves to 10.7.0.9, not to 10.7.0.100',
    ],
    ['has no way back', { 'csync.example.com': '10.7.0.100' }, 'settings-name-reverse', 'has no reverse entry'],
    [
      'has another way back',
      { 'csync.example.com': '10.7.0.100', '10.7.0.100': 'www.example.com' },
      'settings-name-reverse',
      'resolves to www.example.com, not to csync.example.com',
    ],
  ])('refuses a name that %s', (_what, names, code, text) => {
    const said = ['package_dns_name=csync.example.com', 'package_address=10.7.0.100'].flatMap((word) => ['--set', word]);
    const made = init({ ...wholeSite, names }, ['--yes', ...said, ...cfengineSaid]);
    expect([made.status, made.written]).toEqual([3, []]);
    expect(made.stderr).toContain(`[${code}] --set package_dns_name`);
    expect(made.stderr).toContain(text);
  });

  it('refuses an address that a member has for itself, and a subnet that a member is not in', () => {
    const names = { 'csync.example.com': '10.7.0.12', '10.7.0.12': 'csync.example.com' };
    const own = init({ ...wholeSite, names }, ['--yes', '--set', 'package_dns_name=csync.example.com', ...cfengineSaid]);
    expect([own.status, own.written]).toEqual([3, []]);
    expect(own.stderr).toContain("10.7.0.12 is already m2's own address");
    const subnet = ['--yes', '--set', 'package_dns_name=csync.example.com', '--set', 'package_subnet=10.9.0.0', ...cfengineSaid];
    const elsewhere = init(wholeSite, subnet);
    expect([elsewhere.status, elsewhere.written]).toEqual([3, []]);
    expect(elsewhere.stderr).toMatch(
      new RegExp(`${members.join(', ')} cannot take over the address.*10\\.9\\.0\\.0\\n.*\\(10\\.7\\.0\\.0\\)`),
    );
  });

  it('warns of members that lack what the settings name, or could not be checked, and writes all the same', () => {
    const made = init({ ...wholeSite, looks: { m2: lookOf('10.7.0.12') } }, [
      '--yes',
      '--set',
      'package_dns_name=csync.example.com',
      ...cfengineSaid,
    ]);
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/warning \[here-cfengine-missing\] member m2\n {2}no cfengine 3 in \/usr\/bin/);
    expect(made.stderr).toMatch(/warning \[here-member-unseen\] member m3\n {2}was not checked: no connection: ssh: connect/);
  });

  it('replaces no file without --force, and --dry-run prints the very file', () => {
    const words = ['--yes', '--set', 'package_dns_name=csync.example.com', ...cfengineSaid];
    const mine = (directory: string) => writeFileSync(join(directory, 'csync.yaml'), 'mine\n');
    const refused = init(wholeSite, words, mine);
    expect([refused.status, readFileSync(join(refused.directory, 'csync.yaml'), 'utf8')]).toEqual([4, 'mine\n']);
    expect(refused.stderr).toContain('--force');
    const dry = init(wholeSite, [...words, '--dry-run'], mine);
    expect([dry.status, readFileSync(join(dry.directory, 'csync.yaml'), 'utf8')]).toEqual([0, 'mine\n']);
    const forced = init(wholeSite, [...words, '--force'], mine);
    expect(forced.status).toBe(0);
    expect(readFileSync(join(forced.directory, 'csync.yaml'), 'utf8')).toBe(dry.stdout);
    expect(forced.written).toEqual(['csync.yaml']);
  });
});

describe('csync init, interrupted while it looks', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s: 130, nothing written, nothing left running', async (signal) => {
    const { directory, environment } = siteDirectory(wholeSite);
    const ssh = join(directory, '.bin/ssh');
    // A member that never answers.
    writeFileSync(
      ssh,
      '#!/bin/sh\necho $$ > "${0%/*}/stuck.part"\nmv "${0%/*}/stuck.part" "${0%/*}/stuck"\nexec /bin/sleep 1000\n',
    );
    const child = spawn(process.execPath, [toolkit, 'init', '--yes'], {
      cwd: directory,
      env: { ...environment, PATH: `${environment.PATH}:/usr/bin:/bin` },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const stuck = await eventually('the wizard to look over ssh', () => {
      const { stdout } = spawnSync('cat', [join(directory, '.bin/stuck')], { encoding: 'utf8' });
      return stdout === '' ? null : Number(stdout);
    });
    const before = performance.now();
    child.kill(signal);
    expect(await ended).toBe(130);
    expect(performance.now() - before, 'it waited for what it looked with').toBeLessThan(4000);
    expect(said).toContain('nothing was written');
    expect(readdirSync(directory)).toEqual(['.bin']);
    await eventually('what looked to be gone', () => {
      const stat = spawnSync('cat', [`/proc/${stuck}/stat`], { encoding: 'utf8' }).stdout;
      return stat === '' || / [ZX] /.test(stat);
    });
  });
});

interface Dialogue {
  readonly status: number | null;
  /** What the terminal showed, without control sequences. */
  readonly shown: string;
  readonly written: readonly string[];
  readonly text: string | null;
}

/** Runs it at a pseudo terminal. Each answer is typed when its question shows, behind the previous one. */
async function dialogue(
  site: Site,
  turns: readonly (readonly [question: string, typed: string, meanwhile?: (directory: string) => void])[],
  program = [toolkit, 'init'],
  words: readonly string[] = [],
): Promise<Dialogue> {
  const { directory, environment } = siteDirectory(site);
  const command = `echo $$ > .bin/pid; exec ${[process.execPath, ...program, ...words].map((word) => `'${word}'`).join(' ')}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: directory,
    env: { ...environment, PATH: `${environment.PATH}:/usr/bin:/bin` },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let shown = '';
  let from = 0;
  const rest = [...turns];
  child.stdout.on('data', (chunk: Buffer) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences of terminals
    shown = `${shown}${chunk.toString()}`.replace(/\x1b\[[0-9;?]*[A-Za-z]|\r/g, '');
    for (let [turn] = rest; turn !== undefined && shown.indexOf(turn[0], from) >= 0; [turn] = rest) {
      from = shown.indexOf(turn[0], from) + turn[0].length;
      rest.shift();
      turn[2]?.(directory);
      child.stdin.write(turn[1]);
    }
  });
  // A question that never comes must end the dialogue, and name the question.
  const limit = setTimeout(() => child.kill('SIGHUP'), 50_000);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  expect(
    rest.map(([question]) => question),
    shown,
  ).toEqual([]);
  const written = readdirSync(directory).filter((name) => name !== '.bin');
  return {
    status,
    shown,
    written,
    text: written.includes('csync.yaml') ? readFileSync(join(directory, 'csync.yaml'), 'utf8') : null,
  };
}

const enter = '\r';
const untilVolumes = [
  ['Name of the package? [csync]: ', enter],
  [`the preferred one first? [${members.join(' ')}]: `, `m2, ${here}${enter}`],
  ['Registered DNS name of that address? []: ', `csync.example.com${enter}`],
  ['Relocatable address of the package? [10.7.0.100]: ', enter],
  ['Subnet of the address? [10.7.0.0]: ', enter],
] as const;
const untilCfengine = [
  ...untilVolumes,
  ['Volume group of the policy file system? [vg_csync]: ', enter],
  ['Logical volume on it? [lv_csync]: ', enter],
  ['Type of the file system? [xfs]: ', enter],
  ['Mount point? [/csync]: ', enter],
  ['daemon serves? [/csync/dsau]: ', enter],
] as const;
const untilOthers = [
  ...untilCfengine,
  ['Which generation of cfengine, 2 or 3? [', `3${enter}`],
  ["Directory of cfengine's programs? [", `/usr/bin${enter}`],
  ["cfengine's work directory? [", `/var/lib/cfengine3${enter}`],
  ['Path of the Node.js binary on the members? [', `/usr/bin/node${enter}`],
  ['Path of the csync program on the members? [', enter],
] as const;

describe.skipIf(!have('script'))('csync init at a terminal', () => {
  it('asks in the style of DSAU, offers what it found, sums up and writes', async () => {
    const ended = await dialogue(wholeSite, [
      ...untilOthers,
      ['Do you want to answer the other 38 settings, too? (y/n) [n]: ', enter],
      ['Do you want to continue? (y/n) [y]: ', enter],
    ]);
    expect(ended.status, ended.shown).toBe(0);
    expect(ended.text).toContain(`members: ["m2","${here}"]`);
    expect(ended.shown).toMatch(/The settings:\n[\s\S]*package_dns_name +csync\.example\.com +\(you\)\n/);
    expect(ended.shown).toContain('Wrote csync.yaml');
  });

  it('goes through all settings when wanted, and checks each answer at once', async () => {
    const ended = await dialogue(
      wholeSite,
      [
        ...untilOthers,
        ['(y/n) [n]: ', `maybe${enter}`],
        ['Answer y or n.', ''],
        ['(y/n) [n]: ', `y${enter}`],
        ['Description of the package? [cfengine master]: ', `the "master"${enter}`],
        ['double quotes', ''],
        ['Description of the package? [cfengine master]: ', `the master${enter}`],
        ['Mount options? [-o rw]: ', enter],
        ['Port of the daemon? [5308]: ', `70000${enter}`],
        ['expected a whole number from 1 to 65535', ''],
        ['Port of the daemon? [5308]: ', `5309${enter}`],
        ['Seconds between probes of the package address? [30]: ', `2${enter}`],
        ['Time limit of one probe, in seconds? [3]: ', `3${enter}`],
        ['set a longer monitor_interval_seconds', ''],
        ['Time limit of one probe, in seconds? [3]: ', `1${enter}`],
        ['Start and fail over automatically? (y/n) [y]: ', `n${enter}`],
        ['Do you want to continue? (y/n) [y]: ', enter],
      ],
      [toolkit, 'init'],
      [
        ...['monitor_process_interval_ms=200', 'monitor_failures=2', 'monitor_unknown_limit_seconds=120'],
        ...[
          'monitor_owner=off',
          'maintenance_flag=yes',
          'halt_grace_seconds=5',
          'run_script_timeout_seconds=120',
          'halt_script_timeout_seconds=120',
        ],
        ...['service_halt_timeout_seconds=10', 'service_restart=none', 'service_fail_fast=no', 'node_fail_fast=no'],
        ...['failover_policy=configured_node', 'failback_policy=manual', 'package_priority=no_priority'],
        ...[
          'client_networks=10.9.0.0/24',
          'script_log_file=/var/log/csync.log',
          'log_level=0',
          'package_directory=/etc/csync',
          'package_style=modular',
          'ssh_user=none',
          'become=none',
          'alert_directory=off',
          'alert_timeout_seconds=30',
          'alert_repeat_hours=24',
        ],
        ...[
          'monitor_port=off',
          'monitor_storage=every 9 s, limit 3 s, 2 in a row, warn',
          'monitor_content=off',
          'monitor_address=off',
          'monitor_local_restart=once in 60 min',
          'monitor_metrics_file=off',
          'monitor_metrics_listen=127.0.0.1:9308',
        ],
      ].flatMap((word) => ['--set', word]),
    );
    expect(ended.status, ended.shown).toBe(0);
    for (const line of [
      'package_description: "the master"',
      'cfengine_port: 5309',
      'monitor_timeout_seconds: 1',
      'monitor_storage: "every 9 s, limit 3 s, 2 in a row, warn"',
      'auto_run: false',
    ])
      expect(ended.text).toContain(`\n${line}\n`);
  });

  it('a name without a way back is asked for again, and taken once it has been registered', async () => {
    const names = { 'csync.example.com': '10.7.0.100' };
    const ended = await dialogue({ ...wholeSite, names }, [
      ...untilVolumes.slice(0, 3),
      ['Relocatable address of the package? [10.7.0.100]: ', enter],
      [
        'register the reverse (PTR) of 10.7.0.100',
        '',
        (directory) => writeFileSync(join(directory, '.bin', 'name-10.7.0.100'), 'csync.example.com'),
      ],
      ['Registered DNS name of that address? [csync.example.com]: ', enter],
      ['Relocatable address of the package? [10.7.0.100]: ', enter],
      ['Subnet of the address? [10.7.0.0]: ', '\x04'],
    ]);
    expect([ended.status, ended.written]).toEqual([130, []]);
  });

  it('an option that contradicts what is found is printed with the first question, and asked about', async () => {
    const turns = [
      ['Name of the package? [csync]: ', enter],
      ['www.example.com does not resolve', ''],
      ['Registered DNS name of that address? [www.example.com]: ', `csync.example.com${enter}`],
      untilVolumes[1],
      ['Relocatable address of the package? [10.7.0.100]: ', '\x04'],
    ] as const;
    const ended = await dialogue(wholeSite, turns, undefined, ['--set', 'package_dns_name=www.example.com']);
    expect([ended.status, ended.written]).toEqual([130, []]);
  });

  it.each([
    ['Ctrl-C', '\x03'],
    ['the end of input', '\x04'],
  ])('%s at a question: 130, nothing written', async (_what, typed) => {
    const ended = await dialogue(wholeSite, [...untilVolumes, ['Volume group of the policy file system? [vg_csync]: ', typed]]);
    expect([ended.status, ended.written]).toEqual([130, []]);
    expect(ended.shown).toContain('nothing was written');
  });

  it('SIGTERM at a question: 130, nothing written', async () => {
    const end = (directory: string) => void process.kill(Number(readFileSync(join(directory, '.bin/pid'), 'utf8')), 'SIGTERM');
    const ended = await dialogue(wholeSite, [['Name of the package? [csync]: ', '', end]]);
    expect([ended.status, ended.written]).toEqual([130, []]);
  });

  it('no at the end: 1, nothing written', async () => {
    const ended = await dialogue(wholeSite, [
      ...untilOthers,
      ['(y/n) [n]: ', enter],
      ['Do you want to continue? (y/n) [y]: ', `n${enter}`],
    ]);
    expect([ended.status, ended.written]).toEqual([1, []]);
  });

  it('answers typed ahead are taken in their order', async () => {
    const ended = await dialogue(wholeSite, [['Name of the package? [csync]: ', `\r\rcsync.example.com\r\r\r\x04`]]);
    expect(ended.shown).toContain('Volume group of the policy file system? [vg_csync]: ');
    expect([ended.status, ended.written]).toEqual([130, []]);
  });

  it('answers to its old name, also through a link as npm installs it', async () => {
    const link = join(mkdtempSync(join(scratch, 'link-')), 'csync_wizard');
    symlinkSync(join(repository, 'dist/csync_wizard.mjs'), link);
    for (const program of [[join(repository, 'dist/csync_wizard.mjs')], [link]]) {
      const ended = await dialogue(wholeSite, [['Name of the package? [csync]: ', '\x04']], program);
      expect(ended.status, ended.shown).toBe(130);
    }
  });
});
