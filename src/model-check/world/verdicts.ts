/**
 * What the shipped monitor concludes where nothing changes any more: its judge, folded over looks at a world with the
 * settings' own limits. The layers `content` and `owner` only warn: of `owner` that is checked here, `content` is always good.
 */

import { actsOfLeaving } from '../../host/member/service-front.ts';
import {
  actsOfVerdict,
  eachLayer,
  judge,
  type LayerName,
  type LayerResult,
  type Limits,
  layerNames,
  type Sample,
  type Verdict,
  watchFrom,
} from '../../member/monitor/judge.ts';
import { parseLayerPlan } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';
import type { MemberWorld } from './world.ts';

/** More looks than any limit of the settings asks for. */
const looks = 130;
const paceMs = 5000;

function limitsOf(settings: Settings): Limits {
  const plans = {
    port: parseLayerPlan(settings.monitorPort),
    protocol: { failures: settings.monitorFailures, weight: 'fail' as const },
    storage: parseLayerPlan(settings.monitorStorage),
    content: parseLayerPlan(settings.monitorContent),
    address: parseLayerPlan(settings.monitorAddress),
    owner: parseLayerPlan(settings.monitorOwner),
  };
  const off = { failures: Number.POSITIVE_INFINITY, weight: 'warn' as const };
  return { layers: eachLayer((name) => plans[name] ?? off), unknownLimitMs: settings.monitorUnknownLimitSeconds * 1000 };
}

function lookAt(
  { daemon, address, link, mounted, disk }: MemberWorld,
  isContested: boolean,
): Readonly<Record<LayerName, LayerResult>> {
  const isHere = address === 'yes' && link === 'up';
  const good = (holds: boolean): LayerResult => (holds ? 'good' : 'bad');
  return {
    // The kernel takes connections for a daemon that hangs.
    port: good(daemon !== 'dead' && isHere),
    protocol: good(daemon === 'alive' && isHere),
    storage: good(mounted === 'yes' && disk === 'there'),
    content: 'good',
    address: good(isHere),
    owner: good(!isContested),
  };
}

/** Whether the service exits with a verdict: what hangs before that lets nothing behind it happen, and what is stopped obeys nobody. */
export function leaves({ log, monitor }: MemberWorld): boolean {
  const acts = actsOfVerdict();
  const isReached = log === 'writes' || !acts.slice(0, acts.indexOf('leave')).includes('log');
  return isReached && (monitor !== 'unheard' || actsOfLeaving().includes('kill'));
}

/** null: it goes on watching. */
export function verdictOn(world: MemberWorld, isContested: boolean, settings: Settings): Verdict | null {
  const limits = limitsOf(settings);
  const found = lookAt(world, isContested);
  let watch = watchFrom(0);
  for (let count = 1; count <= looks && watch.verdict === null; count += 1) {
    const at = count * paceMs;
    const seen = world.daemon === 'dead' ? 'gone' : 'running';
    const samples: readonly Sample[] = [
      { kind: 'process', at, seen, detail: '' },
      ...layerNames.map((layer): Sample => ({ kind: 'layer', layer, at, result: found[layer], detail: '' })),
    ];
    for (const sample of samples) watch = judge(watch, sample, limits);
  }
  return watch.verdict;
}
