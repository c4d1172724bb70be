import type { Finding } from '../failures.ts';
import type { StepContext } from './steps.ts';

const limitMs = 30_000;

/** Both parsers accept a missing file [cfengine.md 1.4]. */
export async function policyProblem({ host, daemon }: StepContext): Promise<Finding | null> {
  const { daemonPolicy, policyCheck } = daemon.adapter;
  if (host.readText(daemonPolicy) === null) return { code: 'policy-invalid', text: `${daemonPolicy} cannot be read` };
  const checked = await host.run(policyCheck, limitMs);
  if (checked.exitCode === 0) return null;
  const said = `${checked.stdout}${checked.stderr}`.trim().split('\n').slice(0, 3).join(' | ');
  return { code: 'policy-invalid', text: `${policyCheck.join(' ')} exited with ${checked.exitCode ?? checked.signal}: ${said}` };
}
