import * as files from '../../../host/lab/lab-files.ts';
import type { RunningProcess } from '../../../host/processes.ts';
import type { PackageContent } from '../../../serviceguard/package-content.ts';
import type { World } from '../../machines/world.ts';
import type { ScriptEnd } from '../../manager/model.ts';
import { logFileOf } from './package-environment.ts';

/** `exitCode`: the script's, or 1 for Serviceguard's own part. */
export class PhaseFailure extends Error {
  readonly exitCode: 1 | 2 | 3;
  constructor(message: string, exitCode: 1 | 2 | 3 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const noLimitSeconds = 1_000_000;
const systemEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

export class ScriptRun {
  readonly #world: World;
  readonly #member: string;
  readonly #content: PackageContent;
  readonly #init: number | null;
  #running: RunningProcess | null = null;
  #killed = false;

  constructor(world: World, member: string, content: PackageContent) {
    this.#world = world;
    this.#member = member;
    this.#content = content;
    this.#init = world.initOf(member);
  }

  /** False after a reboot: the script does not continue there. */
  get memberIsThere(): boolean {
    return this.#init !== null && this.#world.initOf(this.#member) === this.#init;
  }

  /** At the limit, kills the running command with its children. */
  async limited(timeoutSeconds: number | null, work: () => Promise<0 | 1 | 2 | 3>): Promise<ScriptEnd> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<ScriptEnd>((resolve) => {
      timer = setTimeout(
        () => {
          this.#killed = true;
          this.#running?.kill('SIGKILL');
          this.log(`\tERROR:  Script timed out after ${timeoutSeconds} seconds and was killed; it could not clean up.`);
          resolve({ kind: 'timeout' });
        },
        (timeoutSeconds ?? noLimitSeconds) * 1000,
      );
    });
    const ended = work().then((code): ScriptEnd => ({ kind: 'exit', code }));
    const end = await Promise.race([ended, timeout]);
    clearTimeout(timer);
    // A killed script's children must not continue.
    if (end.kind === 'timeout') await ended.catch(() => {});
    if (this.memberIsThere) await this.#log().flushed();
    return end;
  }

  /** Output goes to the package log. null: killed, or never started. */
  async command(argv: readonly string[], env: Readonly<Record<string, string>> = systemEnvironment): Promise<number | null> {
    if (this.#killed) throw new PhaseFailure('the script was killed');
    if (!this.memberIsThere) throw new PhaseFailure('the member went down');
    const log = await this.#log().open();
    if (this.#killed) throw new PhaseFailure('the script was killed');
    try {
      this.#running = this.#world.start(this.#member, argv, { env, ...(log === null ? {} : { outputFd: log }) });
    } finally {
      if (log !== null) files.close(log);
    }
    const end = await this.#running.ended;
    this.#running = null;
    if (this.#killed) throw new PhaseFailure('the script was killed');
    return end.exitCode;
  }

  #log(): files.PatientLog {
    return this.#world.logOn(this.#member, logFileOf(this.#content));
  }

  log(line: string): void {
    if (this.memberIsThere) this.#log().append(`${line}\n`);
  }
}
