/** Pure except for the clock. */
import type { Settings } from '../settings/settings.ts';
import { Search, type SearchBounds, type SearchResult } from './search.ts';

export interface CheckRun {
  readonly members: number;
  readonly style: Settings['packageStyle'];
  readonly bounds: SearchBounds;
}

const memberNames = ['m1', 'm2', 'm3', 'm4'] as const;

export async function runChecks(
  runs: readonly CheckRun[],
  settings: Settings,
  progress: (text: string) => void,
): Promise<SearchResult[]> {
  const results: SearchResult[] = [];
  for (const { members, style, bounds } of runs) {
    const label = `${members} members, ${style}, ${bounds.events} events`;
    progress(label);
    const varied: Settings = { ...settings, members: memberNames.slice(0, members), packageStyle: style };
    const result = await new Search(varied, bounds).run((text) => progress(`${label}: ${text}`));
    results.push(result);
    if (result.counterexample !== null) break;
  }
  return results;
}

export function storyLines({ counterexample }: SearchResult): string[] {
  if (counterexample === null) return [];
  return [...counterexample.story.map((line, index) => `${index + 1}. ${line}`), '', `=> ${counterexample.broken}`];
}
