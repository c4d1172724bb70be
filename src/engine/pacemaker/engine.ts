/** Pacemaker as an engine: the package is a resource group. */
import type { Engine } from '../engine.ts';
import { definition, definitionQuery, readDefinition } from './definition.ts';
import { hazards, unprotected } from './hazards.ts';
import { host } from './host.ts';
import { orders } from './orders.ts';
import { readView, view } from './status.ts';
import { words } from './words.ts';

export const pacemaker: Engine = {
  name: 'pacemaker',
  title: 'Pacemaker',
  orders,
  observation: {
    view,
    readView,
    definition: definitionQuery,
    readDefinition,
    hazards,
    unprotected,
    version: ['crm_node', '--version'],
    readVersion: (text) => /\bPacemaker (\d+\.\d+(\.\d+)*)/.exec(text)?.[1] ?? null,
  },
  definition,
  host,
  words,
};
