/**
 * keepalived's process tracker, where it is installed. It hears of ends from the kernel's process connector, which speaks only in the
 * namespaces of the machine itself, so it runs there: on a pair of interfaces that leads nowhere. It knows processes by their names.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess } from '../../src/host/processes.ts';
import { have, repository } from '../../test/support.ts';
import type { Tools } from './member.ts';

export interface Keepalived {
  /** Runs it until that process has ended, and prints what `limit run` prints. */
  run(tools: Tools): Promise<{ readonly stdout: string; readonly exitCode: number | null }>;
  close(): Promise<void>;
}

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const [link, peer, address, other] = ['csyncbench0', 'csyncbench1', '198.51.100.1', '198.51.100.2'];

const configuration = (directory: string, daemonName: string): string => `global_defs {
  script_user root
  vrrp_notify_fifo ${directory}/fifo
}
vrrp_track_process daemon {
  process ${daemonName}
  weight 0
  quorum 1
}
vrrp_instance csync {
  state BACKUP
  interface ${link}
  virtual_router_id 51
  priority 100
  advert_int 1
  unicast_src_ip ${address}
  unicast_peer {
    ${other}
  }
  track_process {
    daemon
  }
}
`;

function named(name: string): string[] {
  const isIt = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === `${name}\n`;
    } catch {
      return false;
    }
  };
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && isIt(entry));
}

/** null: it is not installed, or there is another daemon of that name on this machine, which it could not tell from ours. */
export async function openKeepalived(
  { directory }: Tools,
  daemonName: string,
  progress: (text: string) => void,
): Promise<Keepalived | null> {
  const why = !have('keepalived')
    ? 'keepalived is not installed'
    : named(daemonName).length > 1
      ? `there is more than one ${daemonName}`
      : null;
  if (why !== null) {
    progress(`left out: ${why}`);
    return null;
  }
  const sh = async (script: string): Promise<void> => {
    const { exitCode, stderr } = await runProcess(['/bin/sh', '-c', script], { timeoutMs: 10_000, env: environment });
    if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  };
  const remove = `! ip link show ${link} > /dev/null 2>&1 || ip link delete ${link}`;
  await sh(
    `${remove}; ip link add ${link} type veth peer name ${peer} && ip address add ${address}/30 dev ${link} && ip link set ${link} up && ip link set ${peer} up && mkfifo ${directory}/fifo`,
  );
  writeFileSync(join(directory, 'keepalived.conf'), configuration(directory, daemonName));
  return {
    run: ({ limit }) => {
      const [pid = ''] = named(daemonName);
      const watch = ['/usr/bin/perl', join(repository, 'scripts/bench/keepalived-watch.pl'), directory];
      return runProcess([limit, 'run', '-', pid, ...watch], { timeoutMs: 60_000, env: environment });
    },
    close: () => sh(remove),
  };
}
