/** RUN_SCRIPT and HALT_SCRIPT of a legacy package, which do everything themselves [serviceguard.md 4.1, 4.3]. */

import type { PackageContent } from '../../../serviceguard/package-content.ts';
import type { World } from '../../machines/world.ts';
import type { HaltReason, ScriptEnd } from '../../manager/model.ts';
import { legacyEnvironment } from './package-environment.ts';
import { PhaseFailure, ScriptRun } from './script-run.ts';

export class LegacyScript {
  readonly #member: string;
  readonly #content: PackageContent;
  readonly #run: ScriptRun;

  constructor(world: World, member: string, content: PackageContent) {
    this.#member = member;
    this.#content = content;
    this.#run = new ScriptRun(world, member, content);
  }

  get memberIsThere(): boolean {
    return this.#run.memberIsThere;
  }

  start(timeoutSeconds: number | null): Promise<ScriptEnd> {
    return this.#call(this.#content.legacy?.runScript ?? '', 'start', timeoutSeconds, {});
  }

  halt(reason: HaltReason, timeoutSeconds: number | null): Promise<ScriptEnd> {
    return this.#call(this.#content.legacy?.haltScript ?? '', 'stop', timeoutSeconds, { SG_HALT_REASON: reason });
  }

  #call(script: string, word: string, timeoutSeconds: number | null, more: Record<string, string>): Promise<ScriptEnd> {
    const environment = { ...legacyEnvironment({ member: this.#member, content: this.#content }), ...more };
    return this.#run.limited(timeoutSeconds, async () => {
      try {
        const code = await this.#run.command([script, word], environment);
        // Others count as 1 (INFERRED, 3.3).
        return code === 0 || code === 2 || code === 3 ? code : 1;
      } catch (error) {
        if (error instanceof PhaseFailure || !this.memberIsThere) return 1;
        throw error;
      }
    });
  }
}
