/** The shipped monitor's verdict in an unchanged world. */
import { actsOfLeaving } from '../../host/member/service-front.ts';
import { actsOfVerdict, judge, limitsOf, type Sample, type Verdict, watchFrom } from '../../member/monitor/judge.ts';
import { type LayerWorld, layerNames, layerOf } from '../../member/monitor/layers.ts';
import type { Settings } from '../../settings/settings.ts';
import type { MemberWorld } from './world.ts';

const looks = 130;
const paceMs = 5000;

function seenByLayers({ daemon, address, link, mounted, disk }: MemberWorld, isContested: boolean): LayerWorld {
  return {
    daemon,
    hasAddress: address === 'yes' && link === 'up',
    hasFileSystem: mounted === 'yes' && disk === 'there',
    isOnlyOwner: !isContested,
  };
}

/** False: an earlier act hangs, or the process is stopped. */
export function leaves({ log, monitor }: MemberWorld): boolean {
  const acts = actsOfVerdict();
  const isReached = log === 'writes' || !acts.slice(0, acts.indexOf('leave')).includes('log');
  return isReached && (monitor !== 'unheard' || actsOfLeaving().includes('kill'));
}

/** null: no verdict. */
export function verdictOn(world: MemberWorld, isContested: boolean, settings: Settings): Verdict | null {
  const limits = limitsOf(settings);
  const seenByAll = seenByLayers(world, isContested);
  let watch = watchFrom(0);
  for (let count = 1; count <= looks && watch.verdict === null; count += 1) {
    const at = count * paceMs;
    const seen = world.daemon === 'dead' ? 'gone' : 'running';
    const samples: readonly Sample[] = [
      { kind: 'process', at, seen, detail: '' },
      ...layerNames.map((layer): Sample => {
        const result = layerOf(layer).isGoodIn(seenByAll) ? 'good' : 'bad';
        return { kind: 'layer', layer, at, result, detail: '' };
      }),
    ];
    for (const sample of samples) watch = judge(watch, sample, limits);
  }
  return watch.verdict;
}
