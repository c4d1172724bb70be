/** HPE Serviceguard as an engine. */
import type { Engine } from '../engine.ts';
import { definition, readApplied } from './definition.ts';
import { host } from './host.ts';
import { orders } from './orders.ts';
import { readView } from './status.ts';
import { words } from './words.ts';

export const serviceguard: Engine = {
  name: 'serviceguard',
  title: 'Serviceguard',
  orders,
  observation: {
    view: ['cmviewcl', '-v', '-f', 'line'],
    readView,
    definition: (packageName) => ['cmgetconf', '-p', packageName],
    readDefinition: readApplied,
    hazards: () => [],
    unprotected: () => [],
    version: ['cmversion'],
    readVersion: (text) => /\b([A-Z]\.)?\d+\.\d+(\.\d+)*/.exec(text)?.[0] ?? null,
  },
  definition,
  host,
  words,
};
