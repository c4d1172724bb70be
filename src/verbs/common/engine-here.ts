/** The engine of this host: which one is installed, and its variables. */
import { engines } from '../../engine/choice/engine-for.ts';
import type { Engine, EngineVariables } from '../../engine/engine.ts';
import { readTextFile } from '../../host/admin/own-files.ts';

/** null: the engine is not installed here. */
export function variablesHere({ host }: Engine): EngineVariables | null {
  const text = readTextFile(process.env[host.variablesFileIn] ?? host.variablesFile);
  return text === null ? null : host.readVariables(text);
}

/** The engine that is installed here, or the first one if none is. */
export function engineHere(): { readonly engine: Engine; readonly variables: EngineVariables | null } {
  const found = engines.map((engine) => ({ engine, variables: variablesHere(engine) }));
  return found.find(({ variables }) => variables !== null) ?? { engine: engines[0], variables: null };
}
