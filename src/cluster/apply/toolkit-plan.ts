/** `csync toolkit`: which members take part, their steps in phases, and what must be true afterwards. Pure. */

import { errorProblem, type Problem } from '../../base/problem.ts';
import type { NoAnswer } from '../../host/admin/no-answer.ts';
import type { FileToSend } from './package-write.ts';
import {
  copyScript,
  removeToolkitScript,
  switchBackScript,
  switchToolkitScript,
  type ToolkitBuild,
  type ToolkitFacts,
  type ToolkitPlace,
  toolkitState,
  versionsDirectory,
  whyLeftAlone,
} from './toolkit.ts';

export interface SeenToolkit {
  readonly member: string;
  /** null: it did not answer. */
  readonly facts: ToolkitFacts | null;
  readonly noAnswer: NoAnswer;
}

/** If it fails, its member takes no part in later phases. */
export interface ToolkitStep {
  readonly member: string;
  readonly text: string;
  readonly script: string;
}

export interface ToolkitPlan {
  /** Steps of a phase run side by side; a phase begins when the previous one ended everywhere. */
  readonly phases: readonly (readonly ToolkitStep[])[];
  /** One for each excluded member. */
  readonly problems: readonly Problem[];
  /** A member that took part is as wanted. */
  readonly isDone: (facts: ToolkitFacts) => boolean;
}

export function unreachableToolkit({ member, noAnswer }: SeenToolkit): Problem {
  return errorProblem('cluster-unreachable', `cannot be checked: ${noAnswer.why}`, noAnswer.remedy, member);
}

type Reached = SeenToolkit & { readonly facts: ToolkitFacts };

/** Members that need a step and may have it; others that need it are problems. */
function takingPart(
  seen: readonly SeenToolkit[],
  place: ToolkitPlace,
  isNeeded: (facts: ToolkitFacts) => boolean,
): { readonly members: readonly Reached[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const members = seen.flatMap((one): Reached[] => {
    const { member, facts } = one;
    const needed = facts === null || isNeeded(facts);
    const why = facts === null ? unreachableToolkit(one) : needed ? whyLeftAlone(member, facts, place) : null;
    if (why !== null) problems.push(why);
    return facts === null || !needed || why !== null ? [] : [{ ...one, facts }];
  });
  return { members, problems };
}

/** No member is switched before all have run the new version. */
export function planInstall(
  seen: readonly SeenToolkit[],
  place: ToolkitPlace,
  build: ToolkitBuild,
  files: readonly FileToSend[],
): ToolkitPlan {
  const { members, problems } = takingPart(seen, place, (facts) => toolkitState(facts, build) !== 'same');
  const [copy, change] = members.length === 0 ? ['', ''] : [copyScript(place, build, files), switchToolkitScript(place, build)];
  const copied = `copy csync ${build.version} to ${versionsDirectory}, and check that it runs there`;
  const changed = `switch ${place.toolkitProgram} to csync ${build.version}`;
  return {
    phases: [
      members.map(({ member }) => ({ member, text: copied, script: copy })),
      members.map(({ member }) => ({ member, text: changed, script: change })),
    ],
    problems,
    isDone: (facts) => toolkitState(facts, build) === 'same',
  };
}

/** To the program before the last switch. */
export function planBack(seen: readonly SeenToolkit[], place: ToolkitPlace): ToolkitPlan {
  const { members, problems } = takingPart(seen, place, ({ previous, target }) => previous !== null && previous !== target);
  return {
    phases: [
      members.map(({ member, facts }) => ({
        member,
        text: `switch ${place.toolkitProgram} back to ${facts.previous}`,
        script: switchBackScript(place),
      })),
    ],
    problems,
    isDone: ({ target, version }) => target !== null && version !== null,
  };
}

/** Only what planInstall put there. */
export function planRemove(seen: readonly SeenToolkit[], place: ToolkitPlace): ToolkitPlan {
  const managed = seen.filter(({ facts }) => facts?.isManaged === true);
  const text = `remove the versions in ${versionsDirectory}, and the link ${place.toolkitProgram} to one of them`;
  return {
    phases: [managed.map(({ member }) => ({ member, text, script: removeToolkitScript(place) }))],
    problems: seen.filter(({ facts }) => facts === null).map(unreachableToolkit),
    isDone: ({ isManaged }) => !isManaged,
  };
}
