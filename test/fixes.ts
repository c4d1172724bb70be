/**
 * Which fixes of messages a test types, and why the others are not typed. Each code stands in one list: a new code that stands in none is a
 * type error here.
 */
import type { ProblemCode } from '../src/base/codes/problem-codes.ts';
import type { FailureCode } from '../src/member/failures.ts';
import type { NamedTest } from './named-tests.ts';

export type Code = ProblemCode | FailureCode;

/** A state of the lab whose message has a fix of commands. A host is a member, or a client; each script succeeds. */
export interface FixRow {
  readonly code: Code;
  /** Member of the problem; absent: of no single host. */
  readonly member?: string;
  readonly breaks: readonly (readonly [host: string, script: string])[];
  /** Verb on m1 that prints the message, and passes afterwards. */
  readonly verb: string;
  /** Commands as the message prints them, each with the host where it says to type it. */
  readonly fix: readonly (readonly [host: string, command: string])[];
  /** What the repair leaves that the next state must not have. */
  readonly afterwards?: readonly (readonly [host: string, script: string])[];
}

const directory = '/usr/local/cmcluster/conf/csync';

/** States that one `csync check` prints together, while the package serves from m1. */
export const checkRows: readonly FixRow[] = [
  {
    code: 'check-mount-point',
    member: 'm2',
    breaks: [['m2', 'chattr -i /csync; rmdir /csync']],
    verb: 'check',
    fix: [['m2', 'mkdir /csync']],
  },
  {
    code: 'check-mount-point',
    member: 'm3',
    breaks: [['m3', 'chattr -i /csync; mkdir /csync/old; touch /csync/.hidden; chattr +i /csync']],
    verb: 'check',
    fix: [
      ['m3', 'mkdir -p /var/tmp-csync; chattr -i /csync; find /csync -mindepth 1 -maxdepth 1 -exec mv -t /var/tmp-csync {} +'],
    ],
    afterwards: [['m3', 'test -d /var/tmp-csync/old && test -e /var/tmp-csync/.hidden']],
  },
  {
    code: 'check-other-mounts',
    member: 'm1',
    breaks: [['m1', 'mkdir /csync/iso; mount -t tmpfs none /csync/iso']],
    verb: 'check',
    fix: [['m1', 'umount /csync/iso']],
    afterwards: [['m1', 'rmdir /csync/iso']],
  },
  {
    code: 'check-network',
    member: 'm3',
    breaks: [['m3', 'ip link set eth0 mtu 1400']],
    verb: 'check',
    fix: [['m3', 'ip link set eth0 mtu 1500']],
  },
  {
    code: 'check-scripts',
    member: 'm2',
    breaks: [['m2', `echo '# mine' >> ${directory}/csync.sh`]],
    verb: 'check',
    fix: [['m1', 'csync apply --take-rendered']],
  },
  {
    code: 'check-port',
    member: 'm1',
    breaks: [['m2', 'pkill -x cf-serverd; while pgrep -x cf-serverd > /dev/null; do :; done']],
    verb: 'check',
    fix: [['m1', 'csync members sync']],
  },
  {
    code: 'check-client-port',
    member: 'm1',
    breaks: [['c1', 'pkill -x cf-serverd; while pgrep -x cf-serverd > /dev/null; do :; done']],
    verb: 'check',
    fix: [['m1', 'csync client sync --all']],
  },
];

/** States that one `csync check` prints together, while the package is halted. */
export const haltedRows: readonly FixRow[] = [
  {
    code: 'check-volume-group',
    member: 'm2',
    breaks: [['m2', 'vgchange --addtag m2 vg_csync && vgchange -a y vg_csync']],
    verb: 'check',
    fix: [
      ['m2', 'vgchange -a n vg_csync'],
      ['m2', 'vgchange --deltag m2 vg_csync'],
    ],
  },
];

