/**
 * Every parser of text that comes from elsewhere. test/pure/parsers/fuzz.test.ts holds this list against the source: a parser that is
 * neither called here nor excepted below fails it.
 */
import { administrators } from './parsers/administrators.ts';
import { cfengine } from './parsers/cfengine.ts';
import { cluster } from './parsers/cluster.ts';
import { members } from './parsers/members.ts';
import type { FuzzedParser } from './trial.ts';

export const parsers: readonly FuzzedParser[] = [...administrators, ...cluster, ...cfengine, ...members];
