/** What the engine would do with a change, computed on a member before anything is changed or sent. */
import { shellWord } from '../../base/shell-word.ts';
import { type RenderedFile, setPartOf } from '../../contract/package-directory.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { Argv, Definition, Forecast } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords } from '../../host/admin/no-answer.ts';
import type { ClusterObservation, PackagePlace } from './observation.ts';
import { commandWords, engineScript, receiveLines } from './shell-text.ts';

const limitMs = 60_000;

/** null: the engine computes nothing, or nothing would change. A text: why it could not. */
export async function forecastOf(
  shell: MemberShell,
  place: PackagePlace,
  files: readonly RenderedFile[],
  wanted: Definition,
  { applied, commandMember }: ClusterObservation,
): Promise<Forecast | string | null> {
  const { simulation, differences, fileName } = engineFor(place).definition;
  if (simulation === null || commandMember === null) return null;
  if (applied !== null && differences(applied, wanted).length === 0) return null;
  const script = simulationScript(files, simulation.command(`$scratch/${fileName(place.packageName)}`));
  const ended = await shell.run(commandMember, script, limitMs);
  const read = ended.exitCode === 0 ? simulation.read(ended.stdout, applied, wanted) : null;
  return read ?? printedWords(ended);
}

/** With the files beside the set in a directory of its own; /run, because what is compared may contain passwords. */
export function simulationScript(files: readonly RenderedFile[], command: Argv): string {
  const beside = files.filter(({ name }) => setPartOf(name) === null);
  return engineScript(
    'umask 077; scratch=$(mktemp -d /run/csync-simulate.XXXXXX) || exit 1',
    `trap 'rm -rf -- "$scratch"' EXIT; trap 'exit 143' HUP INT TERM`,
    ...beside.flatMap(({ name, text }) => receiveLines(`"$scratch"/${shellWord(name)}`, Buffer.from(text))),
    `${commandWords(command, '$scratch')} < /dev/null`,
  );
}
