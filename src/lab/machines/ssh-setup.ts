import * as files from '../../host/lab/lab-files.ts';
import { runProcess } from '../../host/processes.ts';
import type { World } from './world.ts';
import { LabFailure } from './world.ts';

/** The default key exchange takes 0.1 s of CPU on either side. */
const serverConfig = `Port 22
KexAlgorithms curve25519-sha256
HostKey /etc/ssh/lab_host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
`;

const clientConfig = `Host *
  IdentityFile /root/.ssh/lab_key
  UserKnownHostsFile /root/.ssh/lab_known_hosts
  BatchMode yes
  ConnectTimeout 5
  LogLevel ERROR
`;

/** Before the hosts boot. */
export async function installSsh(world: World): Promise<void> {
  const directory = `${world.spec.home}/world/ssh`;
  files.makeDirectory(directory, 0o700);
  for (const name of ['lab_key', 'lab_host_key']) {
    const made = await runProcess(
      ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'csync-lab', '-f', `${directory}/${name}`],
      {
        timeoutMs: 10_000,
        env: { PATH: '/usr/bin:/bin' },
      },
    );
    if (made.exitCode !== 0) throw new LabFailure(`ssh-keygen: ${made.stderr.trim() || made.errorCode}`);
  }
  const text = (name: string): string => files.readText(`${directory}/${name}`) ?? '';
  const names = world.spec.hosts.map(({ name, address, second }) =>
    [name, `${name}.lab`, address, ...(second === null ? [] : [second])].join(','),
  );
  for (const host of world.spec.hosts) {
    const disk = world.diskOf(host.name);
    files.writeText(`${disk}/root/.ssh/lab_key`, text('lab_key'), 0o600);
    files.writeText(`${disk}/root/.ssh/authorized_keys`, text('lab_key.pub'), 0o600);
    files.writeText(`${disk}/root/.ssh/config`, clientConfig, 0o600);
    files.writeText(
      `${disk}/root/.ssh/lab_known_hosts`,
      names.map((name) => `${name} ${text('lab_host_key.pub')}`).join(''),
      0o600,
    );
    files.writeText(`${disk}/etc/ssh/lab_host_key`, text('lab_host_key'), 0o600);
    files.writeText(`${disk}/etc/ssh/lab_sshd_config`, serverConfig, 0o600);
  }
}

export async function bootSsh(world: World, name: string): Promise<void> {
  await world.must(name, [
    'sh',
    '-c',
    'mkdir -p /run/sshd; exec /usr/sbin/sshd -f /etc/ssh/lab_sshd_config </dev/null >/dev/null 2>&1',
  ]);
}
