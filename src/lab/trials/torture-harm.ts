import { setTimeout as pause } from 'node:timers/promises';
import { adapterFor } from '../../cfengine/adapter.ts';
import { layoutOf } from '../../cfengine/layout.ts';
import { announceAddress, clientsOf, membersOf, sgDirectories, toolkitDirectory } from '../machines/lab-spec.ts';
import { DrillFailure, type PackageDrills } from './package-drills.ts';
import { clientOutages } from './timeline.ts';
import type { TortureKind, Wound } from './torture-plan.ts';

export interface HarmGround {
  readonly drills: PackageDrills;
  readonly wound: Wound;
  readonly from: string;
  readonly owner: string | null;
}

interface Harm {
  readonly does: (ground: HarmGround) => Promise<unknown>;
  readonly mends: (ground: HarmGround) => Promise<unknown>;
}

const typeMs = 180_000;
const csync = `cd /root && node ${toolkitDirectory}/csync.mjs`;
const logDirectory = `${sgDirectories.SGRUN}/log`;

/** For pkill -f; they match no shell with the pattern in its command line. */
const monitorPattern = '^[^ ]+( -[^ ]+)* [^ ]*/csync-monitor[.]cjs ';
const frontPattern = '^/usr/bin/perl [^ ]*/csync-front[.]pl ';
const syslogPattern = '^/bin/busybox [s]yslogd ';
const signal = (name: 'STOP' | 'CONT', pattern: string): string => `pkill -${name} -f '${pattern}'`;
const fillSyslog = `perl -e 'use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); connect(S, pack_sockaddr_un("/dev/log")) or die; 1 while send(S, "x" x 1000, 0x40); exit($!{EAGAIN} ? 0 : 1)'`;

/** In its own process group; `name` identifies it for the kill. */
const beside = (name: string, script: string): string =>
  `setsid sh -c 'echo $$ > /run/torture-${name}; ${script}' < /dev/null > /dev/null 2>&1 &`;
const endBeside = (name: string): string => `kill -KILL -"$(cat /run/torture-${name})" && rm /run/torture-${name}`;

/** Its own file system, or the whole host would hang. A lab host has no device nodes for loop devices. */
const frozenLog = `
image=/root/torture-log.img
truncate -s 8M $image && mkfs.ext4 -q $image || exit 1
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
n=0
until device=$(losetup -f) && { [ -b "$device" ] || mknod "$device" b 7 "\${device#/dev/loop}"; } && losetup "$device" $image; do
  n=$((n + 1)); [ $n -lt 20 ] || exit 1; sleep 0.1
done
mount "$device" ${logDirectory}; mounted=$?
losetup -d "$device"
[ $mounted = 0 ] && fsfreeze -f ${logDirectory}`;

const connections = 600;
const idleConnections = (address: string, port: number): string =>
  `exec setpriv --reuid=65534 --regid=65534 --clear-groups perl -MIO::Socket::INET -e "while (1) { for (@s[1 .. ${connections}]) { next if \\$_ && !defined sysread(\\$_, \\$x, 1) && \\$!{EAGAIN}; \\$_ = IO::Socket::INET->new(PeerAddr => q(${address}:${port}), Timeout => 1) and \\$_->blocking(0) } select undef, undef, undef, 0.05 }"`;
const overloadMs = 5000;
const masterAgainMs = 10_000;

const stopStart = 'until pid=$(pgrep -f [c]sync-start.cjs); do :; done; kill -STOP $pid';

const sh =
  (script: (ground: HarmGround) => string, on: (ground: HarmGround) => string = ({ wound }) => wound.member) =>
  (ground: HarmGround): Promise<string> =>
    ground.drills.type(on(ground), ['sh', '-c', script(ground)], { timeoutMs: typeMs });
const fromAnother = (script: (ground: HarmGround) => string) => sh(script, ({ from }) => from);
const onMaster = (script: (ground: HarmGround) => string) => sh(script, ({ owner, wound }) => owner ?? wound.member);
const onClient = (script: (ground: HarmGround) => string) => sh(script, ({ drills }) => firstClient(drills));
const machine =
  (verb: 'crash' | 'boot' | 'cut' | 'heal') =>
  ({ drills, wound: { member } }: HarmGround): Promise<unknown> =>
    drills.lab.ask({ verb, member });
