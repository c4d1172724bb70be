/** The Node.js that `csync apply --with-runtime` carries: which file it is, whether it can be carried, and how far it got. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../../base/problem.ts';
import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import type { ApplyWish, RuntimeCarry } from '../../cluster/apply/apply-plan.ts';
import { readProgramFile } from '../../cluster/apply/program-file.ts';
import {
  parseRuntimeLook,
  type RuntimeLook,
  type RuntimeSource,
  runtimeInUse,
  runtimeLookScript,
  sizeText,
} from '../../cluster/apply/runtime.ts';
import { type ClusterObservation, inParallel, type PackagePlace } from '../../cluster/remote/observation.ts';
import { readNodeVersion } from '../../cluster/remote/package-look.ts';
import type { Runtime } from '../../contract/package-directory.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { realPath, runCommand } from '../../host/admin/own-files.ts';
import { digestOfFile, withFile } from '../../host/file-reading.ts';
import { openMeter } from './meter.ts';

/** What --with-runtime[=FILE] and --without-runtime say. */
export interface RuntimeOptions {
  /** '': the Node.js that runs csync now. undefined: what is in use stays. */
  readonly withRuntime?: string | undefined;
  readonly withoutRuntime?: boolean | undefined;
}

const lookLimitMs = 20_000;
const versionLimitMs = 20_000;

/** What the package shall run with, and, where it is to be carried, what every member says to it. */
export async function chooseRuntime(
  shell: MemberShell,
  observation: ClusterObservation,
  { packageDirectory }: PackagePlace,
  { withRuntime, withoutRuntime }: RuntimeOptions,
): Promise<Pick<ApplyWish, 'runtime' | 'carry'>> {
  if (withoutRuntime === true) return { runtime: null, carry: null };
  if (withRuntime === undefined) return { runtime: runtimeInUse(observation), carry: null };
  const source = await readRuntime(withRuntime === '' ? process.execPath : withRuntime);
  const reached = observation.members.filter((one) => one.reached);
  const looks = await inParallel(reached, async ({ member }): Promise<[string, RuntimeLook | string]> => {
    const answer = await shell.run(member, runtimeLookScript(packageDirectory, source), lookLimitMs);
    return [member, parseRuntimeLook(answer.stdout) ?? (answer.stderr.trim() || `ended with ${answer.exitCode}`)];
  });
  const carry: RuntimeCarry = { source, looks: new Map(looks) };
  const runtime: Runtime = { digest: source.digest, size: source.size };
  return { runtime, carry };
}

/** Throws a Failure where it is known here that no member could run it. */
async function readRuntime(named: string): Promise<RuntimeSource> {
  const file = realPath(named);
  const refuse = (text: string, remedy: string): Failure =>
    new Failure([{ code: 'file-runtime', severity: 'error', text, remedy, place: { file } }]);
  const official = '--with-runtime=FILE, with bin/node of an archive from nodejs.org, which needs no more than the C library';
  try {
    const { program, size } = withFile(file, (read, bytes) => ({ program: readProgramFile(read), size: bytes }));
    if (program === null || program.extent > size)
      throw refuse(
        'is no whole 64-bit program (ELF): a script, a shim of a version manager, or cut short',
        'name the binary itself: node -p process.execPath prints where it is',
      );
    const shared = program.libraries.find((library) => library.startsWith('libnode'));
    if (shared !== undefined)
      throw refuse(`is only the front of ${shared}, and could not run where that is not installed`, official);
    // One for another machine cannot be asked here; the members tell.
    const version = readNodeVersion((await runCommand([file, '--version'], versionLimitMs)).stdout);
    if (version !== null && !isNodeNewEnough(version)) throw refuse(`is Node.js ${version}, older than ${oldestNode}`, official);
    return { file, size, digest: digestOfFile(file), program, token: randomBytes(6).toString('hex') };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw refuse(`cannot be read: ${(error as Error).message}`, 'name a file: csync apply --with-runtime=FILE');
  }
}

/** How much of it each member has. */
export function carryMeter(): { told: (member: string, bytes: number, size: number) => void; line: (text: string) => void } {
  const shown = new Map<string, string>();
  const meter = openMeter();
  return {
    told: (member, bytes, size) => {
      const text = `${member} ${Math.floor((100 * bytes) / size)} %`;
      if (shown.get(member) === text) return;
      shown.set(member, text);
      meter.show(`${[...shown.values()].join('  ')} of ${sizeText(size)}`);
    },
    line: meter.line,
  };
}
