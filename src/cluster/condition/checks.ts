/**
 * Checks before a package is applied: the engine's, and what HP lists as not covered [serviceguard.md 2.7]: fstab entries, volume groups
 * activated at boot, overlapping mount points, DNS, differences between members. A script collects facts; a table judges them. Pure.
 */

import { familyOption, isIpv6, isSameHost } from '../../base/network.ts';
import { errorProblem, type Problem } from '../../base/problem.ts';
import { shellWord, words } from '../../base/shell-word.ts';
import { deviceOf } from '../../contract/policy-file-system.ts';
import { spaceLine } from '../../contract/space.ts';
import { engineFor, engineShell, typed } from '../../engine/choice/engine-for.ts';
import type { Settings } from '../../settings/settings.ts';
import { alertStateLines } from '../alerts/remarks.ts';
import { toolkitLook } from '../apply/toolkit.ts';
import { clockText, isClockOff, type Look, saidIn } from '../remote/answers.ts';
import { addressTest, mountedTest } from '../remote/shell-text.ts';
import { type CheckInput, type Findings, first, type Looked, type MemberFacts, problem } from './check-model.ts';
import { peerLook } from './clients.ts';
import { hardenedLines, judgeEnterprise, judgeFips, judgeLabels, judgeSelinux } from './hardened-checks.ts';
import { judgeAlerts, judgeNode, type NodeFacts, nodeOf } from './node-checks.ts';
import { addressViewLines, outsideAdvice, outsideView, readAddressView } from './outside.ts';
import { judgeNoexec, judgePrograms, judgeScripts, judgeToolkit, programLines } from './program-checks.ts';
import { judgeClientPorts, judgeClientSizes, judgePorts, judgeSharedAddresses, judgeSizes, sharedNotes } from './reach-checks.ts';
import {
  doubleMountNotes,
  judgeFstab,
  judgeMountPoint,
  judgeOtherMounts,
  judgeSpace,
  judgeVolumeGroup,
} from './storage-checks.ts';

/** Prints the input of parseFacts and parsePeers, after lookScript. */
export function checkLook(settings: Settings, daemonProgram: string, lastSeenList: readonly string[]): Look<MemberFacts | null> {
  const { mountPoint, packageDnsName, packageAddress, packageSubnet, volumeGroup, cfengineWorkDirectory } = settings;
  const lines = [
    "sed -n 's/^[[:space:]]*\\([^#[:space:]].*\\)/fstab \\1/p' /etc/fstab 2>/dev/null",
    "sed 's/^/mount /' /proc/self/mounts",
    `point=${shellWord(mountPoint)}`,
    'if [ -d "$point" ]; then echo "point directory $(ls -A "$point" | wc -l)"; elif [ -e "$point" ]; then echo "point other 0"; else echo "point missing 0"; fi',
    `echo "forward $(getent ahostsv4 ${shellWord(packageDnsName)} | cut -d ' ' -f 1 | sort -u | tr '\\n' ' ')"`,
    `echo "forward6 $(getent ahostsv6 ${shellWord(packageDnsName)} | cut -d ' ' -f 1 | grep -v '^::ffff:' | sort -u | tr '\\n' ' ')"`,
    `echo "backward $(getent hosts ${shellWord(packageAddress)} | cut -s -d ' ' -f 2- | tr '\\n' ' ')"`,
    `ip -o ${familyOption(packageSubnet)} route show 2>/dev/null | sed -n ${shellWord(`s|^\\(${packageSubnet.split('/')[0]?.replaceAll('.', '\\.')}/[0-9]*\\) .*dev \\([^ ]*\\).*|network \\1 \\2|p`)} | while read -r word network device; do`,
    '  echo "network $network $device $(cat /sys/class/net/"$device"/mtu 2>/dev/null)"',
    'done',
    'command -v vgs >/dev/null 2>&1 && echo "lvm present"',
    `tags=$(vgs --noheadings -o vg_tags ${shellWord(volumeGroup)} 2>/dev/null) && echo "group $tags"`,
    `[ -e ${shellWord(deviceOf(settings))} ] && echo 'active yes'`,
    `[ ! -b ${shellWord(deviceOf(settings))} ] || dumpe2fs -h ${shellWord(deviceOf(settings))} 2>/dev/null | sed -n 's/^Filesystem features: */features /p'`,
    // LVM evaluates all its files; a setting that no file has is an error, and off.
    'if command -v lvmconfig >/dev/null 2>&1; then echo "hosttags $(lvmconfig tags/hosttags 2>/dev/null || echo hosttags=0)"; fi',
    // cfservd compares the time of its rules with that of its last reading [cfengine.md 1.13].
    ...(settings.cfengineGeneration === 2
      ? [
          `written=$(stat -c %Y ${shellWord(`${cfengineWorkDirectory}/inputs/cfservd.conf`)} 2>/dev/null) && echo "rules-age $(($(date +%s) - written))"`,
        ]
      : []),
    `echo "daemon $(${shellWord(daemonProgram)} --version 2>/dev/null | head -n 1)"`,
    `for place in ${engineShell.directories.join(' ')} /tmp ${shellWord(cfengineWorkDirectory)}; do free=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }'); echo "free \${free:--} $place"; done`,
    `if ${mountedTest(mountPoint)}; then ${spaceLine(mountPoint)}; fi`,
    ...hardenedLines(settings),
    ...addressViewLines(packageAddress, addressTest(packageAddress)),
    ...toolkitLook(settings).lines,
    ...alertStateLines(settings),
    ...peerLook(lastSeenList).lines,
    ...programLines,
    'echo "uid $(id -u)"',
    'echo "clock $(date +%s.%N)"',
  ];
  return { lines, read: ({ text }) => parseFacts(text) };
}

