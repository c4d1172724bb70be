/** What the wizard reads on a member, here and over ssh. Pure. */

import { isInPrefix, isIpv6, networkOf } from '../base/network.ts';
import { isNodeNewEnough } from '../base/version.ts';
export interface Address {
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
  /** As package_subnet has it. null: unknown. */
  readonly subnet: string | null;
}

export interface VolumeGroup {
  readonly name: string;
  readonly uuid: string;
  /** Host tags: the host that activated the group [serviceguard.md 7.1]. */
  readonly tags: string;
}

export interface LogicalVolume {
  readonly volumeGroup: string;
  readonly name: string;
  readonly size: string;
}

export interface CfengineFound {
  readonly generation: 2 | 3;
  readonly binDirectory: string;
}

/** null: could not be read; `why` has the reason by source. */
export interface MemberLook {
  readonly addresses: readonly Address[] | null;
  readonly volumeGroups: readonly VolumeGroup[] | null;
  readonly logicalVolumes: readonly LogicalVolume[] | null;
  /** Devices that are mounted or listed in /etc/fstab. */
  readonly devicesInUse: readonly string[];
  readonly cfengine: readonly CfengineFound[];
  /** Existing work directories that contain keys, the most likely first. */
  readonly workDirectories: readonly string[];
  readonly running: readonly (2 | 3)[];
  /** Absolute paths, version 20.19 or newer. */
  readonly nodePaths: readonly string[];
  readonly toolkitPaths: readonly string[];
  readonly domains: readonly string[];
  readonly why: ReadonlyMap<string, string>;
}

/** Besides PATH: of cfengine's own makefiles, its packages and DSAU [cfengine.md 1.1, 2.1; dsau-csync.md 4.1]. */
const programDirectories = ['/usr/bin', '/usr/sbin', '/usr/local/sbin', '/var/cfengine/bin', '/var/opt/dsau/cfengine/bin'];
/** Built into CFEngine 3 on Debian, upstream's, cfengine 2 on Debian, DSAU's [cfengine.md 1.1, 2.1]. */
export const workDirectories = ['/var/lib/cfengine3', '/var/cfengine', '/var/lib/cfengine2', '/var/opt/dsau/cfengine'];

/** A section ends with the exit status of its command; 127 is the shell's "not found". */
const section = (name: string, command: string): string => `echo "== ${name}"; { ${command}; } 2>/dev/null; echo "== end $?"`;
const lvm = "--noheadings --separator '|'";

/** For /bin/sh, with old options: `ip -j` and `--reportformat json` are newer than some of Serviceguard's systems. */
export const lookScript = [
  'PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"; LC_ALL=C; export PATH LC_ALL',
  section('addresses', 'ip -o addr show scope global'),
  // IPv6 subnets as the kernel computes them.
  section('networks', 'ip -o -6 route show; true'),
  section('volume groups', `vgs ${lvm} -o vg_name,vg_uuid,vg_tags`),
  section('logical volumes', `lvs ${lvm} -o vg_name,lv_name,lv_size`),
  section('devices', "cat /proc/self/mounts /etc/fstab | sed -n 's|^\\(/dev/[^ \\t]*\\).*|\\1|p'"),
  section(
    'cfengine',
    // cfengine's own packages link their programs from /usr/local/sbin.
    `for d in $(echo "$PATH" | tr : ' ') ${programDirectories.join(' ')}; do d=$(cd "$d" && pwd -P) || continue; ` +
      '[ -x "$d/cfservd" ] && echo "2 $d"; [ -x "$d/cf-serverd" ] || continue; real=$(dirname "$(readlink -f "$d/cf-serverd")"); ' +
      '{ [ -x "$real/cf-agent" ] && [ -x "$real/cf-key" ]; } || real=$d; echo "3 $real"; done; true',
  ),
  section('work directories', `for d in ${workDirectories.join(' ')}; do [ -d "$d/ppkeys" ] && echo "$d"; done; true`),
  // Not those of containers, which have their own pid namespace.
  section(
    'running',
    `for p in /proc/[0-9]*; do n=$(readlink "$p/ns/pid"); [ -z "$n" ] || [ "$n" = "$(readlink /proc/self/ns/pid)" ] || continue; cat "$p/comm"; done | sed -n 's/^cf-serverd$/3/p; s/^cfservd$/2/p' | sort -u`,
  ),
  section('node', 'for n in /usr/bin/node "$(command -v node)"; do [ -x "$n" ] && echo "$n $("$n" --version)"; done; true'),
  section('csync', 'for p in /usr/local/bin/csync /usr/bin/csync; do [ -x "$p" ] && echo "$p"; done; true'),
  // It takes 10 s or more if it does not answer.
  section(
    'domains',
    "sed -n 's/^\\(search\\|domain\\)[ \\t]*//p' /etc/resolv.conf; timeout 3 getent hosts \"$(uname -n)\" | sed -n 's/^[^ ]* *[^ .]*\\.\\([^ ]*\\).*/\\1/p'",
  ),
].join('\n');

