/**
 * What the lab imitates, after which page, and which test proves it. FIDELITY.md is this table; a test compares the two
 * and looks for every test by its title. Rows of others are added at the end of their chapter.
 */
type Fidelity =
  /** As a page describes it. */
  | 'imitated'
  /** No page says it; this is our choice, kept in one place. */
  | 'ours'
  /** Refused with a sentence, or left out. */
  | 'not imitated';

export interface FidelityRow {
  readonly chapter: string;
  readonly behaviour: string;
  readonly status: Fidelity;
  /** The page, or why there is none. */
  readonly source: string;
  /** Title of the test that proves it; null only for what is not imitated and has nothing to prove. */
  readonly provedBy: string | null;
}

type Entry = readonly [behaviour: string, status: Fidelity, source: string, provedBy: string | null];

function chapter(name: string, entries: readonly Entry[]): FidelityRow[] {
  return entries.map(([behaviour, status, source, provedBy]) => ({ chapter: name, behaviour, status, source, provedBy }));
}

const eventTable = chapter('Failures of a failover package', [
  [
    'Service fails, restarts used up, service_fail_fast_enabled: the member reboots, the package starts elsewhere',
    'imitated',
    'A12 p.59',
    'service fails, fail fast',
  ],
  [
    'Service fails, restarts used up: halt script, member switched off, package starts elsewhere',
    'imitated',
    'A12 p.59',
    'service fails',
  ],
  ['Run script exit 1: switching disabled', 'imitated', 'A12 p.59, L9 p.67', 'run script exit 1'],
  ['Run script exit 2: member switched off, another is tried', 'imitated', 'A12 p.59', 'run script exit 2'],
  ['Run script exit 2 with node_fail_fast_enabled: the member reboots', 'imitated', 'A12 p.59', 'run script exit 2, fail fast'],
  ['Run script ends with another number: as 1', 'ours', 'INFERRED', 'run script ends with another number'],
  ['Run script times out: killed, switching disabled', 'imitated', 'A12 p.57-59', 'run script timeout'],
  [
    'Run script times out with node_fail_fast_enabled: the member reboots',
    'imitated',
    'A12 p.59',
    'run script timeout, fail fast',
  ],
  [
    'A time-out also switches the member off',
    'ours',
    'CONFLICT A1120b p.172 against A12 p.57; an option, off',
    'with the option, a script that times out switches the member off too',
  ],
  ['Halt script exit 1: services killed, switching disabled, member not', 'imitated', 'A12 p.58', 'halt script exit 1'],
  ['Halt script exit 2: may run elsewhere', 'imitated', 'A12 p.59', 'halt script exit 2'],
  [
    'Halt script exit 2 with node_fail_fast_enabled: the member reboots',
    'ours',
    'the table has no such row',
    'halt script exit 2, fail fast',
  ],
  ['Halt script exit 3: package stays partially_down, switching disabled', 'imitated', 'A1120b p.210', 'halt script exit 3'],
  [
    'cmhaltpkg -f gets past an aborted halt',
    'imitated',
    'L9 p.238, A1120b p.210',
    'after an aborted halt only -f gets the package down',
  ],
  ['Halt script times out: killed, switching disabled', 'imitated', 'A12 p.59', 'halt script timeout'],
  [
    'Halt script times out with node_fail_fast_enabled: reboot; elsewhere unless it was cmhaltpkg',
    'imitated',
    'A12 p.59',
    'halt script timeout, fail fast, after cmhaltpkg',
  ],
  [
    'Monitored subnet lost: package moves, may come back with the subnet',
    'imitated',
    'A12 p.59',
    'a monitored subnet that comes back makes the member eligible again',
  ],
  [
    'Monitored subnet lost with node_fail_fast_enabled: the member reboots',
    'imitated',
    'A12 p.59',
    'monitored subnet lost, fail fast',
  ],
  [
    'Service failure with switching disabled: the package just halts',
    'imitated',
    'A12 p.70',
    'with switching disabled a service failure halts the package and nothing more',
  ],
  [
    'Service restarts in place are counted and limited',
    'imitated',
    'L9 p.91, p.264',
    'is restarted in place as often as service_restart says, then the package fails',
  ],
  ['cmmodpkg -R -s resets the restart counter', 'imitated', 'L9 p.264', 'cmmodpkg -R -s sets the counter back'],
  [
    'A service that dies during the start is judged when the start has ended',
    'ours',
    'GAP',
    'a service that dies while the start still runs is judged when the start has ended',
  ],
  ['Generic resources', 'not imitated', 'refused by cmcheckconf', null],
  ['Dependencies between packages', 'not imitated', 'refused by cmcheckconf', 'refuses or warns about: %s'],
  ['Multi-node and system multi-node packages, weights, sites', 'not imitated', 'refused by cmcheckconf', null],
]);