/** null: another format. */
export function parseFacts(output: string): MemberFacts | null {
  const facts = new Map([...saidIn(output)].map(([word, rests]) => [word, rests.map((rest) => rest.trim())]));
  return facts.has('clock') ? facts : null;
}

interface Check {
  readonly name: string;
  readonly judge: (one: Looked, input: CheckInput) => Findings;
}

const checks: readonly Check[] = [
  { name: 'mount-point', judge: judgeMountPoint },
  { name: 'fstab', judge: judgeFstab },
  { name: 'other-mounts', judge: judgeOtherMounts },
  { name: 'name', judge: judgeName },
  { name: 'network', judge: judgeNetwork },
  { name: 'shared-address', judge: judgeSharedAddresses },
  { name: 'volume-group', judge: judgeVolumeGroup },
  { name: 'programs', judge: judgePrograms },
  { name: 'noexec', judge: judgeNoexec },
  { name: 'scripts', judge: judgeScripts },
  { name: 'node', judge: judgeNode },
  { name: 'toolkit', judge: judgeToolkit },
  { name: 'daemon', judge: judgeDaemon },
  { name: 'rules', judge: judgeRulesAge },
  { name: 'selinux', judge: judgeSelinux },
  { name: 'labels', judge: judgeLabels },
  { name: 'fips', judge: judgeFips },
  { name: 'enterprise', judge: judgeEnterprise },
  { name: 'port', judge: judgePorts },
  { name: 'mtu', judge: judgeSizes },
  { name: 'client-port', judge: judgeClientPorts },
  { name: 'client-mtu', judge: judgeClientSizes },
  { name: 'space', judge: judgeSpace },
  { name: 'address', judge: judgeAddress },
  { name: 'clock', judge: judgeClock },
  { name: 'alerts', judge: judgeAlerts },
];

