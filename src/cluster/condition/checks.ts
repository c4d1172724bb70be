/**
 * What can be known about the members before a package is applied: what cmcheckconf looks at, and what HP's own list says
 * it does not [serviceguard.md 2.7]: fstab entries, volume groups activated at boot, overlapping mount points, DNS, and
 * everything in which members must agree. A script looks, a table of checks judges. Pure.
 */

import type { Problem } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import { runtimeName } from '../../contract/package-directory.ts';
import { deviceOf, mountsAtBoot } from '../../contract/policy-file-system.ts';
import { roomBy, spaceLine } from '../../contract/space.ts';
import type { NoAnswer } from '../../host/admin/member-shell.ts';
import { type PackageContent, packageContent } from '../../serviceguard/package-content.ts';
import type { PackageFile } from '../../serviceguard/package-file.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Clock, clockText, isClockOff } from '../remote/answers.ts';
import { addressViewLines, outsideAdvice, outsideView, readAddressView } from '../remote/outside.ts';
import { namedDigest, readNodeVersion } from '../remote/package-look.ts';
import { addressTest, mountedTest } from '../remote/shell-text.ts';
import { type Client, peerLines, type Reach } from './clients.ts';

/** What a member said of itself: for each word the rests of its lines, in order. */
export type MemberFacts = ReadonlyMap<string, readonly string[]>;

export interface CheckedMember {
  readonly member: string;
  /** null: cannot be looked at. */
  readonly facts: MemberFacts | null;
  /** What to say where it cannot be looked at. */
  readonly noAnswer: NoAnswer;
  readonly clock: Clock;
  /** How other members and the clients are reached from there. */
  readonly reach: readonly Reach[];
}

export interface CheckInput {
  readonly settings: Settings;
  readonly members: readonly CheckedMember[];
  /** Configurations of the other packages of the cluster. */
  readonly others: readonly PackageFile[];
  /** The member the package runs on: mount and address are right there. */
  readonly owner: string | null;
  /** Those whose way was looked at; null: no member can tell who they are. */
  readonly clients: readonly Client[] | null;
}

/** Lines that print what parseFacts and parsePeers read, behind what lookScript prints of the package directory. */
export function checkLines(settings: Settings, daemonProgram: string, lastSeenList: readonly string[]): string[] {
  const { mountPoint, packageDnsName, packageAddress, packageSubnet, volumeGroup, cfengineWorkDirectory } = settings;
  return [
    "sed -n 's/^[[:space:]]*\\([^#[:space:]].*\\)/fstab \\1/p' /etc/fstab 2>/dev/null",
    "sed 's/^/mount /' /proc/self/mounts",
    `point=${shellWord(mountPoint)}`,
    'if [ -d "$point" ]; then echo "point directory $(ls -A "$point" | wc -l)"; elif [ -e "$point" ]; then echo "point other 0"; else echo "point missing 0"; fi',
    `echo "forward $(getent ahostsv4 ${shellWord(packageDnsName)} | cut -d ' ' -f 1 | sort -u | tr '\\n' ' ')"`,
    `echo "backward $(getent hosts ${shellWord(packageAddress)} | cut -s -d ' ' -f 2- | tr '\\n' ' ')"`,
    `ip -o -4 route show 2>/dev/null | sed -n ${shellWord(`s|^\\(${packageSubnet.replaceAll('.', '\\.')}/[0-9]*\\) .*dev \\([^ ]*\\).*|network \\1 \\2|p`)} | while read -r word network device; do`,
    '  echo "network $network $device $(cat /sys/class/net/"$device"/mtu 2>/dev/null)"',
    'done',
    'command -v vgs >/dev/null 2>&1 && echo "lvm present"',
    `tags=$(vgs --noheadings -o vg_tags ${shellWord(volumeGroup)} 2>/dev/null) && echo "group $tags"`,
    `[ -e ${shellWord(deviceOf(settings))} ] && echo 'active yes'`,
    `[ ! -b ${shellWord(deviceOf(settings))} ] || dumpe2fs -h ${shellWord(deviceOf(settings))} 2>/dev/null | sed -n 's/^Filesystem features: */features /p'`,
    "grep -q '^[[:space:]]*hosttags[[:space:]]*=[[:space:]]*1' /etc/lvm/lvm.conf 2>/dev/null && echo 'hosttags on'",
    `echo "daemon $(${shellWord(daemonProgram)} --version 2>/dev/null | head -n 1)"`,
    `for place in "$SGCONF" "$SGRUN" /tmp ${shellWord(cfengineWorkDirectory)}; do free=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }'); echo "free \${free:--} $place"; done`,
    `if ${mountedTest(mountPoint)}; then ${spaceLine(mountPoint)}; fi`,
    ...addressViewLines(packageAddress, addressTest(packageAddress)),
    ...peerLines(lastSeenList),
    'echo "clock $(date +%s.%N)"',
  ];
}