/** The output may be incomplete. */
export function readLook(text: string): MemberLook {
  const sections = sectionsOf(text);
  const why = new Map<string, string>();
  const lines = (name: string): readonly string[] => sections.get(name)?.lines ?? [];
  const rows = <T>(name: string, program: string, read: (line: string) => T | null): T[] | null => {
    const status = sections.get(name)?.status ?? null;
    if (status !== 0) {
      why.set(name, status === 127 ? `${program} is not installed` : `${program} failed with ${status ?? 'a timeout'}`);
      return null;
    }
    return lines(name).flatMap((line) => read(line) ?? []);
  };
  return {
    addresses: rows('addresses', 'ip', readAddress(lines('networks'))),
    volumeGroups: rows('volume groups', 'vgs', (line) => {
      const [name = '', uuid = '', tags = ''] = line.trim().split('|');
      return name === '' ? null : { name, uuid, tags };
    }),
    logicalVolumes: rows('logical volumes', 'lvs', (line) => {
      const [volumeGroup = '', name, size = ''] = line.trim().split('|');
      return name === undefined ? null : { volumeGroup, name, size };
    }),
    devicesInUse: [...new Set(lines('devices'))],
    cfengine: unique(lines('cfengine')).flatMap((line) => {
      const found = /^([23]) (\/.*)$/.exec(line);
      return found === null ? [] : [{ generation: found[1] === '3' ? 3 : 2, binDirectory: found[2] ?? '' } as const];
    }),
    workDirectories: lines('work directories'),
    running: lines('running').map((line) => (line === '3' ? 3 : 2)),
    nodePaths: unique(lines('node').flatMap((line) => readNode(line) ?? [])),
    toolkitPaths: lines('csync'),
    domains: unique(lines('domains').flatMap((line) => line.trim().split(/\s+/))).filter((domain) => domain !== ''),
    why,
  };
}

const unique = (words: readonly string[]): string[] => [...new Set(words)];

function sectionsOf(text: string): Map<string, { lines: string[]; status: number | null }> {
  const sections = new Map<string, { lines: string[]; status: number | null }>();
  let current: { lines: string[]; status: number | null } | undefined;
  for (const line of text.split('\n')) {
    const end = /^== end (\d+)$/.exec(line);
    const begin = /^== (.+)$/.exec(line);
    if (end !== null) {
      if (current !== undefined) current.status = Number(end[1]);
      current = undefined;
    } else if (begin !== null) {
      current = { lines: [], status: null };
      sections.set(begin[1] ?? '', current);
    } else current?.lines.push(line);
  }
  return sections;
}

/** `2: eth0 inet 10.9.0.11/24 brd 10.9.0.255 scope global eth0\ valid_lft forever`; `networks` `fd09::/64 dev eth0 proto kernel`. */
const readAddress =
  (networks: readonly string[]) =>
  (line: string): Address | null => {
    const found = /^\d+: (\S+)\s+inet6? ([\da-f.:]+)(?:\/(\d+))?/.exec(line);
    if (found === null) return null;
    const [, name = '', address = '', length = '32'] = found;
    const prefixLength = Number(length);
    if (!isIpv6(address)) {
      const subnet = networkOf(address, prefixLength);
      return subnet === null ? null : { interface: name, address, prefixLength, subnet };
    }
    const known = networks
      .flatMap((one) => one.split(' ', 1))
      .find((one) => one.endsWith(`/${length}`) && isInPrefix(address, one));
    return { interface: name, address, prefixLength, subnet: known ?? null };
  };

/** `/usr/bin/node v20.19.0`. null: too old. */
function readNode(line: string): string | null {
  const [, path = null, version = null] = /^(\/\S+) (v\d+\.\d+\.\S*)$/.exec(line) ?? [];
  return isNodeNewEnough(version) ? path : null;
}
