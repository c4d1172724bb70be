import type { SettingsRow } from './row.ts';
import { layerSchedule, listenAddress, localRestart, off, offOrPath, whole, yesNo } from './rules.ts';

export const monitorRows = {
  monitorProcessIntervalMs: {
    key: 'monitor_process_interval_ms',
    question: "How often does the monitor check the daemon's process, in milliseconds?",
    fallback: 200,
    check: whole(20, 60_000),
    comment:
      "Milliseconds between checks of the daemon's process where its exit is no event (Linux before 5.3, no perl): a dead daemon is noticed within this time. Otherwise it is noticed at once.",
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
    question: 'How long may the monitor have no result, in seconds?',
    fallback: 120,
    check: whole(5, 86_400),
    comment: 'Seconds without any result (starved, out of file descriptors) until the monitor reports a failure.',
  },
  monitorPort: {
    key: 'monitor_port',
    question: 'How does the monitor probe the port at the package address?',
    fallback: 'every 10 s, limit 3 s, 2 in a row, fail',
    check: layerSchedule,
    comment:
      'Whether the port accepts connections at the package address: interval, time limit of one probe, failed probes in a row, consequence (fail: the package fails over; warn: csync status reports it). off: no probe.',
  },
  monitorStorage: {
    key: 'monitor_storage',
    question: 'How does the monitor probe the policy file system?',
    fallback: 'every 10 s, limit 15 s, 2 in a row, fail',
    check: layerSchedule,
    comment: 'Whether the policy file system is mounted and writable, and its disk answers. Same form as monitor_port.',
  },
  monitorContent: {
    key: 'monitor_content',
    question: 'How does the monitor probe the content of the policy file system?',
    fallback: 'every 30 s, limit 15 s, 2 in a row, warn',
    check: layerSchedule,
    comment:
      'Whether the sentinel is the one that the start of the package wrote: no other member wrote its own. Same form as monitor_port.',
  },
  monitorAddress: {
    key: 'monitor_address',
    question: 'How does the monitor probe the package address?',
    fallback: 'every 10 s, limit 1 s, 2 in a row, fail',
    check: layerSchedule,
    comment: 'Whether the package address is on this member. Same form as monitor_port.',
  },
  monitorOwner: {
    key: 'monitor_owner',
    question: 'How does the monitor probe for another host with the package address?',
    fallback: 'every 60 s, limit 1 s, 2 in a row, warn',
    since: '0.2.0',
    check: layerSchedule,
    comment:
      'Whether another host answers for the package address (an ARP probe by perl). A failover does not fix that, so the default warns. Set off where a router answers for all addresses (proxy ARP). Same form as monitor_port.',
  },
  monitorLocalRestart: {
    key: 'monitor_local_restart',
    question: 'Restart a failed daemon in place before the package fails over?',
    fallback: 'none',
    check: localRestart,
    comment:
      'none: a failed daemon moves the package at once, as with DSAU. Exception: with 150 or more connections on its port the daemon is restarted in place, since that load would follow the package. once in 60 min: the monitor first restarts the daemon in place, and moves the package if that does not help or if it fails again within that time.',
  },
  monitorMetricsFile: {
    key: 'monitor_metrics_file',
    question: 'In which file does the monitor write its figures for Prometheus?',
    fallback: off,
    check: offOrPath,
    comment:
      "A file that the monitor rewrites at each change, and twice a minute, in Prometheus' text format: for example a .prom file in the textfile directory of node_exporter. off: none.",
  },
  monitorMetricsListen: {
    key: 'monitor_metrics_listen',
    question: 'At which address and port does the monitor serve its figures?',
    fallback: off,
    check: listenAddress,
    comment:
      'Address and port of a small HTTP server on the active member: GET /metrics (Prometheus) and /state (JSON), without a password. off: no server.',
  },
  maintenanceFlag: {
    key: 'maintenance_flag',
    question: 'May csync maintenance pause the monitor?',
    fallback: true,
    check: yesNo,
    comment:
      'true: the monitor pauses while csync.debug exists in the package directory (csync maintenance on). false: it ignores that file.',
  },
} as const satisfies Record<string, SettingsRow>;
