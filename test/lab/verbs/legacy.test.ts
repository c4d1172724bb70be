/**
 * The legacy package in the lab: the compiled control script under RUN_SCRIPT and HALT_SCRIPT, with real mounts and addresses;
 * the same events as a modular package sees; the verbs; and the way from one to the other.
 */
import { describe, expect, it } from 'vitest';
import type { LabHandle } from '../../../src/lab/handle.ts';
import type { PackageDrills } from '../../../src/lab/trials/package-drills.ts';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { codesIn, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';
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
  ['it is started', ({ drills }) => drills.deploy({ checked: false }), 'up'],
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
    'a process uses the file system, and the package is halted',
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

describe.skipIf(whyNoLab !== null)('a legacy package beside a modular one', { timeout: 300_000 }, () => {
  const modular = useLab('legacy-twin', { deployed: false, watched: false });
  const legacy = useLab('legacy-events', { deployed: false, watched: false, changes: { packageStyle: 'legacy' } });

  it('is to every observer what a modular one is, event by event', async () => {
    const [ofModular, ofLegacy] = await Promise.all([playOut(modular), playOut(legacy)]);
    const owners = everyStep ? ['m1', 'm2', 'm3', null] : ['m1', 'm2'];
    expect(new Set(ofModular.map(([, { owner }]) => owner))).toEqual(new Set(owners));
    expect(ofModular).toHaveLength(played.length);
    for (const [index, one] of ofLegacy.entries()) expect(one).toEqual(ofModular[index]);
  });
});

describe.skipIf(whyNoLab !== null)('a legacy package in the lab', { timeout: 300_000 }, () => {
  const used = useLab('legacy', { deployed: true, watched: false, changes: { packageStyle: 'legacy' } });
  const { sh, must, csync, json, done, broken } = typedIn(used);
  const cm = (command: string, member = 'm1') => must(member, command);
  type Applied = { readonly outcome: string; readonly steps: readonly string[] };
  const same = 'm1: same\nm2: same\nm3: same\napplied configuration: same\n';
  const set = (key: string, value: string) => cm(`sed -i 's/^${key}:.*/${key}: ${value}/' /root/csync.yaml`);
  const yaml = () => cm('cat /root/csync.yaml');
  const style = async () => /\bstyle=(\w+)/.exec(await cm('cmviewcl -v -f line -p csync'))?.[1];
  /** It has run again from its first member, as it is started. */
  const restarted = () => cm('cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');

  /** It serves from m1 as csync applied it, with the settings of the lab. */
  async function asLegacy(): Promise<void> {
    await cm('cd /root && { [ -e shipped.yaml ] || cp csync.yaml shipped.yaml; } && cp shipped.yaml csync.yaml');
    await serving(used);
    await done('apply --yes --halt');
  }

  it('is a running package whose log has the lines of the template', async () => {
    await asLegacy();
    await cm(`cmhaltpkg csync; : > ${log}; cmrunpkg -n m1 csync && cmmodpkg -e csync`);
    await used.drills.publishAndFetch();
    expect(await used.drills.invariants()).toEqual([]);
    expect(await style()).toBe('legacy');
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
    await asLegacy();
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
    await asLegacy();
    expect(await done('apply --yes')).toMatchObject({ outcome: 'unchanged', steps: [] });
    expect((await csync('diff')).stdout).toBe(same);
    expect((await done('check')).codes).toEqual([]);
    expect(await done('status')).toMatchObject({ condition: 'serving', advice: [] });
    await set('monitor_failures', '4');
    // Its set stands in the path of its control script, which a package that runs keeps.
    const halting = await json('apply --yes');
    expect([halting.codes, halting.problems[0]?.text]).toEqual([['change-needs-halt'], expect.stringMatching(/\brun_script\b/)]);
    const { steps } = await done<Applied>('apply --yes --halt');
    const call = /^on (m\d): \$SGCONF\/csync\/sets\/[0-9a-f]{16}\/csync_control\.sh validate$/;
    expect(steps.flatMap((step) => call.exec(step)?.[1] ?? [])).toEqual(['m1', 'm2', 'm3']);
    expect(steps).toContainEqual(
      expect.stringMatching(/\bcmhaltpkg csync; cmapplyconf .*; cmrunpkg -n m1 csync; cmmodpkg -e csync$/),
    );
    await auditFailover(used, 'a legacy package after an apply');
    await restarted();
    // What only the member itself knows is found although Serviceguard calls no script of a legacy package.
    const repaired = await broken('m3', 'mv /usr/bin/cf-agent /usr/bin/away', 'mv /usr/bin/away /usr/bin/cf-agent');
    const checked = await json('check');
    expect([checked.exitCode, checked.codes]).toEqual([1, ['check-validate m3']]);
    expect(checked.problems[0]?.text).toMatch(/\bcf-agent\b/);
    await set('monitor_failures', '5');
    const refused = await json('apply --yes --halt');
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-validate m3', 'change-incomplete']]);
    expect(await used.drills.view(), 'nothing was halted for it').toMatchObject({ owner: 'm1', status: 'up' });
    await auditFailover(used, 'a legacy package after an apply that its own validate refused');
    await repaired();
    await done('apply --yes --halt');
    await restarted();
    expect((await json('maintenance on --serviceguard --yes')).codes).toEqual(['settings-maintenance']);
    await done('maintenance on --yes');
    await done('maintenance off --yes');
  });

  it('customer-defined is called with run behind the promotion and with halt before it is given up', async () => {
    await asLegacy();
    const hook = `printf '#!/bin/sh\\necho "$1 $(ls /csync/dsau | grep -c sentinel) $SG_PACKAGE" >> /tmp/hook\\n' > ${directory}/customer-defined && chmod 755 ${directory}/customer-defined`;
    await broken('m1', hook, `rm -f ${directory}/customer-defined /tmp/hook`);
    await restarted();
    expect(await cm('cat /tmp/hook')).toBe('halt 1 csync\nrun 1 csync\n');
    await cm(`printf '#!/bin/sh\\nexit 1\\n' > ${directory}/customer-defined`);
    await cm('cmhaltpkg csync || :');
    expect((await sh('m1', 'cmrunpkg -n m1 csync')).exitCode).toBe(1);
    expect(await observe(used)).toMatchObject({ status: 'down', autoRun: false, mounted: [], address: [] });
    await cm(`rm ${directory}/customer-defined; cmmodpkg -e csync`);
    await used.drills.waitServed();
  });

  it('csync migrate shows its steps: check, one halt, apply, run', async () => {
    await asLegacy();
    const before = await yaml();
    const { steps } = await done<Applied>('migrate legacy-to-modular --dry-run');
    const order = [
      /^distribute to m3: .*\.csync-migration\.json/,
      /\bcmcheckconf\b/,
      /\bcmhaltpkg csync\b.*\bcmapplyconf\b.*\bcmrunpkg -n m1 csync\b/,
      /\bcsync\.yaml\b.*\bpackage_style: modular$/,
    ].map((step) => steps.findIndex((one) => step.test(one)));
    expect(order, steps.join('\n')).toEqual([...order].sort((one, other) => one - other));
    expect(order).not.toContain(-1);
    expect(steps.join('\n').match(/cmhaltpkg/g)).toHaveLength(1);
    expect((await csync('migrate legacy-to-modular </dev/null')).exitCode, 'without a terminal nothing is done').toBe(2);
    expect([await yaml(), await style()]).toEqual([before, 'legacy']);
    await set('monitor_failures', '9');
    expect((await json('migrate legacy-to-modular --yes')).codes).toEqual(
      ['m1', 'm2', 'm3'].map((member) => `change-pending ${member}`),
    );
    await cm('cp /root/shipped.yaml /root/csync.yaml');
    // Refused when the modular set exists already.
    const repaired = await broken(
      'm3',
      "echo '/dev/vg_csync/lv_csync /csync ext4 defaults 0 2' >> /etc/fstab",
      "sed -i '/lv_csync/d' /etc/fstab",
    );
    const refused = await json('migrate legacy-to-modular --yes');
    expect(refused.codes).toEqual(['change-cmcheckconf m1', 'change-incomplete']);
    expect(codesIn(refused.problems[0]?.text ?? '')).toContain('mount-point-busy');
    await repaired();
    expect(await style()).toBe('legacy');
    await auditFailover(used, 'after a migration that was refused');
  });

  it('csync migrate moves a running package over with one halt; the daemon, the switches and the comments stay', async () => {
    await asLegacy();
    await cm('cmmodpkg -d -n m3 csync');
    const [before, daemon, settings, mark] = [
      await observe(used),
      await cm('pgrep -x cf-serverd'),
      await yaml(),
      used.drills.entries.length,
    ];
    await done('migrate legacy-to-modular --yes');
    await used.drills.waitServed();
    expect(await observe(used)).toEqual(before);
    expect(await cm('pgrep -x cf-serverd')).toBe(daemon);
    const halts = used.drills.entries.slice(mark).filter(({ what, text }) => what === 'halting' && text.includes('csync'));
    expect(halts).toHaveLength(1);
    expect(await style()).toBe('modular');
    expect(await yaml()).toBe(settings.replace(/^package_style: .*$/m, 'package_style: modular'));
    expect((await csync('diff')).stdout).toBe(same);
    for (const member of ['m1', 'm2', 'm3'])
      expect(await cm(`ls -A ${directory}`, member)).not.toMatch(/csync_control|csync-migration/);
    expect(await done('migrate legacy-to-modular --yes')).toMatchObject({ outcome: 'unchanged', steps: [] });
    await cm('cmmodpkg -e -n m3 csync');
    await used.drills.publishAndFetch();
    expect(await used.drills.invariants()).toEqual([]);
    await used.drills.failOver('kill');
  });

  everyStepIt('killed at any of its steps, the same migrate again finishes: it runs where it ran, with its switch', async () => {
    await asLegacy();
    const steps = (await done<Applied>('migrate legacy-to-modular --dry-run')).steps.length;
    expect(steps).toBeGreaterThan(5);
    for (let index = 0; index < steps - 1; index += 1) {
      await asLegacy();
      const step = (await done<Applied>('migrate legacy-to-modular --dry-run')).steps[index] ?? '';
      const before = await observe(used);
      expect(before, step).toMatchObject({ status: 'up', autoRun: true });
      // What was under way on the member itself ends first: a script that writes, a command of Serviceguard's.
      const kill = `until grep -qF -- '${step} ... ' /tmp/migrate.log; do kill -0 $p || exit 1; done; kill -KILL -$p; wait $p; [ $? = 137 ] || exit 1; while pgrep -f 'bin/cm[acrhm]' >/dev/null; do :; done; flock ${directory}/.csync-lock true`;
      const command = 'setsid node /opt/csync/csync.mjs migrate legacy-to-modular --yes >/tmp/migrate.log 2>&1';
      const killed = await sh('m1', `cd /root; : > /tmp/migrate.log; ${command} & p=$!; ${kill}`);
      expect(killed.exitCode, `${step}: ${await cm('cat /tmp/migrate.log')}`).toBe(0);
      await done('migrate legacy-to-modular --yes');
      await used.drills.waitServed();
      expect(await observe(used), step).toEqual(before);
      expect(await style(), step).toBe('modular');
      expect((await csync('diff')).exitCode, step).toBe(0);
      expect(await cm(`ls -A ${directory}`, 'm2'), step).not.toMatch(/csync_control|csync-migration/);
    }
  });

  everyStepIt('a halted package is migrated and stays halted', async () => {
    await asLegacy();
    await cm('cmhaltpkg csync');
    const { steps } = await done<Applied>('migrate legacy-to-modular --yes');
    expect(steps.join('\n')).not.toMatch(/cmrunpkg|cmhaltpkg/);
    expect(await observe(used)).toMatchObject({ status: 'down', autoRun: false, mounted: [] });
    await cm('cmmodpkg -e csync');
    await used.drills.waitServed();
  });
});