/** States of one verb each, while the package serves from m1. */
export const verbRows: readonly FixRow[] = [
  {
    code: 'file-open-to-others',
    breaks: [['m1', 'chmod go+w /root/csync.yaml']],
    verb: 'diff',
    fix: [['m1', 'chown root /root/csync.yaml; chmod go-w /root/csync.yaml']],
  },
  {
    code: 'cluster-variables',
    breaks: [['m1', 'chmod go+w /etc/cmcluster.conf']],
    verb: 'diff',
    fix: [['m1', 'chown root /etc/cmcluster.conf; chmod go-w /etc/cmcluster.conf']],
  },
  {
    code: 'change-owner',
    member: 'm1',
    breaks: [],
    verb: 'member remove m1 --dry-run',
    fix: [['m1', 'cmhaltpkg csync; cmrunpkg -n m2 csync; cmmodpkg -e csync']],
  },
];

/** Scripts of a start that fails on m2, by the code that the package log has. The fix behind "then" is typed when the cause is repaired. */
export interface StartRow {
  readonly code: FailureCode;
  readonly breaks: string;
  readonly repair: string;
}

export const startRows: readonly StartRow[] = [
  { code: 'mount-point-missing', breaks: 'chattr -i /csync; rmdir /csync', repair: 'mkdir /csync' },
  { code: 'mount-point-busy', breaks: 'mount -t tmpfs none /csync', repair: 'umount /csync' },
  {
    code: 'mount-point-not-empty',
    breaks: 'chattr -i /csync; touch /csync/stale; chattr +i /csync',
    repair: 'chattr -i /csync; mv /csync/stale /root',
  },
  { code: 'program-missing', breaks: 'mv /usr/bin/cf-agent /root', repair: 'mv /root/cf-agent /usr/bin' },
];

/** Codes whose fix another test types, or follows as it is printed. */
export const elsewhere = {
  'usage-unconfirmed': {
    file: 'test/lab/verbs/apply.test.ts',
    title: 'shows the steps, and without a terminal or --yes changes nothing',
  },
  'policy-no-base': {
    file: 'test/lab/verbs/policy-from-git.test.ts',
    title: 'first refuses to replace a file whose base is unknown, then has the revision in the record',
  },
  'render-hand-edited': {
    file: 'test/lab/verbs/apply.test.ts',
    title: 'an edit on a member is never lost silently',
  },
  'cluster-unreachable': {
    file: 'test/lab/verbs/apply.test.ts',
    title: 'a member that cannot be reached: nothing is changed anywhere; once it is back the same command does it',
  },
  'change-busy': {
    file: 'test/lab/set-up/locks.test.ts',
    title: 'two applies of other settings, at once: one waits, both are done, and the members have one and the same',
  },
  'change-incomplete': {
    file: 'test/lab/verbs/apply.test.ts',
    title: 'killed at any of its steps, the next one finishes the work and remembers it',
  },
  'change-no-node': {
    file: 'test/lab/sites/runtime.test.ts',
    title: 'without it members that have no Node.js are refused, with the fix',
  },
  'change-needs-halt': {
    file: 'test/lab/verbs/apply.test.ts',
    title: 'prints what requires a halt before it touches anything, and halts only with --halt',
  },
  'change-maintenance': {
    file: 'test/lab/verbs/maintenance.test.ts',
    title: 'Serviceguard’s own mode is entered and left with switching as it was; nothing can be applied meanwhile',
  },
  'change-other-key': {
    file: 'test/lab/sites/one-host.test.ts',
    title: 'the address of another client counts for that one only',
  },
  'change-policy-conflict': {
    file: 'test/lab/verbs/policy-from-git.test.ts',
    title: 'refuses when the master was edited by hand, changes nothing, and accepts with --base',
  },
  'change-policy-staged': {
    file: 'test/lab/policy/staged.test.ts',
    title: 'take-back ends what another administrator began: then the refused commit passes',
  },
  'change-policy-taken-back': {
    file: 'test/lab/policy/staged.test.ts',
    title: 'an unreachable host: taken back after three runs; status lists it until take-back finds it with the served policy',
  },
  'policy-stage-rules': {
    file: 'test/lab/policy/staged.test.ts',
    title: 'without the rules in the policy it is refused, and members sync writes them',
  },
  'interrupted-stage': {
    file: 'test/lab/policy/staged.test.ts',
    title: 'interrupted by SIGINT, then the same command again',
  },
  'check-address': {
    file: 'test/lab/failover/address-conflict.test.ts',
    title: 'that leads clients to another member: status, check and a drill report it from any member, until its remedy is typed',
  },
  'check-node': {
    file: 'test/lab/sites/runtime.test.ts',
    title: 'without it members that have no Node.js are refused, with the fix',
  },
  'alert-hook': {
    file: 'test/lab/failover/alerts.test.ts',
    title: 'a hook that other users can change is not run, which status, check and a test report until it is corrected',
  },
  'check-alerts': {
    file: 'test/lab/failover/alerts.test.ts',
    title: 'a hook that other users can change is not run, which status, check and a test report until it is corrected',
  },
  interrupted: {
    file: 'test/lab/sites/runtime.test.ts',
    title: 'Ctrl-C in the middle: status 130, and what had arrived is taken away again, on every member',
  },
} as const satisfies Partial<Record<Code, NamedTest>>;

