/**
 * The legacy package in the lab: the compiled control script under RUN_SCRIPT and HALT_SCRIPT, with real mounts and addresses;
 * the same events as a modular package sees; the verbs; and the way from one to the other.
 */
import { describe, expect, it } from 'vitest';
import type { LabHandle } from '../../../src/lab/handle.ts';
import type { PackageDrills } from '../../../src/lab/trials/package-drills.ts';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';
import { auditFailover } from '../failover/failover-audit.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const log = '/usr/local/cmcluster/run/log/csync.log';

interface Used {
  readonly lab: LabHandle;
  readonly drills: PackageDrills;
}

/** What can be seen from outside once the package has come to rest. */
async function observe({ lab, drills }: Used) {
  const { status, state, owner, autoRun, switching } = await drills.view();
  const { hosts } = await lab.status();
  const where = (has: (host: (typeof hosts)[number]) => boolean) => hosts.filter(has).map(({ name }) => name);
  return {
    ...{ status, state, owner, autoRun, switching: Object.fromEntries(switching) },
    mounted: where((host) => host.mounted),
    address: where((host) => host.packageAddress),
    up: where((host) => host.up),
  };
}

/** Events and what has to be waited for; where the package goes is for the cluster to say, and the same in both styles. */
const schedule: readonly (readonly [
  what: string,
  happens: (used: Used) => Promise<unknown>,
  rest: 'up' | 'down',
  left?: string,
])[] = [
  ['it is started', ({ drills }) => drills.deploy(), 'up'],
  ['the daemon of m1 is killed', ({ drills }) => drills.killDaemon('m1'), 'up', 'm1'],
  ['m1 is switched on again', ({ drills }) => drills.type('m1', ['cmmodpkg', '-e', '-n', 'm1', 'csync']), 'up'],
  ['m2 is halted', ({ drills }) => drills.type('m2', ['cmhaltnode', '-f', 'm2']), 'up', 'm2'],
  ['m2 joins', ({ drills }) => drills.type('m2', ['cmrunnode', 'm2']), 'up'],
  [
    'something is mounted at the mount point of m2, and m1 crashes',
    async ({ lab }) => {
      await lab.exec('m2', ['mount', '-t', 'tmpfs', 'none', '/csync']);
      await lab.ask({ verb: 'crash', member: 'm1' });
    },
    'up',
    'm1',
  ],
  [
    'm1 boots, m2 is repaired',
    async ({ lab, drills }) => {
      await lab.ask({ verb: 'boot', member: 'm1' });
      await lab.exec('m2', ['umount', '/csync']);
      await drills.type('m2', ['cmmodpkg', '-e', '-n', 'm2', 'csync']);
    },
    'up',
  ],
  [
    'somebody sits on the file system, and the package is halted',
    async ({ lab, drills }) => {
      await lab.exec('m3', ['sh', '-c', 'cd /csync && setsid sleep 600 >/dev/null 2>&1 </dev/null &']);
      await drills.type('m1', ['cmhaltpkg', 'csync']);
    },
    'down',
  ],
  ['it is run on m2', ({ drills }) => drills.type('m1', ['cmrunpkg', '-n', 'm2', 'csync']), 'up'],
  ['and enabled', ({ drills }) => drills.type('m1', ['cmmodpkg', '-e', 'csync']), 'up'],
  ['the cable of m2 is pulled', ({ lab }) => lab.ask({ verb: 'cut', member: 'm2' }), 'up', 'm2'],
  ['the cable is back', ({ lab }) => lab.ask({ verb: 'heal', member: 'm2' }), 'up'],
  [
    'no member has a program of cfengine to start with',
    async ({ lab, drills }) => {
      for (const member of ['m1', 'm2', 'm3']) await lab.exec(member, ['mv', '/usr/bin/cf-agent', '/usr/bin/cf-agent.away']);
      await drills.type('m1', ['cmhaltpkg', 'csync']);
      await lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    },
    'down',
  ],
  [
    'they are back, and all is switched on',
    async ({ lab, drills }) => {
      for (const member of ['m1', 'm2', 'm3']) await lab.exec(member, ['mv', '/usr/bin/cf-agent.away', '/usr/bin/cf-agent']);
      for (const member of ['m1', 'm2', 'm3']) await drills.type('m1', ['cmmodpkg', '-e', '-n', member, 'csync']);
    },
    'up',
  ],
];

type Observed = Awaited<ReturnType<typeof observe>>;

/** The first five move it away and back; all of them in npm run every-step. */
const played = everyStep ? schedule : schedule.slice(0, 5);