const placement = chapter('Where a package runs', [
  [
    'configured_node: first eligible member of node_name',
    'imitated',
    'L10 p.61, p.209',
    'configured_node takes the first eligible member of node_name',
  ],
  [
    'min_package_node: fewest packages, ties in list order',
    'imitated',
    'L10 p.209; ties INFERRED',
    'min_package_node takes the eligible member with the fewest packages',
  ],
  [
    'Automatic failback to the primary member',
    'imitated',
    'L9 p.60',
    'automatic failback brings the package home when the primary member joins',
  ],
  ['Manual failback leaves the package', 'imitated', 'L10 p.210', 'manual failback leaves the package where it is'],
  [
    'A manual move leaves switching disabled',
    'imitated',
    'L7 p.238, L9 p.235',
    'a manual move leaves switching disabled until cmmodpkg -e',
  ],
  [
    'A member that is switched off is refused',
    'imitated',
    'GH-wiki',
    'cmrunpkg refuses a member the package is switched off for, in the words of the real command',
  ],
  [
    'A stranded package names its way back in the log',
    'ours',
    'the lab speaks up where the product shows flags',
    'leads back to a served package by the commands the log names, once faults stop',
  ],
]);

const members = chapter('Members and the cluster', [
  [
    'After a crash nothing starts before the cluster has re-formed',
    'imitated',
    'L9 p.88',
    'nothing starts until the others have re-formed',
  ],
  [
    'cmhaltnode -f: automatic_halt, packages elsewhere, AUTO_RUN untouched',
    'imitated',
    'L9 p.233',
    'cmhaltnode -f moves packages, leaves the switches alone, answers when the member is down',
  ],
  [
    'cmhaltnode without -f is refused while a package runs there',
    'imitated',
    'L9 p.233',
    'cmhaltnode needs -f while a package runs there',
  ],
  ['A failed halt fails cmhaltnode', 'imitated', 'MAN', 'cmhaltnode fails when a package does not halt cleanly'],
  [
    'cmhaltcl -f halts all without failover',
    'imitated',
    'L10 p.195',
    'cmhaltcl -f halts everything and starts nothing elsewhere; cmruncl starts from the configuration',
  ],
  [
    'A joining member starts packages that are down and enabled',
    'imitated',
    'L6 p.292',
    'a member that joins starts what is down and enabled',
  ],
  [
    'A rejoining member that was lost gets its switches back',
    'ours',
    'INFERRED; an option, on',
    'a lost member that boots joins again and gets its switch back',
  ],
  [
    'With all members back after a total loss the cluster forms by itself',
    'imitated',
    'L10 p.195',
    'when all members were lost the cluster forms again once all of them have booted',
  ],
  [
    'Quorum server and lock LUN',
    'not imitated',
    'the members that are left always go on',
    'what the lab cannot follow is refused with a sentence',
  ],
  ['Live application detach (-d)', 'not imitated', 'refused', 'refuses: %s'],
]);

