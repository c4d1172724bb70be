/**
 * keepalived's process tracker, where it is installed. The process connector of the kernel notifies it, only in the
 * namespaces of the machine itself. So it runs there, on a pair of unconnected interfaces. It identifies processes by their names.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import psList from 'ps-list';
import type { CommandResult } from '../../../src/host/host.ts';
import { runProcess } from '../../../src/host/processes.ts';
import { have, repository } from '../../../test/support.ts';
import { environment, must, type Tools } from '../member.ts';

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

const named = async (daemonName: string) => (await psList()).filter(({ name }) => name === daemonName);

/**
 * Runs it until the daemon has exited, and returns the result of `limit run`. null: it is not installed, or this machine has another daemon
 * of that name, which it would confuse with ours.
 */
export async function keepalivedRun(
  { directory, limit }: Tools,
  daemonName: string,
  progress: (text: string) => void,
): Promise<(() => Promise<CommandResult>) | null> {
  const why = !have('keepalived')
    ? 'keepalived is not installed'
    : (await named(daemonName)).length > 1
      ? `there is more than one ${daemonName}`
      : null;
  if (why !== null) {
    progress(`skipped: ${why}`);
    return null;
  }
  writeFileSync(join(directory, 'keepalived.conf'), configuration(directory, daemonName));
  const sh = (script: string): Promise<string> => must(['/bin/sh', '-c', script]);
  const remove = `! ip link show ${link} > /dev/null 2>&1 || ip link delete ${link}`;
  const add = `ip link add ${link} type veth peer name ${peer} && ip address add ${address}/30 dev ${link} && ip link set ${link} up && ip link set ${peer} up`;
  return async () => {
    const [daemon] = await named(daemonName);
    const watch = ['/usr/bin/perl', join(repository, 'scripts/bench/comparison/keepalived-watch.pl'), directory];
    try {
      await sh(`set -e; ${remove}; ${add}; cd ${directory}; rm -f fifo; mkfifo fifo`);
      return await runProcess([limit, 'run', '-', String(daemon?.pid), ...watch], { timeoutMs: 60_000, env: environment });
    } finally {
      await sh(remove);
    }
  };
}