function judgeName({ member, facts }: Looked, { settings }: CheckInput): Findings {
  if (!facts.has('forward')) return [{ leftOut: 'the report of the member was cut short' }];
  const { packageDnsName: name, packageAddress: address } = settings;
  const isSix = isIpv6(address);
  const forward = words(first(facts, isSix ? 'forward6' : 'forward'));
  const backward = words(first(facts, 'backward')).map((one) => one.replace(/\.$/, '').toLowerCase());
  const problems: Problem[] = [];
  if (!(forward.length === 1 && forward[0] === address))
    problems.push(
      problem(
        'error',
        'name',
        member,
        `${name} resolves to ${forward.join(', ') || 'nothing'}, not to ${address}`,
        'register it in DNS or /etc/hosts',
      ),
    );
  const others = words(first(facts, isSix ? 'forward' : 'forward6'));
  if (others.length > 0)
    problems.push(
      problem(
        'warning',
        'name',
        member,
        `${name} also resolves to ${others.join(', ')}: the package has one address, and clients may try the other one first`,
        `remove the ${isSix ? 'A' : 'AAAA'} record of this name`,
      ),
    );
  if (!backward.includes(name.toLowerCase()))
    problems.push(
      problem(
        'error',
        'name',
        member,
        `${address} resolves to ${backward.join(', ') || 'nothing'}, not to ${name}; cfengine needs both directions`,
        'register the reverse entry (PTR), too',
      ),
    );
  return problems;
}

function judgeNetwork({ member, facts }: Looked, { settings, members }: CheckInput): readonly Problem[] {
  const [network, device, mtu] = words(first(facts, 'network'));
  if (network === undefined || device === undefined) {
    const text = `no interface is in ${settings.packageSubnet}: ${settings.packageAddress} cannot be added here`;
    return [
      problem(
        'error',
        'network',
        member,
        text,
        `check ip ${familyOption(settings.packageSubnet)} route; correct package_subnet, or remove the member from members`,
      ),
    ];
  }
  const others = members.flatMap(({ facts: other }) => words(other === null ? '' : first(other, 'network'))[2] ?? []);
  const most = Math.max(...others.map(Number));
  if (Number(mtu) >= most) return [];
  const text = `${device} has MTU ${mtu}, another member has ${most}: large packets get lost, small ones do not`;
  return [problem('warning', 'network', member, text, `ip link set ${device} mtu ${most}, on all members and the switch`)];
}

function judgeDaemon({ member, facts }: Looked, { members }: CheckInput): readonly Problem[] {
  const version = first(facts, 'daemon') ?? '';
  if (version === '')
    return [
      problem(
        'error',
        'daemon',
        member,
        'the cfengine daemon cannot be run',
        'install cfengine there, or correct cfengine_bin_directory',
      ),
    ];
  const others = members.filter(
    (one) => one.member !== member && one.facts !== null && (first(one.facts, 'daemon') ?? '') !== version,
  );
  const [other] = others;
  if (other?.facts == null || (first(other.facts, 'daemon') ?? '') === '') return [];
  const text = `${version}, but ${first(other.facts, 'daemon')} on ${other.member}: clients would get the policy from either version`;
  return [problem('warning', 'daemon', member, text, 'install the same version on all members')];
}

/** If the clock was set back, cfservd rereads the file at each connection, which then finds no rules. */
function judgeRulesAge({ member, facts }: Looked, { settings: { cfengineWorkDirectory } }: CheckInput): readonly Problem[] {
  const age = Number(first(facts, 'rules-age') ?? 0);
  if (!(age < -1)) return [];
  const file = `${cfengineWorkDirectory}/inputs/cfservd.conf`;
  const text = `${file} is dated ${-age} s in the future: until then cfservd rereads it again and again, and refuses the connection that it has at that moment`;
  return [problem('warning', 'rules', member, text, `date   (is the clock right?), then touch ${file}`)];
}

/** Reported for the active member, from what the others observe. */
function judgeAddress({ member }: Looked, { settings, members, owner }: CheckInput): Findings {
  if (member !== owner) return [];
  const witnesses = members.map(({ member: other, facts }) => ({
    member: other,
    seen: facts && {
      address: facts.has('address'),
      view: readAddressView(first(facts, 'cards'), first(facts, 'behind')),
    },
  }));
  const outside = outsideView(witnesses, owner);
  const isKnown = outside.reached.length + outside.misled.length + outside.lost.length > 0;
  return outsideAdvice(outside, owner, settings.packageAddress).map(({ text, remedy }) =>
    isKnown ? problem(outside.misled.length > 0 ? 'error' : 'warning', 'address', member, text, remedy) : { leftOut: text },
  );
}

