/**
 * What the administrator decided, after checking. Produced by `parseSettings` from csync.yaml, rendered as JSON into
 * the package directory, read back by the member bundles. Times are in the unit their name says.
 */
export interface Settings {
  readonly packageName: string;
  readonly packageDescription: string;
  /** Members in order of preference; the first is the primary member. */
  readonly members: readonly string[];

  readonly packageAddress: string;
  readonly packageDnsName: string;
  /** Network address as Serviceguard's ip_subnet and monitored_subnet want it, e.g. 10.9.0.0. */
  readonly packageSubnet: string;

  readonly volumeGroup: string;
  readonly logicalVolume: string;
  readonly fileSystemType: 'ext2' | 'ext3' | 'ext4' | 'xfs' | 'btrfs';
  readonly mountPoint: string;
  readonly mountOptions: string;

  readonly cfengineGeneration: 2 | 3;
  /** cfengine's WORKDIR: inputs, ppkeys and (generation 2) the pid file lie below it. */
  readonly cfengineWorkDirectory: string;
  /** Directory of cf-serverd/cf-agent/cf-key (3) or cfservd/cfagent/cfkey (2). */
  readonly cfengineBinDirectory: string;
  readonly cfenginePort: number;
  /** Directory on the policy file system that the daemon serves; holds the sentinel. No symlink in it. */
  readonly policyDirectory: string;

  /** How often the monitor looks at the daemon's process, in milliseconds. */
  readonly monitorProcessIntervalMs: number;
  /** Seconds between protocol probes of the package address. */
  readonly monitorIntervalSeconds: number;
  /** Time limit of one probe. */
  readonly monitorTimeoutSeconds: number;
  /** Failed probes in a row before the verdict. */
  readonly monitorFailures: number;
  /** How long the monitor may be unable to tell before that itself is a verdict. */
  readonly monitorUnknownLimitSeconds: number;

  /** How long halt waits for transfers that hold the policy file system before it ends the daemon with TERM. */
  readonly haltGraceSeconds: number;
  readonly runScriptTimeoutSeconds: number;
  readonly haltScriptTimeoutSeconds: number;
  readonly serviceHaltTimeoutSeconds: number;
  readonly serviceRestart: 'none' | 'unlimited' | number;
  readonly serviceFailFast: boolean;
  readonly nodeFailFast: boolean;
  readonly failoverPolicy: 'configured_node' | 'min_package_node' | 'site_preferred' | 'site_preferred_manual';
  readonly failbackPolicy: 'manual' | 'automatic';
  readonly autoRun: boolean;
  readonly packagePriority: 'no_priority' | number;

  /** Absolute, or starting with $SGRUN / $SGCONF, which Serviceguard expands. */
  readonly scriptLogFile: string;
  readonly logLevel: 0 | 1 | 2 | 3 | 4 | 5;
  /** Directory of the package on every member; may start with $SGCONF. */
  readonly packageDirectory: string;
  /** Absolute path of the Node.js binary on every member. */
  readonly nodePath: string;
}
