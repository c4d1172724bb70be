/** Ends Serviceguard's maintenance mode, which has no time limit. */
import type { MemberHost } from '../../host/host.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Daemon } from '../daemon.ts';
import { mountAt } from '../judgements.ts';

const commandLimitMs = 60_000;

export async function endServiceguardMode(
  host: MemberHost,
  settings: Settings,
  daemon: Daemon,
  mode: { readonly autoRun: boolean; readonly file: string },
): Promise<string | null> {
  const { packageName, packageAddress, mountPoint, monitorTimeoutSeconds } = settings;
  const owner = daemon.owner();
  if (owner.kind !== 'daemon') return `no ${daemon.adapter.daemonName} listens`;
  if (mountAt(host.mounts(), mountPoint) === undefined) return `${mountPoint} is not mounted`;
  const answer = await daemon.ask(packageAddress, monitorTimeoutSeconds * 1000);
  if (answer.kind !== 'served') return `the sentinel is not served through ${packageAddress}: ${answer.why}`;
  const bin = host.environment.SGSBIN || '/usr/local/cmcluster/bin';
  const command = async (...argv: string[]): Promise<string | null> => {
    const { exitCode, stdout, stderr } = await host.run(argv, commandLimitMs);
    return exitCode === 0 ? null : `${argv.join(' ')}: ${`${stdout}${stderr}`.trim()}`;
  };
  const view = await host.run([`${bin}/cmviewcl`, '-f', 'line', '-p', packageName], commandLimitMs);
  if (view.exitCode !== 0) return `cmviewcl: ${view.stderr.trim()}`;
  // An administrator may have left the mode by hand.
  const inMode = /(^|\|)state=maintenance$/m.test(view.stdout);
  return (
    (inMode ? await command(`${bin}/cmmodpkg`, '-m', 'off', packageName) : null) ??
    (mode.autoRun ? await command(`${bin}/cmmodpkg`, '-e', packageName) : null) ??
    (await command('rm', '-f', '--', mode.file))
  );
}