function judgeClock({ member, clock }: Looked): readonly Problem[] {
  if (!isClockOff(clock)) return [];
  const text = `the clock is ${clockText(clock)}`;
  return [problem('warning', 'clock', member, text, 'run chronyd or ntpd on every member')];
}

/** Packages must not share storage or addresses; no engine checks that [serviceguard.md 2.7]. */
function judgeOtherPackages({ settings, others }: CheckInput): Problem[] {
  const ours = { ...settings };
  const { definition } = engineFor(settings).observation;
  return others.flatMap(({ name, claims }) => {
    const clash = (text: string): Problem =>
      errorProblem(
        'check-other-packages',
        `package ${name} ${text}`,
        `change one of them; ${typed([definition(name)])} prints that package`,
      );
    const nested = claims.mountPoints.filter((directory) => overlap(directory, ours.mountPoint));
    return [
      ...nested.map((directory) => clash(`mounts ${directory}, which overlaps ${ours.mountPoint}`)),
      ...(claims.volumeGroups.includes(ours.volumeGroup) ? [clash(`uses the same volume group ${ours.volumeGroup}`)] : []),
      ...claims.addresses
        .filter((address) => address === ours.packageAddress)
        .map((address) => clash(`has the same address ${address}`)),
    ];
  });
}

function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

export interface CheckReport {
  readonly problems: readonly Problem[];
  /** Facts that are no problem. */
  readonly notes: readonly string[];
  readonly nodes: readonly NodeFacts[];
  readonly looks: number;
  /** Checks that were impossible; they never count as passed. */
  readonly leftOut: readonly { readonly name: string; readonly member: string; readonly why: string }[];
}

/** The engine compares names letter by letter, and csync takes another spelling for a member outside the cluster. */
function judgeSpelling({ settings, clusterMembers }: CheckInput): Problem[] {
  return settings.members.flatMap((member) => {
    const named = clusterMembers.includes(member) ? undefined : clusterMembers.find((one) => isSameHost(one, member));
    if (named === undefined) return [];
    const text = `csync.yaml calls this member ${member}, the cluster calls it ${named}: commands of the cluster refuse the other name`;
    return [problem('error', 'member-name', member, text, `write ${named} in members of csync.yaml`)];
  });
}

/** Every check for every member. */
export function judgeChecks(input: CheckInput): CheckReport {
  const problems: Problem[] = [...(input.hazards ?? []), ...judgeOtherPackages(input), ...judgeSpelling(input)];
  const scripted = input.others.flatMap(({ name, claims: { elsewhere } }) =>
    elsewhere === null
      ? []
      : [`package ${name} is a legacy one: its storage and addresses are in ${elsewhere}, which csync does not read`],
  );
  const leftOut = [...input.unreadOthers, ...scripted].map((why) => ({ name: 'other-packages', member: 'the cluster', why }));
  let looks = leftOut.length === 0 ? 1 : 0;
  for (const one of input.members) {
    const { member, facts, noAnswer } = one;
    if (facts === null) {
      problems.push(problem('error', 'unreachable', member, `cannot be checked: ${noAnswer.why}`, noAnswer.remedy));
      leftOut.push(...checks.map(({ name }) => ({ name, member, why: 'unreachable' })));
      continue;
    }
    for (const { name, judge } of checks) {
      const found = judge({ ...one, facts }, input);
      const missing = found.flatMap((finding) => ('leftOut' in finding ? [{ name, member, why: finding.leftOut }] : []));
      problems.push(...found.flatMap((finding) => ('leftOut' in finding ? [] : [finding])));
      leftOut.push(...missing);
      if (missing.length === 0) looks += 1;
    }
  }
  const nodes = input.members.flatMap((one) => (one.facts === null ? [] : nodeOf({ ...one, facts: one.facts }, input)));
  return { problems, notes: [...doubleMountNotes(input), ...sharedNotes(input)], nodes, looks, leftOut };
}