const inTurn =
  (...parts: readonly ((ground: HarmGround) => Promise<unknown>)[]) =>
  async (ground: HarmGround): Promise<void> => {
    for (const part of parts) await part(ground);
  };

export function firstClient({ lab }: PackageDrills): string {
  return clientsOf(lab.spec)[0]?.name ?? '';
}

const settingsOf = ({ drills }: HarmGround) => drills.lab.spec.settings;
const daemonOf = (ground: HarmGround): string => adapterFor(settingsOf(ground)).daemonName;
const packageOf = ({ drills }: HarmGround): string => drills.packageName;
const mountPointOf = (ground: HarmGround): string => settingsOf(ground).mountPoint;
const keysOf = (ground: HarmGround): string => layoutOf(settingsOf(ground)).keys;
const spareOf = ({ drills }: HarmGround): string => drills.lab.spec.hosts.find(({ kind }) => kind === 'spare')?.name ?? '';
const membersBy = ({ drills }: HarmGround): string[] => membersOf(drills.lab.spec).map(({ name }) => name);

const edited = `cd /root && { grep -v '^package_description:' csync.yaml; echo "package_description: torture $(cat /proc/sys/kernel/random/uuid)"; } > csync.new && mv csync.new csync.yaml`;
const switchedOn = (ground: HarmGround): string => `cmmodpkg -e -n ${ground.wound.member} ${packageOf(ground)}`;

/** Online, as in the manual. The package keeps its list. */
function cluster({ drills }: HarmGround, members: readonly string[]): string {
  const nodes = members.map((name) => `-n ${name}`).join(' ');
  return `cmquerycl -C /root/torture.ascii -c ${drills.lab.spec.name} ${nodes} && cmapplyconf -f -C /root/torture.ascii`;
}

async function otherClientsServed({ drills }: HarmGround): Promise<void> {
  const mark = drills.entries.length;
  await pause(overloadMs);
  await drills.waitClients(0, firstClient(drills));
  const late = clientOutages(drills.entries.slice(mark)).find(
    ({ client, from, to }) => client !== firstClient(drills) && (to ?? Number.POSITIVE_INFINITY) - from > masterAgainMs,
  );
  if (late !== undefined)
    throw new DrillFailure(`${late.client} had no master for more than ${masterAgainMs / 1000} s under load`);
}

/** csync status reads the state file. */
const ownerIsNoticed = onMaster(
  (ground) =>
    `n=0; until grep -q '"owner":{"result":"bad"' /run/csync-monitor-${packageOf(ground)}.json; do n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done`,
);

/** On each member, as any may apply. A second owner must be detected within a step (default: one minute). */
export const tortureSettings = `sed -i 's/^monitor_owner: .*/monitor_owner: every 5 s, limit 1 s, 2 in a row, warn/' /root/csync.yaml`;

const nothing = async (): Promise<void> => {};

