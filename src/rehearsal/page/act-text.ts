/** An act of a drill in words, for a dry run and docs/reference/drills.md. */
import { typed } from '../../engine/choice/engine-for.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Act } from '../drills/drill-model.ts';
import { commandsOf } from '../orders.ts';

export function actText(act: Act, { orders }: Pick<Engine, 'orders'>): string {
  switch (act.do) {
    case 'type':
      return `on the ${partText(act.on)}: \`${typed(commandsOf(act, orders, '{package}', (part) => `{${part}}`))}\``;
    case 'signal':
      return `on the ${partText(act.on)}: SIG${act.signal} to the ${targetText[act.to]}${act.whenItRuns === true ? ' as soon as it runs' : ''}${act.ifThere === true ? ', if it exists' : ''}`;
    case 'script':
      return `on the ${partText(act.on)}: ${act.text}`;
    case 'machine':
      return `the ${partText(act.on)}: ${machineText[act.verb]}`;
    case 'wait':
      return `wait until ${waitText[act.until]}`;
    case 'watch':
      return `${act.seconds} s without an action`;
  }
}

const targetText = {
  daemon: 'daemon',
  monitor: 'monitor',
  front: 'front',
  startScript: 'start script',
  haltScript: 'halt script',
} as const;
const machineText = {
  crash: 'power is cut',
  boot: 'power is on again',
  cut: 'network cable is pulled',
  heal: 'network cable is back',
} as const;
const waitText = {
  moved: 'the package runs on another member',
  down: 'the package is down',
  starting: 'a start of the package begins on another member',
  served: 'the package runs',
  master: 'the package runs on the first member',
  next: 'the package runs on the next member',
  third: 'the package runs on the third member',
} as const;
const partText = (part: 'master' | 'next' | 'third'): string => (part === 'master' ? 'active member' : `${part} member`);
