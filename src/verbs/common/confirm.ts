/** The plan as it is shown, and the question before it is carried out. */
import { Failure } from '../../base/problem.ts';
import { isInteractive, openLines } from '../../host/admin/terminal.ts';
import { readYesNo } from '../../wizard/answers.ts';

/** The steps of a plan, a line each, and what else there is to know of it. */
export function planText(steps: readonly string[], notes: readonly string[] = []): string {
  const lines = [
    ...steps.map((step, index) => `${String(index + 1).padStart(3)}. ${step}`),
    ...notes.map((note) => `Note: ${note}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Returns when the answer is yes; throws a Failure in all other cases, also where nobody can be asked, or `stop` comes first. */
export async function confirm(verb: string, stop: AbortSignal): Promise<void> {
  if (!isInteractive()) {
    const text = 'there is no terminal to ask on; nothing was changed';
    const remedy = `csync ${verb} --dry-run shows the steps; --yes does them without asking`;
    throw new Failure([{ code: 'usage-unconfirmed', severity: 'error', text, remedy }]);
  }
  const answer = await ask('Do you want to continue?', stop);
  if (answer === true) return;
  const text = `${answer === null ? 'interrupted' : 'not confirmed'}; nothing was changed`;
  throw new Failure([
    { code: 'interrupted', severity: 'error', text, remedy: `csync ${verb} --dry-run shows the steps at any time` },
  ]);
}

/** In the wizard's manner; an empty answer is yes. Asked on standard error, where the plan stands. null: interrupted. */
async function ask(question: string, stop: AbortSignal): Promise<boolean | null> {
  const terminal = openLines(() => {}, process.stderr);
  stop.addEventListener('abort', terminal.close);
  try {
    for (;;) {
      const line = await terminal.ask(`${question} (y/n) [y]: `);
      if (line === null) return null;
      const answer = readYesNo(line, true);
      if (answer !== null) return answer;
    }
  } finally {
    stop.removeEventListener('abort', terminal.close);
    terminal.close();
  }
}