export const harms: Readonly<Record<TortureKind, Harm>> = {
  'kill-daemon': { does: ({ drills, wound }) => drills.killDaemon(wound.member), mends: fromAnother(switchedOn) },
  'hang-daemon': { does: sh((ground) => `pkill -STOP -x ${daemonOf(ground)}`), mends: fromAnother(switchedOn) },
  crash: { does: machine('crash'), mends: machine('boot') },
  'crash-standby': { does: machine('crash'), mends: machine('boot') },
  cut: { does: machine('cut'), mends: machine('heal') },
  haltnode: {
    does: sh(({ wound }) => `cmhaltnode -f ${wound.member}`),
    mends: fromAnother(({ wound }) => `cmrunnode ${wound.member}`),
  },
  'haltnode-standby': {
    does: sh(({ wound }) => `cmhaltnode -f ${wound.member}`),
    mends: fromAnother(({ wound }) => `cmrunnode ${wound.member}`),
  },
  haltpkg: {
    does: sh((ground) => `cmhaltpkg ${packageOf(ground)}`),
    mends: fromAnother((ground) => `cmmodpkg -e ${packageOf(ground)}`),
  },
  move: {
    does: sh((ground) => {
      const name = packageOf(ground);
      return `cmhaltpkg ${name} && cmrunpkg -n ${ground.wound.member} ${name} && cmmodpkg -e ${name}`;
    }),
    mends: nothing,
  },
  modpkg: {
    does: sh((ground) => `cmmodpkg -d -n ${ground.wound.member} ${packageOf(ground)}`),
    mends: fromAnother(switchedOn),
  },
  'full-disk': {
    does: sh((ground) => `! dd if=/dev/zero of=${mountPointOf(ground)}/fill bs=64k 2>/dev/null`),
    mends: onMaster((ground) => `rm ${mountPointOf(ground)}/fill`),
  },
  // Nothing may move while the monitor pauses.
  maintenance: {
    does: sh((ground) => {
      const daemon = daemonOf(ground);
      return `${csync} maintenance on --yes && pkill -KILL -x ${daemon}; sh -c 'cd / && ${daemon} -K' < /dev/null > /dev/null 2>&1`;
    }),
    mends: sh(() => `${csync} maintenance off --yes`),
  },
  apply: { does: sh(() => `${edited} && ${csync} apply --yes`), mends: nothing },
  // With its children, like the loss of its host; the next apply completes.
  'killed-apply': {
    does: sh(
      ({ wound }) =>
        `${edited} && { setsid node ${toolkitDirectory}/csync.mjs apply --yes > /dev/null 2>&1 & } && pid=$! && sleep ${(0.3 + wound.moment * 0.3).toFixed(1)} && { kill -KILL -$pid 2> /dev/null || echo 'the apply had ended'; }`,
    ),
    mends: sh(() => `${csync} apply --yes`),
  },
  'hang-monitor': { does: sh(() => signal('STOP', monitorPattern)), mends: sh(() => `${signal('CONT', monitorPattern)}; true`) },
  'hang-front': { does: sh(() => signal('STOP', frontPattern)), mends: sh(() => `${signal('CONT', frontPattern)}; true`) },
  // Syslog accepts nothing, and its queue is full.
  'hang-syslog': {
    does: sh(() => `${signal('STOP', syslogPattern)} && ${fillSyslog}`),
    mends: sh(() => signal('CONT', syslogPattern)),
  },
  'hang-sshd': { does: sh(() => 'pkill -STOP -x sshd'), mends: sh(() => 'pkill -CONT -x sshd') },
  'hung-read': {
    does: sh((ground) => `cd ${keysOf(ground)} && mv localhost.pub localhost.kept && mkfifo -m 600 localhost.pub`),
    mends: inTurn(
      sh((ground) => `cd ${keysOf(ground)} && mv -f localhost.kept localhost.pub`),
      fromAnother(switchedOn),
    ),
  },
  member: {
    does: sh((ground) => `${cluster(ground, [...membersBy(ground), spareOf(ground)])} && cmrunnode ${spareOf(ground)}`),
    mends: sh((ground) => `cmhaltnode -f ${spareOf(ground)} && ${cluster(ground, membersBy(ground))}`),
  },
  'freeze-log': {
    does: sh(() => frozenLog),
    mends: sh(() => `fsfreeze -u ${logDirectory} && umount -l ${logDirectory} && rm -f /root/torture-log.img`),
  },
  // Reads continue, so the master serves; a halt thaws it.
  'freeze-policy': {
    does: sh((ground) => `fsfreeze -f ${mountPointOf(ground)}`),
    mends: onMaster((ground) => `fsfreeze -u ${mountPointOf(ground)} 2> /dev/null; true`),
  },
  overload: {
    does: inTurn(
      onClient((ground) => {
        const { packageAddress, cfenginePort } = settingsOf(ground);
        return beside('load', idleConnections(packageAddress, cfenginePort));
      }),
      otherClientsServed,
    ),
    // The brake also counts connections closed within 2 s.
    mends: onClient(() => `${endBeside('load')} && sleep 3`),
  },
  'duplicate-address': {
    does: inTurn(
      sh((ground) => {
        const { packageAddress } = settingsOf(ground);
        const { prefixLength } = ground.drills.lab.spec;
        return `ip addr add ${packageAddress}/${prefixLength} dev eth0 && ${announceAddress(packageAddress).join(' ')}`;
      }),
      ownerIsNoticed,
    ),
    mends: sh((ground) => `ip addr del ${settingsOf(ground).packageAddress}/${ground.drills.lab.spec.prefixLength} dev eth0`),
  },
  'hung-start': {
    does: sh(() => beside('stop-start', stopStart)),
    mends: inTurn(
      // The start's launcher kills what this stopped.
      sh(() => `kill -KILL -"$(cat /run/torture-stop-start)" 2> /dev/null; ! pgrep -f [c]sync-start.cjs`),
      fromAnother(switchedOn),
    ),
  },
};