/** Reads what checkLines printed; null when it is not that. */
export function parseFacts(output: string): MemberFacts | null {
  const facts = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, word, rest = ''] = /^(\S+) ?(.*)$/s.exec(line) ?? [];
    if (word === undefined) continue;
    const rests = facts.get(word) ?? [];
    rests.push(rest.trim());
    facts.set(word, rests);
  }
  return facts.has('clock') ? facts : null;
}

interface Looked extends CheckedMember {
  readonly facts: MemberFacts;
}

/** Why something could not be looked at on a member. */
interface LeftOut {
  readonly leftOut: string;
}

type Findings = readonly (Problem | LeftOut)[];

interface Check {
  /** Names the check in the list of what was looked at. */
  readonly name: string;
  readonly judge: (one: Looked, input: CheckInput) => Findings;
}

const freeLimitKilobytes = 50_000;

const first = (facts: MemberFacts, word: string): string | undefined => facts.get(word)?.[0];
const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter((word) => word !== '');

function problem(severity: Problem['severity'], name: string, member: string, text: string, remedy: string): Problem {
  return { code: `check-${name}`, severity, text, remedy, member };
}

/** One row a check, in the order of the report. */
const checks: readonly Check[] = [
  { name: 'mount-point', judge: judgeMountPoint },
  { name: 'fstab', judge: judgeFstab },
  { name: 'other-mounts', judge: judgeOtherMounts },
  { name: 'name', judge: judgeName },
  { name: 'network', judge: judgeNetwork },
  { name: 'volume-group', judge: judgeVolumeGroup },
  { name: 'scripts', judge: judgeScripts },
  { name: 'node', judge: judgeNode },
  { name: 'daemon', judge: judgeDaemon },
  { name: 'port', judge: judgePorts },
  { name: 'mtu', judge: judgeSizes },
  { name: 'client-port', judge: judgeClientPorts },
  { name: 'client-mtu', judge: judgeClientSizes },
  { name: 'space', judge: judgeSpace },
  { name: 'address', judge: judgeAddress },
  { name: 'clock', judge: judgeClock },
];

function judgeMountPoint({ member, facts }: Looked, { settings: { mountPoint }, owner }: CheckInput): Findings {
  const [kind, entries] = words(first(facts, 'point'));
  if (kind === undefined) return [{ leftOut: 'the look was cut short' }];
  if (kind === 'missing') return [problem('error', 'mount-point', member, `${mountPoint} is missing`, `mkdir ${mountPoint}`)];
  if (kind === 'other')
    return [problem('error', 'mount-point', member, `${mountPoint} is no directory`, 'move it away; mkdir it')];
  const mounted = (facts.get('mount') ?? []).some((line) => line.split(' ')[1] === mountPoint);
  if (mounted && owner === member) return [];
  if (mounted)
    return [
      problem(
        'error',
        'mount-point',
        member,
        `something is mounted at ${mountPoint}, and the package is not here`,
        `umount ${mountPoint}`,
      ),
    ];
  if (entries === '0') return [];
  const text = `${mountPoint} is not empty while unmounted: clients of a daemon here would take that for the policy, and purge theirs`;
  return [problem('error', 'mount-point', member, text, `see what it is, and move it away: ls -A ${mountPoint}`)];
}

