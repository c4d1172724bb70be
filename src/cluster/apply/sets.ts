/** Reads the sets and the applied definition from the members. */
import { demand, Failure, failure } from '../../base/problem.ts';
import { refuseNewer } from '../../contract/formats.ts';
import { entryNames, flatSet, type RenderedFile, setPartOf, settingsName, sha256 } from '../../contract/package-directory.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { Definition } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { setText, wholePackage } from '../../render/package.ts';
import { parseSettingsJson, type Settings } from '../../settings/settings.ts';
import { type ClusterObservation, inParallel, type PackagePlace } from '../remote/observation.ts';
import { readFileScript } from '../remote/shell-text.ts';
import { parseHistory, readSet, type SetAbout, setFileName } from './history.ts';
import { historyScript, printedFiles, printFilesScript } from './package-write.ts';

export function settingsOf(files: readonly RenderedFile[], about: SetAbout): Settings {
  const settings = parseSettingsJson(setText(files, settingsName) ?? '');
  if (typeof settings !== 'string') return settings;
  const text = `the settings of set ${about.number} are not valid for this version: ${settings}`;
  throw failure('change-no-set', text, 'csync history   (lists the other sets)');
}

export async function readHistory(shell: MemberShell, { members }: ClusterObservation, place: PackagePlace): Promise<SetAbout[]> {
  const reached = members.filter((one) => one.reached);
  const texts = await inParallel(reached, ({ member }) => shell.run(member, historyScript(place.packageDirectory), 20_000));
  return parseHistory(texts.map(({ stdout }) => stdout).join('\n'));
}

/** The first undamaged copy. */
export async function fetchSet(
  shell: MemberShell,
  { members }: ClusterObservation,
  place: PackagePlace,
  about: SetAbout,
): Promise<RenderedFile[]> {
  refuseNewer(JSON.stringify(about), `set ${about.number} of the history`);
  for (const { member } of members.filter((one) => one.reached)) {
    const read = await shell.run(member, readFileScript(place.packageDirectory, setFileName(about.number)), 60_000);
    const files = read.exitCode === 0 ? readSet(Buffer.from(read.stdout, 'base64'), about) : null;
    if (files !== null) return files;
  }
  const text = `set ${about.number} is missing or damaged on every member that answers`;
  throw failure('change-no-set', text, 'csync history   (lists the other sets)');
}

/** From the first member that has them all unchanged. null: none. */
export async function fetchApplied(
  shell: MemberShell,
  { members, applied }: ClusterObservation,
  settings: Settings,
): Promise<RenderedFile[] | null> {
  const { packageDirectory, packageName, packageStyle } = settings;
  const set = applied?.set ?? null;
  if (set === null || set === flatSet) return null;
  const packageFile = engineFor(settings).definition.fileName(packageName);
  const beside = [...entryNames(packageStyle), packageFile];
  for (const one of members) {
    if (!one.reached) continue;
    const files = one.files.filter(({ name }) => setPartOf(name)?.set === set || beside.includes(name));
    const names = files.map(({ name }) => name);
    const answer = await shell.run(one.member, printFilesScript(packageDirectory, names), 60_000);
    const texts = printedFiles(answer.stdout);
    const read = files.flatMap(({ name, mode, digest }): RenderedFile[] => {
      const text = texts.get(name);
      return text !== undefined && sha256(text) === digest ? [{ name, mode, text }] : [];
    });
    const whole = wholePackage(read, set, packageFile);
    if (whole !== null) return whole;
  }
  return null;
}

/** A Failure with what the engine would reject in it. */
export function definitionIn(files: readonly RenderedFile[], place: PackagePlace): Definition {
  const { definition } = engineFor(place);
  const name = definition.fileName(place.packageName);
  const text = files.find((file) => file.name === name)?.text ?? '';
  const problems = definition.check(text, name);
  if (problems.some(({ severity }) => severity === 'error')) throw new Failure(problems);
  return demand(definition.parse(text, name));
}
