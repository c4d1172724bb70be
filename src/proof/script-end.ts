/** The end of a package's script: what must hold then, and the package manager that is told. */
import type { ScriptEnd } from '../lab/manager/model.ts';
import type { State } from './state.ts';
import { holdsPackage, serves } from './world.ts';

/** What an undisturbed script owes when it ends so [DESIGN 6: I2, I3]. */
function debts(state: State, word: 'start' | 'halt', end: ScriptEnd): string[] {
  const { runner, sharedWorld: shared, isDisturbed } = state;
  const world = state.world(runner);
  const name = state.members[runner];
  const rules: readonly (readonly [string, boolean])[] =
    word === 'start' && end.kind === 'exit' && end.code === 0
      ? [
          [`I2: the start succeeds, and ${name} does not serve the policy`, isDisturbed || serves(world)],
          [
            `I2: the start succeeds, and ${name} left no mark on the policy file system`,
            isDisturbed || shared.sentinel === runner,
          ],
          [`I2: the start succeeds, and nothing watches the daemon on ${name}`, isDisturbed || world.monitor === 'yes'],
        ]
      : word === 'start' && end.kind === 'exit'
        ? [
            [
              `I3: the start fails, and ${name} still has something of the package`,
              isDisturbed || world.holder !== 'nobody' || !holdsPackage(world),
            ],
          ]
        : end.kind === 'exit' && end.code === 0
          ? [
              [`I3: the halt succeeds, and ${name} still has the policy file system mounted`, world.mounted === 'no'],
              [`I3: the halt succeeds, and ${name} still has something of the package`, isDisturbed || !holdsPackage(world)],
              [`I3: the halt succeeds, and the volume group still has the tag of ${name}`, isDisturbed || shared.tag !== runner],
              [
                `I3: the halt succeeds, and no daemon runs on ${name}`,
                isDisturbed || world.daemon === 'alive' || world.startable === 'no' || world.files === 'mixed',
              ],
            ]
          : [];
  return rules.filter(([, holds]) => !holds).map(([text]) => text);
}

export function endScript(state: State, end: ScriptEnd): void {
  const { runner, settings } = state;
  const word = state.scripts.wordOf(state.node);
  // What a legacy halt script left of its services ends with its package.
  if (word === 'halt' && settings.packageStyle === 'legacy' && end.kind === 'exit') state.change(runner, { monitor: 'no' });
  state.broken.push(...debts(state, word, end));
  state.node = -1;
  const kind = word === 'start' ? 'start-ended' : 'halt-ended';
  const how = end.kind === 'exit' ? `exit status ${end.code}` : 'a time-out';
  if (end.kind === 'exit') state.said += `; the ${word} ends with ${how}`;
  state.tell({ kind, package: settings.packageName, member: state.members[runner] ?? '', end });
}
