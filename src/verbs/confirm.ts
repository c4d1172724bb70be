/** The question before a change. */
import { askYesOrNo, canAsk } from '../host/terminal.ts';
import { Failure } from '../problem.ts';

/** Returns when the answer is yes; throws a Failure in all other cases, also where nobody can be asked. */
export async function confirm(verb: string): Promise<void> {
  if (!canAsk()) {
    const text = 'there is no terminal to ask on; nothing was changed';
    const remedy = `csync ${verb} --dry-run shows the steps; --yes does them without asking`;
    throw new Failure([{ code: 'usage-unconfirmed', severity: 'error', text, remedy }]);
  }
  const answer = await askYesOrNo('Do you want to continue?', true);
  if (answer === true) return;
  const text = `${answer === null ? 'interrupted' : 'not confirmed'}; nothing was changed`;
  throw new Failure([
    { code: 'interrupted', severity: 'error', text, remedy: `csync ${verb} --dry-run shows the steps at any time` },
  ]);
}
