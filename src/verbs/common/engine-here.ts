import { resolve } from 'node:path';
import { type Failure, failure } from '../../base/problem.ts';
import { engines } from '../../engine/choice/engine-for.ts';
import type { Engine, EngineVariables } from '../../engine/engine.ts';
import { readTextFile, runShell } from '../../host/admin/own-files.ts';
import { strangersTo } from '../../host/ownership.ts';

/** null: not installed. Throws a Failure if its file cannot be trusted or read. */
export function variablesHere({ host, title }: Engine): EngineVariables | null {
  const file = resolve(process.env[host.variablesFileIn] ?? host.variablesFile);
  if (readTextFile(file) === null) return null;
  if (host.variablesScript === null) return {};
  const strangers = strangersTo(file);
  if (strangers.length > 0) throw unread(title, file, strangers.join('; '), `chown root ${file}; chmod go-w ${file}`);
  const { exitCode, stdout, stderr } = runShell(host.variablesScript, [file]);
  if (exitCode !== 0) throw unread(title, file, stderr.trim() || `a shell exits with status ${exitCode}`, `sh -n ${file}`);
  return host.readVariables(stdout);
}

function unread(title: string, file: string, why: string, remedy: string): Failure {
  const text = `${file} is not used, so the directories of ${title} are unknown: ${why}`;
  return failure('cluster-variables', text, remedy);
}

/** The first engine if none is installed. */
export function engineHere(): { readonly engine: Engine; readonly variables: EngineVariables | null } {
  const found = engines.map((engine) => ({ engine, variables: variablesHere(engine) }));
  return found.find(({ variables }) => variables !== null) ?? { engine: engines[0], variables: null };
}
