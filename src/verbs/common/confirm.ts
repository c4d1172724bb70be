import { failure } from '../../base/problem.ts';
import { isInteractive, openLines } from '../../host/admin/terminal.ts';
import { err, progress } from '../../host/output.ts';
import { readYesNo } from '../../wizard/answers.ts';

/** One line for each step, then the notes. */
export function planText(steps: readonly string[], notes: readonly string[] = []): string {
  const lines = [
    ...steps.map((step, index) => `${String(index + 1).padStart(3)}. ${step}`),
    ...notes.map((note) => `Note: ${note}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** For a plan that is not printed. */
export function progressNotes(notes: readonly string[]): void {
  for (const note of notes) progress(`Note: ${note}`);
}

/** Throws as `confirm`. */
export async function confirmPlan(verb: string, plan: string, stop: AbortSignal): Promise<void> {
  err(plan);
  await confirm(verb, stop);
}

/** Returns for yes. Otherwise, without a terminal, or if `stop` comes first, throws a Failure. */
export async function confirm(verb: string, stop: AbortSignal): Promise<void> {
  if (!isInteractive()) {
    const text = 'no terminal to ask for confirmation; nothing was changed';
    const remedy = `csync ${verb} --dry-run   (prints the steps); --yes runs them without asking`;
    throw failure('usage-unconfirmed', text, remedy);
  }
  const answer = await ask('Do you want to continue?', stop);
  if (answer === true) return;
  const text = `${answer === null ? 'interrupted' : 'not confirmed'}; nothing was changed`;
  throw failure('interrupted', text, `csync ${verb} --dry-run   (prints the steps)`);
}

/** On standard error; an empty answer is yes, as in the wizard. null: interrupted. */
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
