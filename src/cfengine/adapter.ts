/**
 * Every difference between the two generations of cfengine: programs, start and reload of the daemon, preconditions, probes. Every fact was
 * tested (cfengine.md); the member scripts contain none.
 */
import type { Settings } from '../settings/settings.ts';
import { type ProbeIdentity, type ProbeResult, type ProbeTarget, probeGeneration2, probeGeneration3 } from './probe.ts';

export interface CfengineAdapter {
  readonly generation: 2 | 3;
  /** Name of the daemon's process in /proc/PID/comm. */
  readonly daemonName: string;
  /** Absolute paths of the programs that a member needs. */
  readonly programs: Readonly<Record<'daemon' | 'agent' | 'key' | 'run', string>>;
  /** Configuration that the daemon reads at its start. */
  readonly daemonPolicy: string;
  /** Checks that file; exit 0 is good. Both parsers accept a missing file. */
  readonly policyCheck: readonly string[];
  readonly privateKey: string;
  readonly publicKey: string;
  /** The programs refuse to start if group or others can enter these directories [cfengine.md 1.1, 2.1]. */
  readonly privateDirectories: readonly string[];
  /**
   * Starts the daemon: cwd / (otherwise it could hold the policy file system), a small descriptor limit (cfservd closes all of them one by
   * one), no core files and a strict umask because of its keys, nothing inherited. Its exit status proves nothing in either generation.
   */
  readonly startDaemon: readonly string[];
  /** Applies the policy now, without locks; generation 2 fetches it first [cfengine.md 1.9]. */
  readonly carryOutPolicy: readonly string[];
  /** Extended regular expression for the output of fetchPolicy when it failed. */
  readonly fetchFailure: string;
  /**
   * The scheduler of the agent. null: cron runs it [generation 2: the policy writes the crontab line]. -K as for the daemon; the caller
   * checks first whether one runs.
   */
  readonly scheduler: { readonly name: string; readonly start: readonly string[] } | null;
  /** SIGHUP makes generation 3 reread its policy; generation 2 ignores it [cfengine.md 1.4, 2.5]. */
  readonly reloadSignal: 'SIGHUP' | null;
  /** Fetches the policy from the policy host now, without locks. Its exit status proves nothing [cfengine.md 1.9, 2.8]. */
  readonly fetchPolicy: readonly string[];
  /** Lists the peers that connected, and when; cluster/condition/clients.ts reads the output. */
  readonly lastSeenList: readonly string[];
  /** Requests a file through the network; without `identity` only where no key is compared. */
  probe(target: ProbeTarget, identity: ProbeIdentity | null, ownName: string): Promise<ProbeResult>;
}

const started = (daemon: string): readonly string[] => [
  '/bin/sh',
  '-c',
  'cd / && umask 077 && ulimit -c 0 && ulimit -n 4096 && exec "$@"',
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
    // -K: after a crash the lock of the dead daemon makes a plain start exit silently for a minute [cfengine.md 2.4].
    startDaemon: started(`${bin}/cf-serverd -K`),
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
    carryOutPolicy: [`${bin}/cfagent`, '-q', '-K'],
    // Only -I prints that there was no connection; messages have the prefix cfengine:HOST: [cfengine.md 1.9, 1.13].
    fetchFailure: `BAD: |Unable to establish connection with (${master}) |Authentication dialogue|Not authorized|syntax error|Can't open file`,
    scheduler: null,
    reloadSignal: null,
    fetchPolicy: [`${bin}/cfagent`, '-q', '-K', '-B', '-I'],
    // Only the XML output has whole addresses and names [cfengine.md 1.13].
    lastSeenList: [`${bin}/cfshow`, '-s', '-X'],
    // On the loopback the process of the daemon is known by other means, so its key is not needed.
    probe: (target, identity, ownName) => {
      if (target.anyKey === true || target.address === '127.0.0.1') return probeGeneration2(target, null, ownName);
      return identity === null ? Promise.resolve(noKey) : probeGeneration2(target, identity.key, ownName);
    },
  };
}
