/** What differs between the generations of cfengine. Every fact was tested (cfengine.md). */
import type { Settings } from '../settings/settings.ts';
import { type ProbeIdentity, type ProbeResult, type ProbeTarget, probeGeneration2, probeGeneration3 } from './probe.ts';

export interface CfengineAdapter {
  readonly generation: 2 | 3;
  readonly daemonName: string;
  readonly programs: Readonly<Record<'daemon' | 'agent' | 'key' | 'run', string>>;
  readonly daemonPolicy: string;
  /** Exit 0 is good. Both parsers accept a missing file. */
  readonly policyCheck: readonly string[];
  readonly privateKey: string;
  readonly publicKey: string;
  /** If group or others can enter them, the programs do not start [cfengine.md 1.1, 2.1]. */
  readonly privateDirectories: readonly string[];
  /**
   * cwd / (not on the policy file system), few descriptors (cfservd closes all one by one), no core files and a strict umask because of its
   * keys, nothing inherited. The exit status proves nothing, except 120: the program repaired a damaged database and exited; it is started
   * again, once for each database [cfengine.md 2.4].
   */
  readonly startDaemon: readonly string[];
  /** null: none are known. */
  readonly databases: string | null;
  /** Without locks; generation 2 fetches first [cfengine.md 1.9]. */
  readonly carryOutPolicy: readonly string[];
  /** In the output of a failed fetchPolicy. */
  readonly fetchFailure: string;
  /** null: cron, by a crontab line of the policy. -K as for the daemon, so check first whether one runs. */
  readonly scheduler: { readonly name: string; readonly start: readonly string[] } | null;
  /** Generation 2 ignores it [cfengine.md 1.4, 2.5]. */
  readonly reloadSignal: 'SIGHUP' | null;
  /** Without locks. The exit status proves nothing [cfengine.md 1.9, 2.8]. */
  readonly fetchPolicy: readonly string[];
  readonly lastSeenList: readonly string[];
  /** `identity` null: only where no key is compared. */
  probe(target: ProbeTarget, identity: ProbeIdentity | null, ownName: string): Promise<ProbeResult>;
}

const started = (daemon: string): readonly string[] => [
  '/bin/sh',
  '-c',
  'cd / && umask 077 && ulimit -c 0 && ulimit -n 4096 || exit; for try in 1 2 3 4 5; do "$@"; status=$?; [ "$status" = 120 ] || break; done; exit "$status"',
  'sh',
  ...daemon.split(' '),
];

const noKey: ProbeResult = { kind: 'unknown', why: 'this host has no usable key of its own' };

export function adapterFor(settings: Settings): CfengineAdapter {
  return settings.cfengineGeneration === 3 ? generation3(settings) : generation2(settings);
}

function generation3({ cfengineBinDirectory: bin, cfengineWorkDirectory: work }: Settings): CfengineAdapter {
  return {
    generation: 3,
    daemonName: 'cf-serverd',
    programs: { daemon: `${bin}/cf-serverd`, agent: `${bin}/cf-agent`, key: `${bin}/cf-key`, run: `${bin}/cf-runagent` },
    daemonPolicy: `${work}/inputs/promises.cf`,
    policyCheck: [`${bin}/cf-promises`, '-cf', `${work}/inputs/promises.cf`],
    privateDirectories: [`${work}/ppkeys`],
    privateKey: `${work}/ppkeys/localhost.priv`,
    publicKey: `${work}/ppkeys/localhost.pub`,
    // A plain start exits silently for a minute after a crash, because of the dead daemon's lock [cfengine.md 2.4].
    startDaemon: started(`${bin}/cf-serverd -K`),
    databases: `${work}/state`,
    carryOutPolicy: [`${bin}/cf-agent`, '-K'],
    fetchFailure: '^ *(R: )?error:|TRUST FAILED',
    scheduler: { name: 'cf-execd', start: started(`${bin}/cf-execd -K`) },
    reloadSignal: 'SIGHUP',
    fetchPolicy: [`${bin}/cf-agent`, '-K', '-f', 'update.cf'],
    lastSeenList: [`${bin}/cf-key`, '-sn'],
    probe: (target, identity) => (identity === null ? Promise.resolve(noKey) : probeGeneration3(target, identity)),
  };
}

function generation2(settings: Settings): CfengineAdapter {
  const { cfengineBinDirectory: bin, cfengineWorkDirectory: work, packageDnsName, packageAddress } = settings;
  const master = [packageDnsName, packageAddress].join('|').replaceAll('.', '[.]');
  return {
    generation: 2,
    daemonName: 'cfservd',
    programs: { daemon: `${bin}/cfservd`, agent: `${bin}/cfagent`, key: `${bin}/cfkey`, run: `${bin}/cfrun` },
    daemonPolicy: `${work}/inputs/cfservd.conf`,
    policyCheck: [`${bin}/cfservd`, '-p', '-f', `${work}/inputs/cfservd.conf`],
    privateDirectories: ['ppkeys', 'rpc_in', 'rpc_out'].map((name) => `${work}/${name}`),
    privateKey: `${work}/ppkeys/localhost.priv`,
    publicKey: `${work}/ppkeys/localhost.pub`,
    startDaemon: started(`${bin}/cfservd`),
    databases: null,
    carryOutPolicy: [`${bin}/cfagent`, '-q', '-K'],
    // Only -I prints a missing connection; prefix cfengine:HOST: [cfengine.md 1.9, 1.13].
    fetchFailure: `BAD: |Unable to establish connection with (${master}) |Authentication dialogue|Not authorized|syntax error|Can't open file`,
    scheduler: null,
    reloadSignal: null,
    fetchPolicy: [`${bin}/cfagent`, '-q', '-K', '-B', '-I'],
    // Whole addresses and names only in XML [cfengine.md 1.13].
    lastSeenList: [`${bin}/cfshow`, '-s', '-X'],
    // On the loopback other checks identify the process.
    probe: (target, identity, ownName) => {
      if (target.anyKey === true || target.address === '127.0.0.1') return probeGeneration2(target, null, ownName);
      return identity === null ? Promise.resolve(noKey) : probeGeneration2(target, identity.key, ownName);
    },
  };
}
