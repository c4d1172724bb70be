/** Settings of the monitor, a row each; part of the table of settings. */
import type { SettingsRow } from './row.ts';
import { layerSchedule, listenAddress, localRestart, off, offOrPath, whole, yesNo } from './rules.ts';

export const monitorRows = {
  monitorProcessIntervalMs: {
    key: 'monitor_process_interval_ms',
    question: "How often does the monitor look at the daemon's process, in milliseconds?",
    fallback: 200,
    check: whole(20, 60_000),
    comment:
      "Milliseconds between looks at the daemon's process where its end is no event (Linux before 5.3, no perl); a dead daemon is noticed within this time. Elsewhere at once.",
  },
  monitorIntervalSeconds: {
    key: 'monitor_interval_seconds',
    question: 'Seconds between probes of the package address?',
    fallback: 30,
    check: whole(1, 3600),
    comment: 'Seconds between protocol probes through the package address.',
  },
  monitorTimeoutSeconds: {
    key: 'monitor_timeout_seconds',
    question: 'Time limit of one probe, in seconds?',
    fallback: 3,
    check: whole(1, 600),
    comment: 'Time limit of one probe; not longer than the time between two.',
  },
  monitorFailures: {
    key: 'monitor_failures',
    question: 'Failed probes in a row before the package fails over?',
    fallback: 2,
    check: whole(1, 100),
    comment: 'Failed probes in a row before the package fails over.',
  },
  monitorUnknownLimitSeconds: {
    key: 'monitor_unknown_limit_seconds',
    question: 'How long may the monitor be unable to tell, in seconds?',
    fallback: 120,
    check: whole(5, 86_400),
    comment: 'How long the monitor may be unable to tell (starved, out of file descriptors) before that is a failure of its own.',
  },
  monitorPort: {
    key: 'monitor_port',
    question: 'How is the port under the package address looked at?',
    fallback: 'every 10 s, limit 3 s, 2 in a row, fail',
    check: layerSchedule,
    comment:
      'Whether the port takes connections under the package address: how often, the time limit of one look, bad ones in a row, and what they mean (fail: the package fails over; warn: csync status tells). off: not looked at.',
  },
  monitorStorage: {
    key: 'monitor_storage',
    question: 'How is the policy file system looked at?',
    fallback: 'every 10 s, limit 15 s, 2 in a row, fail',
    check: layerSchedule,
    comment: 'Whether the policy file system is mounted, can be written to, and its disk answers. As above.',
  },
  monitorContent: {
    key: 'monitor_content',
    question: 'How is the content of the policy file system looked at?',
    fallback: 'every 30 s, limit 15 s, 2 in a row, warn',
    check: layerSchedule,
    comment:
      'Whether the sentinel is the one that the start of the package wrote: no other member has written its own. As above.',
  },
  monitorAddress: {
    key: 'monitor_address',
    question: 'How is the package address looked at?',
    fallback: 'every 10 s, limit 1 s, 2 in a row, fail',
    check: layerSchedule,
    comment: 'Whether the package address is on this member. As above.',
  },
  monitorOwner: {
    key: 'monitor_owner',
    question: 'How is it looked at whether another host has the package address, too?',
    fallback: 'every 60 s, limit 1 s, 2 in a row, warn',
    check: layerSchedule,
    comment:
      'Whether another host answers for the package address (an ARP probe, by perl). A failover does not cure that, so it warns; off where a router answers for all addresses (proxy ARP). As above.',
  },
  monitorLocalRestart: {
    key: 'monitor_local_restart',
    question: 'Is a failed daemon restarted in place before the package fails over?',
    fallback: 'none',
    check: localRestart,
    comment:
      'none: a daemon that fails moves the package at once, as with DSAU, unless 150 connections and more were on its port: such a load would follow, and the daemon is restarted in place. once in 60 min: the monitor first restarts it in place, and moves the package when that does not help, or when it fails again within that time.',
  },
  monitorMetricsFile: {
    key: 'monitor_metrics_file',
    question: 'Where does the monitor leave its figures for Prometheus?',
    fallback: off,
    check: offOrPath,
    comment:
      "A file that the monitor rewrites when something has changed, and twice a minute, in Prometheus' text format: such as a name that ends with .prom in the textfile directory of node_exporter. off: none.",
  },
  monitorMetricsListen: {
    key: 'monitor_metrics_listen',
    question: 'Under which address and port does the monitor answer for its figures?',
    fallback: off,
    check: listenAddress,
    comment:
      'Address and port of a small HTTP server of the monitor: GET /metrics (Prometheus) and /state (JSON), only where the package runs, without a password. off: nothing listens.',
  },
  maintenanceFlag: {
    key: 'maintenance_flag',
    question: 'May the monitor be paused by csync maintenance?',
    fallback: true,
    check: yesNo,
    comment:
      'true: while csync.debug lies in the package directory the monitor pauses (csync maintenance on). false: it is ignored.',
  },
} as const satisfies Record<string, SettingsRow>;