const membersChange = chapter('Members that come and go', [
  [
    'cmquerycl or cmgetconf, an edited file, cmcheckconf, cmapplyconf -C: a member is added online, down until cmrunnode',
    'imitated',
    'L9 p.245, GH-add',
    'a spare machine is added online, down until cmrunnode, seen alike from every member',
  ],
  [
    'A package takes a new member while it runs',
    'imitated',
    'L9 p.265',
    'the package gets the new member while it runs, and moves there',
  ],
  [
    'An active node cannot be removed, cmhaltnode -f comes first; unknown hosts are refused',
    'imitated',
    'L9 p.245; the texts are ours',
    'an active node, one that a package lists and a host nobody knows are refused, each with what helps',
  ],
  [
    'A package that lists a removed node is changed in the same cmapplyconf; also where the node cannot be reached',
    'imitated',
    'U19 p.284',
    'one that crashed can go while its machine is down, and booted again it joins nothing',
  ],
  [
    'A removed node that a package lists is refused also when it can be reached; a node in whose maintenance mode a package is, always',
    'ours',
    'INFERRED from U19 p.284',
    'with the packages that list it, in one command',
  ],
  [
    'A package without node_name, or with *, takes in who is added, switched on; nothing is validated there',
    'ours',
    'INFERRED',
    'it is in the cluster and down until cmrunnode; packages that list nobody in particular take it in',
  ],
  [
    'Order of members: who stays keeps his place, who comes is last',
    'ours',
    'GAP',
    'a halted node is removed together with its line in the package, and can come back',
  ],
  [
    'cm* commands on a machine that is in no cluster: only cmversion and cmmakepkg answer',
    'ours',
    'GAP; a real one may also be queried',
    'a spare machine is added online, down until cmrunnode, seen alike from every member',
  ],
  [
    'Who is told: executables of /etc/csync-lab/events.d, on the member where cmapplyconf was typed, after its answer, once a change, with two words (MEMBER_ADDED: m4); what becomes of it is only noted',
    'ours',
    'the words DSAU, MSW p.202; how Serviceguard calls dispatchers is a GAP (serviceguard.md 8.3)',
    'programs of the events directory are called once a change with two words, and what they say is only noted',
  ],
  [
    'Packages added or deleted: nobody is told',
    'not imitated',
    'only the log consolidation of DSAU, which is not ours, asked for it',
    null,
  ],
  [
    'Other changes of the cluster file online: networks, capacities, MEMBER_TIMEOUT',
    'not imitated',
    'refused, or without effect in a lab',
    null,
  ],
]);

const maintenance = chapter('Maintenance mode', [
  [
    'Needs switching disabled; a member for a package that is down',
    'imitated',
    'A1120c p.222',
    'needs switching disabled and, for a package that is down, a member',
  ],
  ['Failures are ignored', 'imitated', 'A1120c p.222', 'failures are ignored and the package stays'],
  ['Can only be left healthy or halted', 'imitated', 'A1120c p.222', 'cannot be left while a service is down'],
  ['Partial start with cmrunpkg -m and -e', 'imitated', 'L9 p.237-238', 'partial start up to a module, on the one member only'],
]);