function judgeFstab({ member, facts }: Looked, { settings }: CheckInput): readonly Problem[] {
  return (facts.get('fstab') ?? []).flatMap((line) => {
    if (!mountsAtBoot(settings, words(line))) return [];
    const [source = '', target = ''] = words(line);
    const text = `/etc/fstab mounts ${source} at ${target} at boot, behind Serviceguard's back`;
    return [problem('error', 'fstab', member, text, 'take the line out, or give it the option noauto')];
  });
}

function judgeOtherMounts({ member, facts }: Looked, { settings: { mountPoint } }: CheckInput): readonly Problem[] {
  return (facts.get('mount') ?? []).flatMap((line) => {
    const [source = '', target = ''] = line.split(' ');
    if (!target.startsWith(`${mountPoint}/`)) return [];
    const text = `${source} is mounted at ${target}, below the mount point: it would keep the policy file system from being unmounted`;
    return [problem('error', 'other-mounts', member, text, `mount it elsewhere: umount ${target}`)];
  });
}

function judgeName({ member, facts }: Looked, { settings }: CheckInput): Findings {
  if (!facts.has('forward')) return [{ leftOut: 'the look was cut short' }];
  const { packageDnsName: name, packageAddress: address } = settings;
  const forward = words(first(facts, 'forward'));
  const backward = words(first(facts, 'backward')).map((one) => one.replace(/\.$/, '').toLowerCase());
  const problems: Problem[] = [];
  if (!(forward.length === 1 && forward[0] === address))
    problems.push(
      problem(
        'error',
        'name',
        member,
        `${name} is ${forward.join(', ') || 'not known'}, not ${address}`,
        'register it in DNS or /etc/hosts',
      ),
    );
  if (!backward.includes(name.toLowerCase()))
    problems.push(
      problem(
        'error',
        'name',
        member,
        `${address} is ${backward.join(', ') || 'not known'}, not ${name}: cfengine looks both ways`,
        'register the way back, too',
      ),
    );
  return problems;
}

function judgeNetwork({ member, facts }: Looked, { settings, members }: CheckInput): readonly Problem[] {
  const [network, device, mtu] = words(first(facts, 'network'));
  if (network === undefined || device === undefined) {
    const text = `no interface is in ${settings.packageSubnet}: ${settings.packageAddress} could not be added here`;
    return [problem('error', 'network', member, text, 'ip -4 route; correct package_subnet, or take the member out of the list')];
  }
  const others = members.flatMap(({ facts: other }) => words(other === null ? '' : first(other, 'network'))[2] ?? []);
  const most = Math.max(...others.map(Number));
  if (Number(mtu) >= most) return [];
  const text = `${device} has MTU ${mtu}, another member ${most}: large answers are lost on the way, small ones are not`;
  return [problem('warning', 'network', member, text, `ip link set ${device} mtu ${most}, on all members and the switch alike`)];
}

function judgeVolumeGroup({ member, facts }: Looked, { settings: { volumeGroup }, owner }: CheckInput): Findings {
  if (!facts.has('lvm')) return [{ leftOut: 'LVM (vgs) is missing there' }];
  if (!facts.has('group'))
    return [
      problem(
        'error',
        'volume-group',
        member,
        `there is no volume group ${volumeGroup}`,
        'vgs; is the disk shared with this member?',
      ),
    ];
  const problems: Problem[] = [];
  const tags = words(first(facts, 'group')?.replaceAll(',', ' '));
  if (!facts.has('hosttags'))
    problems.push(
      problem(
        'warning',
        'volume-group',
        member,
        `LVM knows no host tags here, so nothing keeps ${volumeGroup} from being activated at boot, or twice`,
        'tags { hosttags = 1 } in /etc/lvm/lvm.conf, volume_list = ["@HOSTNAME"] in /etc/lvm/lvm_HOSTNAME.conf',
      ),
    );
  if (facts.has('active') && owner !== member)
    problems.push(
      problem(
        'error',
        'volume-group',
        member,
        `${volumeGroup} is active here although the package is not: activated at boot, or left over; two members could mount it at once`,
        `vgchange -a n ${volumeGroup}; keep it from the next boot (host tags, auto_activation_volume_list)`,
      ),
    );
  if (owner === null && tags.length > 0)
    problems.push(
      problem(
        'warning',
        'volume-group',
        member,
        `${volumeGroup} carries the tag ${tags.join(', ')} although the package is down`,
        `vgchange --deltag ${tags[0]} ${volumeGroup}`,
      ),
    );
  return problems;
}

