import type { MemberHost } from '../host/host.ts';

/**
 * For the message about a refused read, such as `; SELinux is enforcing: cf-serverd has cfengine_serverd_t, FILE has unlabeled_t`; empty if
 * SELinux refuses nothing. Starts a program, so call it only after a refusal. `limitMs`: remaining time.
 */
export async function labelsText(
  host: MemberHost,
  path: string,
  reader: { readonly pid: number | 'self'; readonly name: string },
  limitMs: number,
): Promise<string> {
  if (limitMs < 1 || host.readText('/sys/fs/selinux/enforce')?.trim() !== '1') return '';
  const domain = host.readText(`/proc/${reader.pid}/attr/current`)?.replaceAll('\0', '').trim();
  const { exitCode, stdout } = await host.run(['stat', '-c', '%C', '--', path], limitMs);
  const label = exitCode === 0 ? stdout.trim() : '';
  const named = (context: string | undefined): string => (context ? `the label ${context}` : 'an unknown label');
  return `; SELinux is enforcing: ${reader.name} has ${named(domain)}, ${path} has ${named(label)}. Fix: csync check`;
}