const commands = chapter('Commands and their output', [
  [
    'Rights: root everything, the monitor role views and no more (in the lab every user has it)',
    'imitated',
    'U11 p.187, p.300; who has it is a choice of ours',
    'a user with the monitor role sees the package; what it may not see is not known, and it changes nothing',
  ],
  ['cmviewcl, plain table, to the blank', 'imitated', 'GH-wiki', 'plain cmviewcl is the published screen, blank for blank'],
  [
    'cmviewcl -v: sections, headings, order; the spacing is ours',
    'imitated',
    'L10 p.238; spacing INFERRED',
    '-v has the sections of the manual in their order',
  ],
  [
    'cmviewcl -v of a package that runs nowhere',
    'imitated',
    'L8 p.254',
    '-v of a package that runs nowhere lists subnets once for each member',
  ],
  [
    'cmviewcl -f line, prefixes and attributes that were published',
    'imitated',
    'MAN cmviewcl(5), MIG p.11',
    'with -p the attributes stand bare, in the published order',
  ],
  [
    'summary: ok, degraded, critical',
    'ours',
    'words MIG p.11; their limits INFERRED',
    'summary and highly_available say whether the package could still move',
  ],
  [
    'cmrunpkg success texts',
    'imitated',
    'GH-gdha',
    'are answered when the script has ended, with the texts of the real commands',
  ],
  ['All other success and question texts', 'ours', 'GAP', 'every text says where it was seen, or that it is ours'],
  ['Preview -t', 'imitated', 'L9 p.243', 'shows where the package would go and changes nothing'],
  [
    'cmmakepkg: modules, kept values; comments and order of sections',
    'imitated',
    'L10 p.201; comments and order ours',
    '-i keeps every value of the existing file and adds modules',
  ],
  [
    'cmcheckconf: values, modules, groups, members, scripts with validate',
    'imitated',
    'L9 p.219',
    'what is missing or fails on one member is told with the member',
  ],
  [
    'Changes that would start or mount something in a running package',
    'not imitated',
    'L9 p.265; refused',
    'what would have to be started or mounted may not',
  ],
  [
    'A package added online starts with switching off',
    'ours',
    'INFERRED; an option',
    'a package added while the cluster runs is off until cmmodpkg -e',
  ],
  ['Toolkit modules', 'not imitated', 'refused by cmcheckconf', 'refuses or warns about: %s'],
]);

const legacy = chapter('Legacy packages', [
  [
    'cmcheckconf: control scripts executable on every member, time-outs, keywords; no script is called',
    'imitated',
    'A1120c p.235, RN18U p.35, L9 p.219',
    'looks for the control scripts on every member and calls none of them',
  ],
  [
    'Services are what the control script starts; restarts as cmrunserv was told',
    'imitated',
    'TMPL, MAN cmrunserv',
    'are those its script has started, with the restarts that cmrunserv was told',
  ],
  [
    'A halt that ends with 3 counts as 1',
    'ours',
    'INFERRED from A1120b p.210',
    'a halt of a legacy package that ends with 3 counts as 1',
  ],
  ['No maintenance mode', 'imitated', 'A1120c p.222', 'a legacy package has no maintenance mode'],
  [
    'cmviewcl: style, scripts, order of attributes',
    'imitated',
    'MIG p.11; the value of style INFERRED',
    'cmviewcl of a legacy package has style and scripts, in the published order',
  ],
  [
    'cmmakepkg -p; its comments and order are ours',
    'ours',
    'L8 p.327 has the option, no page the text',
    "lies over cmmakepkg -p's output, comments and all",
  ],
  [
    'RUN_SCRIPT and HALT_SCRIPT are called with start and stop, their environment, their log',
    'imitated',
    'TMPL, U12 p.293',
    'is a running package whose log has the lines of the template',
  ],
  [
    'cmrunserv and cmhaltserv only while a script of the package runs; cmmodnet also by hand',
    'imitated',
    'MAN cmrunserv, L9 p.285; the texts are ours',
    'the commands of control scripts refuse what they have to refuse',
  ],
  [
    "Serviceguard's own control script template (cmmakepkg -s), cmmigratepkg",
    'not imitated',
    'refused; csync brings its own',
    null,
  ],
]);