/** Digests of what is run from the package directory; the package file is used from one member only, and logs are logs. */
function scriptsOf(facts: MemberFacts | null): ReadonlyMap<string, string> {
  const files = (facts?.get('digest') ?? []).flatMap((line) => {
    const named = namedDigest(line);
    return named === null ? [] : [named];
  });
  return new Map(files.filter(([name]) => !/^\.|^history\/|\.(conf|log)$/.test(name)));
}

/** Against what most members have; whether that is what csync.yaml says now is csync diff's question. */
function judgeScripts({ member, facts }: Looked, { members }: CheckInput): readonly Problem[] {
  const own = scriptsOf(facts);
  const all = members
    .map((one) => ({ member: one.member, scripts: scriptsOf(one.facts) }))
    .filter(({ scripts }) => scripts.size > 0);
  if (all.length === 0) return [];
  const commonly = (name: string): string | undefined => {
    const digests = all.map(({ scripts }) => scripts.get(name));
    const count = (digest: string | undefined): number => digests.filter((one) => one === digest).length;
    return [...digests].sort((one, other) => count(other) - count(one))[0];
  };
  const names = [...new Set(all.flatMap(({ scripts }) => [...scripts.keys()]))].filter(
    (name) => own.get(name) !== commonly(name),
  );
  if (names.length === 0) return [];
  const text = `${names.sort().join(', ')} ${names.length === 1 ? 'is' : 'are'} not as on most members: the package would run with something else here`;
  return [problem('warning', 'scripts', member, text, 'csync diff   shows which is wanted; csync apply distributes it')];
}

/** The runtime of the package directory, where there is one, is what the launchers take. */
function judgeNode({ member, facts }: Looked, { settings: { nodePath, packageDirectory } }: CheckInput): readonly Problem[] {
  const carried = facts.has('runtime');
  const version = readNodeVersion(first(facts, carried ? 'runtime' : 'node') ?? '');
  if (isNodeNewEnough(version)) return [];
  const file = carried ? `${packageDirectory}/${runtimeName}` : nodePath;
  const text = version === null ? `${file} cannot be run` : `${file} is v${version}`;
  const remedy = carried
    ? 'csync apply --with-runtime=FILE   carries another one there; --without-runtime goes back to node_path'
    : `install Node.js ${oldestNode} or newer there, correct node_path, or carry one along: csync apply --with-runtime`;
  return [problem('error', 'node', member, text, remedy)];
}

/** What is well in a way that surprises: a member without Node.js that needs none. */
function runtimeNotes({ settings: { nodePath }, members }: CheckInput): string[] {
  return members.flatMap(({ member, facts }) => {
    if (facts === null || isNodeNewEnough(readNodeVersion(first(facts, 'node') ?? ''))) return [];
    const version = readNodeVersion(first(facts, 'runtime') ?? '');
    if (!isNodeNewEnough(version)) return [];
    return [
      `${member} has no Node.js ${oldestNode} at ${nodePath}, and needs none: the package carries its own runtime (${version})`,
    ];
  });
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
  const text = `${version}, but ${first(other.facts, 'daemon')} on ${other.member}: the policy would be served by either`;
  return [problem('warning', 'daemon', member, text, 'bring all members to one version')];
}

const noPort: Findings = [{ leftOut: 'bash, which opens a connection without a program of its own, is missing there' }];
const noPing: Findings = [{ leftOut: 'ping of iputils, which alone can forbid fragments, is missing there' }];
const noClients: Findings = [{ leftOut: "no member could read cfengine's list of who was there: that takes root" }];
const noClientYet: Findings = [{ leftOut: 'no client has asked a member yet' }];

