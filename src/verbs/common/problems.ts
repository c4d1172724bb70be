import { formatProblem, type Problem } from '../../base/problem.ts';
import { err, out } from '../../host/output.ts';

/** To standard output where they are the result. */
export function printProblems(problems: readonly Problem[], to: 'out' | 'err' = 'err'): void {
  const print = to === 'out' ? out : err;
  for (const one of problems) {
    print(one.severity, one.severity === 'error' ? 'red' : 'yellow');
    print(`${formatProblem(one).slice(one.severity.length)}\n`);
  }
  const [code, ...others] = new Set(problems.map((one) => one.code));
  if (code === undefined) return;
  print(others.length === 0 ? `More: csync explain ${code}\n` : `More: csync explain CODE, for example: csync explain ${code}\n`);
}