const machinery = chapter('Scripts, services and machines, really run', [
  [
    'Order of the modules at start and halt, SG_HALT_REASON',
    'imitated',
    'A12 p.55-58, L8 p.134',
    'starts in the order of the modules and halts in the opposite one, with the reason',
  ],
  [
    'validate of every external script on every member of the package',
    'imitated',
    'L10 p.148',
    'cmcheckconf calls validate of every script on every member of the package',
  ],
  [
    'A script that times out is killed with everything it started',
    'imitated',
    'A12 p.57; the process group is ours',
    'a start that outlives its time-out is killed with all it started, and switching is disabled',
  ],
  [
    'service_restart, its counter and cmmodpkg -R',
    'imitated',
    'L9 p.91, p.264',
    'a service is restarted in place as often as configured, counted, and only then the package moves',
  ],
  [
    'A service gets SIGTERM with its group, SIGKILL after service_halt_timeout',
    'imitated',
    'MAN cmhaltserv, L8 p.327',
    'a service that ignores SIGTERM is killed after its halt time-out, and its package halts only then',
  ],
  [
    'Maintenance with a service that dies',
    'imitated',
    'A1120c p.222',
    'in maintenance a dead service moves nothing, and the way out needs it healthy',
  ],
  [
    'Environment of scripts; none for services',
    'imitated',
    'L10 p.148, L9 p.91',
    'a package with an external script of its own runs, moves and halts',
  ],
  [
    'cmgetpkgenv, cmmodnet, cmrunserv, cmexec',
    'imitated',
    'L9 p.87, L6 p.290, MAN; format of cmgetpkgenv GAP',
    'tells a package its parameters and takes services and addresses from its scripts',
  ],
  [
    'cmgetconf gives what cmapplyconf takes; the chatter of the real one is left out',
    'imitated',
    'GH-gdha',
    'a configuration that was read back can be applied again as it is',
  ],
  [
    'A monitored subnet that is lost moves the package',
    'imitated',
    'A12 p.59',
    'a pulled cable moves the package, and the member may have it again when the cable is back',
  ],
  [
    'A member that crashes: noticed after MEMBER_TIMEOUT, here 2 s',
    'imitated',
    'L9 p.88; 2 s is below what cmapplyconf allows',
    'in random order, with one member left broken, each hold the invariants',
  ],
  [
    'A host of a bare lab boots as a system without systemd: /etc/init.d/cfservd start where CSYNC_CONFIGURED is 1',
    'ours',
    'names INFERRED from L09 p.27 and MSW p.148; the daemons of a lab that is set up are started by the lab',
    'boots a host as a system without systemd: the init script, if it is configured',
  ],
  ['The safety timer of a member that loses all its networks', 'not imitated', 'csync lab crash does it by hand', null],
  [
    'vgchange: activation only where the host tag names the member',
    'imitated',
    'L9 p.119; the program is ours, not every kernel has a device mapper',
    'a volume group is activated only where its tag names the member',
  ],
  [
    'vgs, lvs: names, tags and sizes of volume groups and volumes; host tags are on in lvm.conf',
    'imitated',
    'serviceguard.md 7.1; the questions of csync init and check only, everything else is refused',
    'finds nothing in a sound cluster, before and while the package runs',
  ],
]);

export const fidelityTable: readonly FidelityRow[] = [
  ...eventTable,
  ...placement,
  ...members,
  ...membersChange,
  ...maintenance,
  ...commands,
  ...legacy,
  ...machinery,
];

/** FIDELITY.md. */
export function renderFidelity(rows: readonly FidelityRow[]): string {
  const chapters = [...new Set(rows.map((row) => row.chapter))];
  const count = (status: Fidelity): number => rows.filter((row) => row.status === status).length;
  return [
    '# What the lab imitates',
    '',
    'The lab runs no Serviceguard. It imitates its package manager after public pages; [docs/facts/sources.md](docs/facts/sources.md) explains the keys.',
    `Of ${rows.length} behaviours ${count('imitated')} are imitated after a page, ${count('ours')} are our choice because no page says, ${count('not imitated')} are not imitated.`,
    'This page is generated from `src/lab/fidelity.ts`; a test compares the two.',
    ...chapters.flatMap((name) => [
      '',
      `## ${name}`,
      '',
      '| behaviour | status | source | proved by |',
      '| --- | --- | --- | --- |',
      ...rows
        .filter((row) => row.chapter === name)
        .map((row) => `| ${row.behaviour} | ${row.status} | ${row.source} | ${row.provedBy ?? ''} |`),
    ]),
    '',
  ].join('\n');
}