function toMembers({ member, reach }: Looked, { settings: { members } }: CheckInput): readonly Reach[] {
  return reach.filter(({ target }) => target !== member && members.includes(target));
}

function toClients({ reach }: Looked, { clients }: CheckInput): readonly Reach[] {
  return reach.filter(({ target }) => clients?.some(({ address }) => address === target));
}

function judgePorts(one: Looked, input: CheckInput): Findings {
  const { member } = one;
  const { cfenginePort: port } = input.settings;
  const asked = toMembers(one, input).filter((each) => each.port !== null);
  if (asked.length === 0 && input.settings.members.length > 1) return noPort;
  return asked.flatMap((each) => {
    if (each.port === 'answers') return [];
    const why =
      each.port === 'silent' ? 'no answer: a firewall, most likely' : 'refused: no daemon runs there, or the name is wrong';
    const text = `port ${port} of ${each.target} cannot be reached from here (${why})`;
    return [problem('warning', 'port', member, text, `on ${each.target}: ss -ltn; on ${member}: nc -vz ${each.target} ${port}`)];
  });
}

/** Clients fetch policy by themselves; their port is for remote runs (cfrun, cf-runagent), from whoever is the master. */
function judgeClientPorts(one: Looked, input: CheckInput): Findings {
  const { cfenginePort: port } = input.settings;
  if (input.clients === null) return noClients;
  if (input.clients.length === 0) return noClientYet;
  const asked = toClients(one, input).filter((each) => each.port !== null);
  if (asked.length === 0) return noPort;
  const deaf = asked.filter((each) => each.port !== 'answers').map(({ target }) => target);
  if (deaf.length === 0) return [];
  const text = `port ${port} of ${deaf.length} of ${asked.length} clients cannot be reached from here: ${named(deaf, input)}; they fetch policy, but a remote run from this member would not reach them`;
  const remedy = `does the cfengine daemon run there, is a firewall between? on ${one.member}: nc -vz ${deaf[0]} ${port}`;
  return [problem('warning', 'client-port', one.member, text, remedy)];
}

function judgeSizes(one: Looked, input: CheckInput): Findings {
  if (input.settings.members.length < 2) return [];
  return judgeSize('mtu', one, toMembers(one, input), input);
}

function judgeClientSizes(one: Looked, input: CheckInput): Findings {
  if (input.clients === null) return noClients;
  return input.clients.length === 0 ? noClientYet : judgeSize('client-mtu', one, toClients(one, input), input);
}

/** A path with a smaller MTU that says so is fine; one that swallows large packets looks well until a large file is served. */
function judgeSize(name: string, { member }: Looked, reach: readonly Reach[], input: CheckInput): Findings {
  const asked = reach.filter(({ size }) => size !== null);
  if (asked.length === 0) return noPing;
  const those = (size: Reach['size']): string[] => asked.filter((each) => each.size === size).map(({ target }) => target);
  const [lost, silent] = [those('lost'), those('silent')];
  const text = `packets as large as the interface allows are lost on the way to ${named(lost, input)}, small ones are not: a large policy file never arrives`;
  const remedy = `make the MTU the same on both hosts and what is between; on ${member}: ping -M do -s 1472 ${lost[0]}`;
  return [
    ...(lost.length === 0 ? [] : [problem('warning', name, member, text, remedy)]),
    ...(silent.length === 0 ? [] : [{ leftOut: `no answer to ping from ${named(silent, input)}` }]),
  ];
}

const namedAtMost = 10;

