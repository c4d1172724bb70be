/** A rehearsal as plain text. Pure. */
import { columns } from '../../base/tables.ts';
import type { Comparison } from '../comparison.ts';
import {
  type DrillResult,
  type Flags,
  inSeconds,
  momentText,
  orderedMoments,
  outageParts,
  type ReadyReport,
  type Rehearsal,
  worstOutage,
} from '../model.ts';
import { letterOf } from './drawing.ts';

/** The verdict, then members, then drills. */
export function rehearsalText(rehearsal: Rehearsal, comparison: Comparison | null): string {
  const { verdict, sentence, ready, drills, packageName, place, at } = rehearsal;
  const lines = [
    `${verdict === 'pass' ? 'PASSED' : 'FAILED'}: ${sentence}.`,
    `Rehearsal of ${packageName} ${place === 'lab' ? 'in the lab' : 'on the cluster'}, ${at}`,
    ...(ready === null ? [] : readyLines(ready)),
    ...drills.flatMap(drillLines),
    ...(drills.length === 0 ? [] : comparisonLines(comparison)),
  ];
  return `${lines.join('\n')}\n`;
}

function readyLines({ members, general }: ReadyReport): string[] {
  return [
    '',
    ...members.flatMap(({ member, verdict, good, wanted, sentence, looks }) => [
      `${member}: ${verdict}, ${good} of ${wanted} checks passed; ${sentence}`,
      ...looks
        .filter(({ is }) => is !== 'good')
        .flatMap(({ is, name, text, remedy }) => [
          `  ${is === 'bad' ? 'bad     ' : 'skipped'}  ${name}: ${text}`,
          ...(remedy === '' ? [] : [`            Fix: ${remedy}`]),
        ]),
    ]),
    ...general.flatMap(({ text, remedy }) => [`the cluster: ${text}`, `  Fix: ${remedy}`]),
  ];
}

function drillLines(drill: DrillResult): string[] {
  const { name, title, verdict, sentence, moments, marks, budget, before, after, unclean } = drill;
  const worst = worstOutage(drill);
  const parts = outageParts(drill);
  return [
    '',
    `${name}: ${verdict === 'pass' ? 'passed' : 'FAILED'}. ${title}: ${sentence}.`,
    ...columns(
      marks.map(({ at, member, text }, index) => [letterOf(index), inSeconds(at), member ?? '', text]),
      { right: [1], indent: 2 },
    ),
    ...columns(
      orderedMoments(moments).map(({ name: moment, at, number }) => [number, inSeconds(at), momentText[moment]]),
      { right: [1], indent: 2 },
    ),
    `  outage ${worst === null ? 'none' : inSeconds(worst)}${budget.outage === null ? '' : `, limit ${budget.outage === 0 ? 'none' : inSeconds(budget.outage)}`}${parts.length === 0 ? '' : `: ${parts.map(({ name: part, ms }) => `${part} ${inSeconds(ms)}`).join(', ')}`}`,
    `  before: ${flagsText(before)}`,
    `  after:  ${after === null ? 'unknown' : flagsText(after)}${unclean.length === 0 ? '' : `; DIFFERS: ${unclean.join('; ')}`}`,
  ];
}

function flagsText({ owner, status, state, autoRun, switching }: Flags): string {
  const off = Object.entries(switching).flatMap(([member, on]) => (on ? [] : [member]));
  const members = off.length === 0 ? 'every member enabled' : `disabled: ${off.join(', ')}`;
  return `${status} (${state}) on ${owner ?? 'no member'}, package switching ${autoRun ? 'enabled' : 'disabled'}, ${members}`;
}

function comparisonLines(comparison: Comparison | null): string[] {
  if (comparison === null) return ['', 'No earlier rehearsal to compare with.'];
  return [
    '',
    `Compared with ${comparison.with}:`,
    ...comparison.drills.map(({ name, now, before, text }) => `  ${name}: ${now}; previous ${before}: ${text}`),
    ...comparison.members.map(({ member, text }) => `  ${member}: ${text}`),
  ];
}