/** Codes that have a row above. */
export const typed = [
  'file-open-to-others',
  'cluster-variables',
  'change-owner',
  'check-mount-point',
  'check-other-mounts',
  'check-volume-group',
  'check-network',
  'check-port',
  'check-client-port',
  'check-scripts',
  'mount-point-missing',
  'mount-point-busy',
  'mount-point-not-empty',
  'program-missing',
] as const satisfies readonly Code[];

/** Codes whose fix is not typed, with the reason. */
export const untyped = {
  'the fix is an edit of a file, or of the words that were typed': [
    'usage',
    'usage-host-name',
    'usage-is-member',
    'usage-no-client',
    'usage-no-member',
    'usage-no-set',
    'usage-production',
    'settings-syntax',
    'settings-unknown-key',
    'settings-duplicate-key',
    'settings-missing',
    'settings-value',
    'settings-unsupported',
    'settings-conflict',
    'settings-engine',
    'settings-ignored',
    'settings-members',
    'check-member-name',
    'settings-maintenance',
    'settings-legacy-path',
    'settings-address-taken',
    'settings-subnet-not-everywhere',
    'settings-shared-address',
    'template-malformed',
    'template-unknown-token',
    'template-unused-token',
    'template-header',
    'template-stray',
    'policy-host',
    'policy-domain',
    'policy-members',
    'policy-name',
    'policy-toolkit-file',
    'policy-refused',
    'policy-stage-hosts',
    'policy-stage-generation',
    'package-settings',
    'package-group',
    'package-file-keyword',
    'package-file-no-value',
    'package-file-quote',
    'package-file-no-name',
    'package-file-two-names',
    'package-file-name',
    'package-rule',
    'package-unsupported',
    'package-attribute-missing',
    'package-attribute-twice',
    'package-attribute-unknown',
    'package-attribute-value',
    'package-module-base',
    'package-module-unknown',
    'package-module-missing',
    'package-module-toolkit',
    'package-type',
    'package-group-order',
    'package-group-incomplete',
    'package-legacy',
    'package-modular',
    'package-twice',
    'package-service-taken',
    'package-member-unknown',
    'package-member-unreachable',
    'package-not-executable',
    'package-no-timeout',
    'package-subnet-unknown',
    'package-vg-missing',
    'package-validate-failed',
    'package-online-change',
    'package-online-maintenance',
    'package-online-owner',
    'package-online-restarts',
    'file-unreadable',
    'here-legacy',
    'here-settings-exist',
    'change-launcher',
    'check-fstab',
    'check-other-packages',
    'customer-failed',
    'others-may-change',
    'alert-off',
    'policy-invalid',
  ],
  'the fix is the same command again, after a repair that the message cannot know': [
    'here-output',
    'cluster-key-unreachable',
    'cluster-policy-unreadable',
    'change-lock',
    'change-distribute',
    'change-unwritable',
    'change-keys',
    'change-roster',
    'change-remote-run',
    'change-sweep',
    'change-configure',
    'change-inputs',
    'change-daemon',
    'change-agent',
    'change-policy',
    'change-policy-busy',
    'change-policy-unacknowledged',
    'change-policy-stage-open',
    'change-recover',
    'change-toolkit',
    'change-remove',
    'change-runtime-unseen',
    'change-runtime-lost',
    'interrupted-sync',
    'interrupted-recover',
    'interrupted-remove',
    'interrupted-maintenance',
    'alert-busy',
    'alert-state',
    'alert-unrun',
    'settings-damaged',
    'keys-unusable',
    'group-not-activated',
    'group-not-deactivated',
    'fsck-failed',
    'address-not-removed',
    'port-occupied',
    'policy-missing',
    'sentinel-unwritable',
    'still-held',
    'mount-copied',
  ],
  'the fix is an installation, a build or other hardware': [
    'template-missing',
    'file-runtime',
    'file-runtime-ended',
    'here-not-root',
    'here-not-built',
    'here-programs-missing',
    'here-no-cfengine',
    'here-fips',
    'here-no-sandbox',
    'here-cross-subnet',
    'here-cfengine-missing',
    'here-node-missing',
    'here-volume-group-missing',
    'cluster-not-root',
    'cluster-no-cfengine',
    'cluster-old-serviceguard',
    'change-no-runtime',
    'change-runtime-fails',
    'change-runtime-machine',
    'change-runtime-loader',
    'change-runtime-space',
    'change-runtime-noexec',
    'change-runtime-unfit',
    'check-space',
    'check-daemon',
    'check-toolkit',
    'file-newer',
    'check-programs',
    'check-noexec',
  ],
  'the fix is outside of the members: DNS, a firewall, a switch, a clock': [
    'settings-name-forward',
    'settings-name-reverse',
    'check-name',
    'check-mtu',
    'check-client-mtu',
    'check-clock',
    'check-rules',
    'check-fencing',
    'change-fencing',
    'address-conflict',
    'name-unresolved',
  ],
  'a person decides which host keeps the address': ['check-shared-address'],
  'only commands of the lab print it': [
    'lab-unavailable',
    'lab-module',
    'lab-module-idle',
    'lab-value',
    'cluster-file',
    'cluster-reforming',
    'cluster-host-unknown',
    'cluster-host-unreachable',
    'cluster-member-active',
    'cluster-member-listed',
    'cluster-member-maintenance',
  ],
  'the message leads to another one (csync status, csync check, the package log), which has the fix': [
    'here-member-unseen',
    'cluster-not-running',
    'cluster-no-status',
    'cluster-silent',
    'change-pending',
    'change-unverified',
    'change-unready',
    'change-no-set',
    'change-nothing-applied',
    'change-not-settled',
    'change-validate',
    'change-simulate',
    'change-cmcheckconf',
    'change-cmapplyconf',
    'change-cmhaltpkg',
    'change-cmrunpkg',
    'change-command',
    'check-unreachable',
    'check-validate',
    'not-mounted',
    'no-address',
    'mount-failed',
    'address-not-added',
    'service-not-started',
    'daemon-dead',
    'role-unproved',
  ],
  'the lab cannot be brought into the state at will': [
    'cluster-no-address',
    'cluster-odd-addresses',
    'cluster-odd-key',
    'cluster-no-member',
    'cluster-enterprise',
    'change-lock-lost',
    'check-selinux',
    'check-labels',
    'check-fips',
    'check-enterprise',
  ],
  'nothing needs a fix': ['service-not-halted', 'clients-connected'],
} as const satisfies Readonly<Record<string, readonly Code[]>>;

type Placed = keyof typeof elsewhere | (typeof typed)[number] | (typeof untyped)[keyof typeof untyped][number];

/** A code that stands in no list is a type error here, which names it. */
export const isComplete: [Exclude<Code, Placed>] extends [never] ? true : Exclude<Code, Placed> = true;