/** Clients by name and address; of many, the first. */
function named(targets: readonly string[], { clients }: CheckInput): string {
  const texts = targets.slice(0, namedAtMost).map((target) => {
    const name = clients?.find(({ address }) => address === target)?.name ?? null;
    return name === null ? target : `${name} (${target})`;
  });
  const more = targets.length - texts.length;
  return `${texts.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function judgeSpace({ member, facts }: Looked, { settings: { mountPoint } }: CheckInput): Findings {
  const places = facts.get('free') ?? [];
  if (places.length === 0) return [{ leftOut: 'the look was cut short' }];
  const policy = (facts.get('space') ?? []).flatMap((said): Findings => {
    const room = roomBy(said);
    if (room === 'enough') return [];
    if (room === 'unknown') return [{ leftOut: `stat -f prints nothing for ${mountPoint}` }];
    const text = `on the policy file system at ${mountPoint} ${room.short}: a full one takes no new policy`;
    return [problem('warning', 'space', member, text, `make room below ${mountPoint}, or enlarge the file system`)];
  });
  const others = places.map(words).flatMap(([kilobytes = '', place = '']): Findings => {
    if (!/^\d+$/.test(kilobytes)) return [{ leftOut: `df prints nothing for ${place}` }];
    if (Number(kilobytes) >= freeLimitKilobytes) return [];
    const text = `${place} has ${Math.floor(Number(kilobytes) / 1000)} MB left: scripts, sets of the history and the package log need room`;
    return [problem('warning', 'space', member, text, `make room below ${place}`)];
  });
  return [...policy, ...others];
}

/** Told of the member on which the package runs, by what the others see. */
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
  return [problem('warning', 'clock', member, text, 'let chrony or ntpd run on every member')];
}

/** Storage and addresses of one package must not be another's [serviceguard.md 2.7: not looked at by cmcheckconf]. */
function judgeOtherPackages({ settings, others }: CheckInput): Problem[] {
  const ours = { ...settings };
  return others.map(packageContent).flatMap((other: PackageContent) => {
    const clash = (text: string): Problem => ({
      code: 'check-other-packages',
      severity: 'error',
      text: `package ${other.name} ${text}`,
      remedy: `give one of them another; cmgetconf -p ${other.name} shows that one`,
    });
    const nested = other.fileSystems.filter(({ directory }) => overlap(directory, ours.mountPoint));
    return [
      ...nested.map(({ directory }) => clash(`mounts at ${directory}, which overlaps ${ours.mountPoint}`)),
      ...(other.volumeGroups.includes(ours.volumeGroup) ? [clash(`uses volume group ${ours.volumeGroup}, too`)] : []),
      ...other.addresses
        .filter(({ address }) => address === ours.packageAddress)
        .map(({ address }) => clash(`has the address ${address}, too`)),
    ];
  });
}

/** Host tags keep a volume group from being activated twice; this is the second line behind them, where there is a file system that has one. */
function doubleMountNotes({ settings, members }: CheckInput): string[] {
  const features = members.flatMap(({ facts }) => facts?.get('features') ?? [])[0];
  if (settings.fileSystemType !== 'ext4' || features === undefined || words(features).includes('mmp')) return [];
  const device = deviceOf(settings);
  return [
    `${device} has no multiple mount protection (mmp): only the tag of its volume group keeps a second member from mounting it. With the package halted and the volume group active on one member: tune2fs -O mmp ${device}; a mount then takes up to 30 s longer after a crash (docs/threat-model.md)`,
  ];
}

function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

export interface CheckReport {
  readonly problems: readonly Problem[];
  /** A sentence each; nothing is wrong there. */
  readonly notes: readonly string[];
  /** How many looks were taken, over all members. */
  readonly looks: number;
  /** Checks that could not be looked at; never counted as good. */
  readonly leftOut: readonly { readonly name: string; readonly member: string; readonly why: string }[];
}

/** Every check on every member. */
export function judgeChecks(input: CheckInput): CheckReport {
  const problems: Problem[] = judgeOtherPackages(input);
  const leftOut: CheckReport['leftOut'][number][] = [];
  let looks = 1;
  for (const one of input.members) {
    const { member, facts, noAnswer } = one;
    if (facts === null) {
      problems.push(problem('error', 'unreachable', member, `cannot be looked at: ${noAnswer.why}`, noAnswer.remedy));
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
  return { problems, notes: [...runtimeNotes(input), ...doubleMountNotes(input)], looks, leftOut };
}
