/**
 * What can be known about the members before a package is applied: what cmcheckconf looks at, and what HP's own list says
 * it does not [serviceguard.md 2.7]: fstab entries, volume groups activated at boot, overlapping mount points, DNS, and
 * everything in which members must agree. A script looks, a table of checks judges. Pure.
 */
import type { Problem } from '../problem.ts';
import { type PackageContent, packageContent } from '../serviceguard/package-content.ts';
import type { PackageFile } from '../serviceguard/package-file.ts';
import type { Settings } from '../settings.ts';
import { script, shellWord } from './member-scripts.ts';

/** What a member said of itself: for each word the rests of its lines, in order. */
export type MemberFacts = ReadonlyMap<string, readonly string[]>;

export interface CheckedMember {
  readonly member: string;
  /** null: cannot be looked at. */
  readonly facts: MemberFacts | null;
  readonly why: string;
  readonly clockAhead: number;
  readonly clockDoubt: number;
}

export interface CheckInput {
  readonly settings: Settings;
  readonly members: readonly CheckedMember[];
  /** Configurations of the other packages of the cluster. */
  readonly others: readonly PackageFile[];
  /** The member the package runs on: mount and address are right there. */
  readonly owner: string | null;
}

/** Prints what parseFacts reads. Members are asked for their port by each other. */
export function checkScript(settings: Settings, daemonProgram: string, member: string): string {
  const { mountPoint, packageDnsName, packageAddress, packageSubnet, cfenginePort, volumeGroup, nodePath } = settings;
  const peers = settings.members.filter((one) => one !== member);
  return script(
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
    "grep -q '^[[:space:]]*hosttags[[:space:]]*=[[:space:]]*1' /etc/lvm/lvm.conf 2>/dev/null && echo 'hosttags on'",
    `echo "node $(${shellWord(nodePath)} --version 2>/dev/null)"`,
    `echo "daemon $(${shellWord(daemonProgram)} --version 2>/dev/null | head -n 1)"`,
    'for place in "$SGCONF" "$SGRUN" /tmp; do echo "free $(df -Pk "$place" 2>/dev/null | awk -v place="$place" \'NR == 2 { print $4, place }\')"; done',
    'if command -v bash >/dev/null 2>&1; then',
    ...peers.map(
      (peer) => `  timeout 3 bash -c 'exec 3<>/dev/tcp/'${shellWord(peer)}/${cfenginePort} 2>/dev/null; echo "port ${peer} $?"`,
    ),
    'fi',
    'echo "clock $(date +%s.%N)"',
  );
}

/** Reads what checkScript printed; null when it is not that. */
export function parseFacts(output: string): MemberFacts | null {
  const facts = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, word, rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (word !== undefined) facts.set(word, [...(facts.get(word) ?? []), rest.trim()]);
  }
  return facts.has('clock') ? facts : null;
}

interface Looked extends CheckedMember {
  readonly facts: MemberFacts;
}

interface Check {
  /** Names the check in the list of what was looked at. */
  readonly name: string;
  /** Problems found; null: it could not be looked at on that member. */
  readonly judge: (one: Looked, input: CheckInput) => readonly Problem[] | null;
}

const freeLimitKilobytes = 50_000;
const clockLimitSeconds = 2;

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
  { name: 'node', judge: judgeNode },
  { name: 'daemon', judge: judgeDaemon },
  { name: 'port', judge: judgePorts },
  { name: 'space', judge: judgeSpace },
  { name: 'clock', judge: judgeClock },
];

function judgeMountPoint({ member, facts }: Looked, { settings: { mountPoint }, owner }: CheckInput): readonly Problem[] | null {
  const [kind, entries] = words(first(facts, 'point'));
  if (kind === undefined) return null;
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
  const device = `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
  const mapped = `/dev/mapper/${settings.volumeGroup.replaceAll('-', '--')}-${settings.logicalVolume.replaceAll('-', '--')}`;
  return (facts.get('fstab') ?? []).flatMap((line) => {
    const [source = '', target = '', , options = ''] = words(line);
    const ours = target === settings.mountPoint || source === device || source === mapped;
    if (!ours || options.split(',').includes('noauto')) return [];
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

function judgeName({ member, facts }: Looked, { settings }: CheckInput): readonly Problem[] | null {
  if (!facts.has('forward')) return null;
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

function judgeVolumeGroup(
  { member, facts }: Looked,
  { settings: { volumeGroup }, owner }: CheckInput,
): readonly Problem[] | null {
  if (!facts.has('lvm')) return null;
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

function judgeNode({ member, facts }: Looked, { settings: { nodePath } }: CheckInput): readonly Problem[] {
  const version = /^v(\d+)\.(\d+)/.exec(first(facts, 'node') ?? '');
  const [major = 0, minor = 0] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major > 20 || (major === 20 && minor >= 19)) return [];
  const text = version === null ? `${nodePath} cannot be run` : `${nodePath} is ${version[0]}`;
  return [problem('error', 'node', member, text, 'install Node.js 20.19 or newer there, or correct node_path')];
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

function judgePorts({ member, facts }: Looked, { settings: { cfenginePort } }: CheckInput): readonly Problem[] | null {
  const asked = facts.get('port');
  if (asked === undefined) return null;
  return asked.flatMap((line) => {
    const [peer = '', status] = words(line);
    if (status === '0') return [];
    const why = status === '124' ? 'no answer: a firewall, most likely' : 'refused: no daemon runs there, or the name is wrong';
    return [
      problem(
        'warning',
        'port',
        member,
        `port ${cfenginePort} of ${peer} cannot be reached from here (${why})`,
        `on ${peer}: ss -ltn; on ${member}: nc -vz ${peer} ${cfenginePort}`,
      ),
    ];
  });
}

function judgeSpace({ member, facts }: Looked): readonly Problem[] | null {
  const places = (facts.get('free') ?? []).map(words).filter(([kilobytes]) => kilobytes !== undefined);
  if (places.length === 0) return null;
  return places.flatMap(([kilobytes, place = '']) => {
    if (Number(kilobytes) >= freeLimitKilobytes) return [];
    const text = `${place} has ${Math.floor(Number(kilobytes) / 1000)} MB left: scripts, sets of the history and the package log need room`;
    return [problem('warning', 'space', member, text, `make room below ${place}`)];
  });
}

function judgeClock({ member, clockAhead, clockDoubt }: Looked): readonly Problem[] {
  if (Math.abs(clockAhead) - clockDoubt <= clockLimitSeconds) return [];
  const text = `the clock is ${Math.abs(clockAhead).toFixed(1)} s ${clockAhead > 0 ? 'ahead' : 'behind'}`;
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

function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

export interface CheckReport {
  readonly problems: readonly Problem[];
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
    const { member, facts, why } = one;
    if (facts === null) {
      problems.push(
        problem(
          'error',
          'unreachable',
          member,
          `cannot be looked at: ${why}`,
          `ssh -o BatchMode=yes ${member} true   must work without a question`,
        ),
      );
      leftOut.push(...checks.map(({ name }) => ({ name, member, why: 'unreachable' })));
      continue;
    }
    for (const { name, judge } of checks) {
      const found = judge({ ...one, facts }, input);
      if (found === null) leftOut.push({ name, member, why: 'what it is looked at with is missing there' });
      else looks += 1;
      problems.push(...(found ?? []));
    }
  }
  return { problems, looks, leftOut };
}
