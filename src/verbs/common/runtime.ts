import { randomBytes } from 'node:crypto';
import { Failure, failure } from '../../base/problem.ts';
import { hasNodeEnded, isNodeNewEnough, lastDayOfNode, oldestNode, recommendedNode } from '../../base/version.ts';
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

export interface RuntimeOptions {
  /** '': csync's own. undefined: no change. */
  readonly withRuntime?: string | undefined;
  readonly withoutRuntime?: boolean | undefined;
  /** Although its support has ended. */
  readonly force?: boolean | undefined;
}

const lookLimitMs = 20_000;
const versionLimitMs = 20_000;

/** And, if carried, the report of every member. */
export async function chooseRuntime(
  shell: MemberShell,
  observation: ClusterObservation,
  { packageDirectory }: PackagePlace,
  { withRuntime, withoutRuntime, force }: RuntimeOptions,
): Promise<Pick<ApplyWish, 'runtime' | 'carry'>> {
  if (withoutRuntime === true) return { runtime: null, carry: null };
  if (withRuntime === undefined) return { runtime: runtimeInUse(observation), carry: null };
  const source = await readRuntime(withRuntime === '' ? process.execPath : withRuntime, force === true);
  const reached = observation.members.filter((one) => one.reached);
  const looks = await inParallel(reached, async ({ member }): Promise<[string, RuntimeLook | string]> => {
    const answer = await shell.run(member, runtimeLookScript(packageDirectory, source), lookLimitMs);
    return [member, parseRuntimeLook(answer.stdout) ?? (answer.stderr.trim() || `exit status ${answer.exitCode}`)];
  });
  const carry: RuntimeCarry = { source, looks: new Map(looks) };
  const runtime: Runtime = { digest: source.digest, size: source.size };
  return { runtime, carry };
}

/** Throws a Failure if no member could run it. */
async function readRuntime(named: string, force: boolean): Promise<RuntimeSource> {
  const file = realPath(named);
  const refuse = (text: string, remedy: string, code: 'file-runtime' | 'file-runtime-ended' = 'file-runtime'): Failure =>
    failure(code, text, remedy, { file });
  const official = '--with-runtime=FILE, with bin/node from an archive of nodejs.org, which needs only the C library';
  try {
    const { program, size } = withFile(file, (read, bytes) => ({ program: readProgramFile(read), size: bytes }));
    if (program === null || program.extent > size)
      throw refuse(
        'is not a complete 64-bit program (ELF): a script, a shim of a version manager, or truncated',
        'name the binary itself: node -p process.execPath   (prints its path)',
      );
    const shared = program.libraries.find((library) => library.startsWith('libnode'));
    if (shared !== undefined) throw refuse(`is only a front for ${shared}, and cannot run without that library`, official);
    // A foreign program: the members report its version.
    const version = readNodeVersion((await runCommand([file, '--version'], versionLimitMs)).stdout);
    if (version !== null && !isNodeNewEnough(version)) throw refuse(`is Node.js ${version}, older than ${oldestNode}`, official);
    if (version !== null && !force && hasNodeEnded(version, new Date()))
      throw refuse(
        `is Node.js ${version}; its support ended on ${lastDayOfNode(version)}, so it gets no security fixes`,
        `csync apply --with-runtime=FILE, with Node.js ${recommendedNode}; or add --force to copy this version`,
        'file-runtime-ended',
      );
    return { file, size, digest: digestOfFile(file), program, token: randomBytes(6).toString('hex') };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw refuse(`cannot be read: ${(error as Error).message}`, 'name an existing file: csync apply --with-runtime=FILE');
  }
}

export function carryMeter(show: (text: string) => void): (member: string, bytes: number, size: number) => void {
  const shown = new Map<string, string>();
  return (member, bytes, size) => {
    const text = `${member} ${Math.floor((100 * bytes) / size)} %`;
    if (shown.get(member) === text) return;
    shown.set(member, text);
    show(`${[...shown.values()].join('  ')} of ${sizeText(size)}`);
  };
}