async function playOut(used: Used): Promise<(readonly [string, Observed])[]> {
  const seen: (readonly [string, Observed])[] = [];
  for (const [what, happens, rest, left] of played) {
    await happens(used);
    const settled = await eventually(
      `the package to come to rest (${rest}): ${what}`,
      async () => {
        const now = await observe(used);
        const here = now.owner === null ? '' : now.owner;
        const asWanted = now.status === rest && (rest === 'down' ? now.state !== 'halting' : now.state === 'running');
        // A probe of the machines may be a moment behind the cluster.
        return asWanted && here !== left && now.mounted.join() === here && now.address.join() === here ? now : null;
      },
      40_000,
    );
    seen.push([what, settled]);
  }
  return seen;
}

const ofModular: (readonly [string, Observed])[] = [];

describe.skipIf(whyNoLab !== null)('a modular package in the lab', { timeout: 300_000 }, () => {
  const used = useLab('legacy-twin', { deployed: false, watched: false });

  it('goes through a schedule of events', async () => {
    ofModular.push(...(await playOut(used)));
    expect(new Set(ofModular.map(([, { owner }]) => owner))).toEqual(
      new Set(everyStep ? ['m1', 'm2', 'm3', null] : ['m1', 'm2']),
    );
  });
});

describe.skipIf(whyNoLab !== null)('a legacy package in the lab', { timeout: 300_000 }, () => {
  const used = useLab('legacy', { deployed: false, watched: false, changes: { packageStyle: 'legacy' } });
  const { sh, csync } = typedIn(used);
  const cm = async (command: string, member = 'm1') => {
    const done = await sh(member, command);
    expect(done.exitCode, `${command}: ${done.stdout}${done.stderr}`).toBe(0);
    return done.stdout;
  };

  const good = async (words: string, member = 'm1') => {
    const done = await csync(words, member);
    expect(done.exitCode, `${words}: ${done.stdout}${done.stderr}`).toBe(0);
    return done.stdout + done.stderr;
  };
  const yaml = async () => cm('cat /root/csync.yaml');

  it('is to every observer what a modular one is, event by event', async () => {
    const seen = await playOut(used);
    expect(ofModular).toHaveLength(played.length);
    for (const [index, [what, observed]] of seen.entries()) expect([what, observed]).toEqual(ofModular[index]);
  });

  it('is a running package whose log has the lines of the template', async () => {
    await cm('cmhaltpkg csync; : > LOG; cmrunpkg -n m1 csync && cmmodpkg -e csync'.replace('LOG', log));
    expect(await used.drills.waitServed()).toBe('m1');
    await used.drills.publishAndFetch();
    expect(await used.drills.invariants()).toEqual([]);
    expect(await cm('cmviewcl -v -f line -p csync')).toContain('style=legacy');
    const said = await cm(`cat ${log}`);
    for (const line of [
      /^\t#{11} Node "m1": Starting package at \w{3} \w{3} [ \d]\d [\d:]{8} \w+ \d{4} #{11}$/m,
      /^\w{3} [ \d]\d [\d:]{8} - Node "m1": Activating volume group vg_csync with exclusive option\.$/m,
      /^\w{3} [ \d]\d [\d:]{8} - Node "m1": Checking filesystems:\n {3}\/dev\/vg_csync\/lv_csync$/m,
      /^\w{3} [ \d]\d [\d:]{8} - Node "m1": Mounting \/dev\/vg_csync\/lv_csync at \/csync$/m,
      /^\w{3} [ \d]\d [\d:]{8} - Node "m1": Adding IP address 10\.9\.0\.100 to subnet 10\.9\.0\.0$/m,
      /^\w{3} [ \d]\d [\d:]{8} - Node "m1": Starting service csync_monitor using\n {3}"\/usr\/local\/cmcluster\/conf\/csync\/sets\/[0-9a-f]{16}\/csync_control\.sh monitor"$/m,
      /^\t#{11} Node "m1": Package start completed at .* #{11}$/m,
    ])
      expect(said).toMatch(line);
  });

  it('the commands of control scripts refuse what they have to refuse', async () => {
    for (const [command, why] of [
      ['cmrunserv csync_monitor "/bin/sleep 9"', 'no script of package csync runs'],
      ['cmhaltserv csync_monitor', 'no script of package csync runs'],
      ['cmrunserv unknown "/bin/sleep 9"', 'no package on m1 is configured with the service unknown'],
      ['cmmodnet -a -i 10.8.0.5 10.8.0.0', 'not a subnet of this cluster'],
    ] as const) {
      const refused = await sh('m1', command);
      expect([refused.exitCode, refused.stderr], command).toEqual([1, expect.stringContaining(why)]);
    }
    // Reads back as it was written, and is taken again.
    const back = await cm('cmgetconf -p csync /tmp/back.conf && cat /tmp/back.conf && cmcheckconf -P /tmp/back.conf');
    expect(back).toMatch(/^RUN_SCRIPT +\/usr\/local\/cmcluster\/conf\/csync\/sets\/[0-9a-f]{16}\/csync_control\.sh$/m);
  });

  it('csync apply, diff, check, status and maintenance work on it', async () => {
    await good('apply --yes');
    expect(await good('apply --yes')).toContain('up to date; nothing to do.');
    expect(await good('diff')).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
    expect(await good('check')).toContain('0 errors');
    expect(await good('status')).toContain('csync serves from m');
    await cm("sed -i 's/^monitor_failures:.*/monitor_failures: 4/' /root/csync.yaml");
    // Its set stands in the path of its control script, which a package that runs keeps.
    expect((await csync('apply --yes')).stderr).toMatch(/change-needs-halt\][\s\S]*run_script /);
    const changed = await good('apply --yes --halt');
    const call = /on (m\d): \$SGCONF\/csync\/sets\/[0-9a-f]{16}\/csync_control\.sh validate/g;
    expect(new Set([...changed.matchAll(call)].map(([, member]) => member))).toEqual(new Set(['m1', 'm2', 'm3']));
    expect(changed).toMatch(/in one script: cmhaltpkg csync; cmapplyconf .*; cmrunpkg -n m1 csync; cmmodpkg -e csync/);
    await auditFailover(used, 'a legacy package after an apply');
    await cm('cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
    // What only the member itself knows is found although Serviceguard calls no script of a legacy package.
    await cm('mv /usr/bin/cf-agent /usr/bin/cf-agent.away', 'm3');
    const checked = await csync('check');
    expect([checked.exitCode, checked.stdout]).toEqual([
      1,
      expect.stringMatching(/check-validate\] member m3[\s\S]*cf-agent cannot be executed/),
    ]);
    await cm("sed -i 's/^monitor_failures:.*/monitor_failures: 5/' /root/csync.yaml");
    const refused = await csync('apply --yes --halt');
    expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringMatching(/change-validate\] member m3/)]);
    expect(await used.drills.view(), 'nothing was halted for it').toMatchObject({ owner: 'm1', status: 'up' });
    await auditFailover(used, 'a legacy package after an apply that its own validate refused');
    await cm('mv /usr/bin/cf-agent.away /usr/bin/cf-agent', 'm3');
    await good('apply --yes --halt');
    await cm('cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
    expect((await csync('maintenance on --serviceguard --yes')).stderr).toContain('legacy package');
    await good('maintenance on --yes');
    await good('maintenance off --yes');
    expect((await csync('conform')).exitCode).toBe(4);
  });

  it('customer-defined is called with run behind the promotion and with halt before it is given up', async () => {
    const hook = `printf '#!/bin/sh\\necho "$1 $(ls /csync/dsau | grep -c sentinel) $SG_PACKAGE" >> /tmp/hook\\n' > ${directory}/customer-defined && chmod 755 ${directory}/customer-defined`;
    await cm(hook);
    await cm('cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
    expect(await cm('cat /tmp/hook')).toBe('halt 1 csync\nrun 1 csync\n');
    await cm(`printf '#!/bin/sh\\nexit 1\\n' > ${directory}/customer-defined`);
    await cm('cmhaltpkg csync || :');
    expect((await sh('m1', 'cmrunpkg -n m1 csync')).exitCode).toBe(1);
    expect(await observe(used)).toMatchObject({ status: 'down', autoRun: false, mounted: [], address: [] });
    await cm(`rm ${directory}/customer-defined; cmmodpkg -e csync`);
    await used.drills.waitServed();
  });

  it('csync migrate shows its steps: check, one halt, apply, run', async () => {
    const dry = await good('migrate legacy-to-modular --dry-run');
    const order = [
      'distribute to m3: .csync-migration.json',
      'cmcheckconf',
      'cmhaltpkg csync',
      'cmapplyconf',
      'cmrunpkg -n m1 csync',
    ];
    expect(order.map((step) => dry.indexOf(step)).every((at, index, all) => at > (all[index - 1] ?? 0))).toBe(true);
    expect(dry.match(/cmhaltpkg/g)).toHaveLength(1);
    expect(dry).toMatch(/here: csync\.yaml line \d+: package_style: modular/);
    expect((await csync('migrate legacy-to-modular </dev/null')).exitCode, 'without a terminal nothing is done').toBe(2);
    await cm("cp /root/csync.yaml /root/kept.yaml; sed -i 's/^monitor_failures:.*/monitor_failures: 9/' /root/csync.yaml");
    expect((await csync('migrate legacy-to-modular --yes')).stderr).toContain('change-pending');
    await cm('mv /root/kept.yaml /root/csync.yaml');
    // Refused when the modular set is there already.
    await cm("echo '/dev/vg_csync/lv_csync /csync ext4 defaults 0 2' >> /etc/fstab", 'm3');
    expect((await csync('migrate legacy-to-modular --yes')).stderr).toContain('/etc/fstab mounts');
    await cm("sed -i '/lv_csync/d' /etc/fstab", 'm3');
    expect(await cm('cmviewcl -v -f line -p csync')).toContain('style=legacy');
    await auditFailover(used, 'after a migration that was refused');
    await cm('cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
    expect((await used.drills.view()).owner).toBe('m1');
  });

  it('csync migrate moves a running package over with one halt; the daemon, the switches and the comments stay', async () => {
    await cm('cmmodpkg -d -n m3 csync');
    const [before, daemon, settings, mark] = [
      await observe(used),
      await cm('pgrep -x cf-serverd'),
      await yaml(),
      used.drills.entries.length,
    ];
    await good('migrate legacy-to-modular --yes');
    await used.drills.waitServed();
    expect(await observe(used)).toEqual(before);
    expect(await cm('pgrep -x cf-serverd')).toBe(daemon);
    const halts = used.drills.entries.slice(mark).filter(({ what, text }) => what === 'halting' && text.includes('csync'));
    expect(halts).toHaveLength(1);
    expect(await cm('cmviewcl -v -f line -p csync')).toContain('style=modular');
    expect(await yaml()).toBe(settings.replace(/^package_style: .*$/m, 'package_style: modular'));
    expect(await good('diff')).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
    for (const member of ['m1', 'm2', 'm3'])
      expect(await cm(`ls -A ${directory}`, member)).not.toMatch(/csync_control|csync-migration/);
    expect(await good('migrate legacy-to-modular --yes')).toContain('nothing to do');
    await cm('cmmodpkg -e -n m3 csync');
    await used.drills.publishAndFetch();
    expect(await used.drills.invariants()).toEqual([]);
    await used.drills.failOver('kill');
    await used.drills.repair('kill', 'm1');
  });

  everyStepIt('killed at any of its steps, the same migrate again finishes: it runs where it ran, with its switch', async () => {
    const steps = [
      ...['distribute to m2: .csync-migration.json c', 'on .*: cmcheckconf', 'on .*, in one script: cmhaltpkg', 'verify every'],
      'on m2: remove',
    ];
    for (const step of steps) {
      await cm("sed -i 's/^package_style:.*/package_style: legacy/' /root/csync.yaml");
      await good('apply --yes --halt');
      const before = await observe(used);
      expect(before, step).toMatchObject({ status: 'up', autoRun: true });
      // What was under way on the member itself ends first: a script that writes, a command of Serviceguard's.
      const kill = `until grep -qE "^${step}" /tmp/migrate.log; do kill -0 $p || exit 1; done; kill -KILL -$p; while pgrep -f 'bin/cm[acrhm]' >/dev/null; do :; done; flock ${directory}/.csync-lock true`;
      const command = 'setsid node /opt/csync/csync.mjs migrate legacy-to-modular --yes >/tmp/migrate.log 2>&1';
      const killed = await sh('m1', `cd /root; : > /tmp/migrate.log; ${command} & p=$!; ${kill}`);
      expect(killed.exitCode, `${step}: ${await cm('cat /tmp/migrate.log')}`).toBe(0);
      await good('migrate legacy-to-modular --yes');
      await used.drills.waitServed();
      expect(await observe(used), step).toEqual(before);
      expect(await cm('cmviewcl -v -f line -p csync'), step).toContain('style=modular');
      expect((await csync('diff')).exitCode, step).toBe(0);
      expect(await cm(`ls -A ${directory}`, 'm2'), step).not.toMatch(/csync_control|csync-migration/);
    }
  });

  everyStepIt('a halted package is migrated and stays halted', async () => {
    await cm("sed -i 's/^package_style:.*/package_style: legacy/' /root/csync.yaml");
    await good('apply --yes --halt');
    await cm('cmhaltpkg csync');
    expect(await good('migrate legacy-to-modular --yes')).not.toMatch(/cmrunpkg|cmhaltpkg/);
    expect(await observe(used)).toMatchObject({ status: 'down', autoRun: false, mounted: [] });
    await cm('cmmodpkg -e csync');
    await used.drills.waitServed();
  });
});
