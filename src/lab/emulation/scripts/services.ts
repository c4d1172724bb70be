/**
 * Services of packages: only the restart counter is in their environment; a halt sends SIGTERM to the group, and SIGKILL after
 * service_halt_timeout [serviceguard.md 5.11, 6.6].
 */
import * as files from '../../../host/lab/lab-files.ts';
import { endWithin, type RunningProcess } from '../../../host/processes.ts';
import type { PackageContent, ServiceEntry } from '../../../serviceguard/package-content.ts';
import { expandVariables } from '../../machines/lab-spec.ts';
import type { World } from '../../machines/world.ts';
import type { ServiceKeeper } from './control-script.ts';
import { logFileOf } from './package-environment.ts';

interface RunningService {
  process: RunningProcess | null;
  halting: boolean;
}

export type ServiceDied = (died: { package: string; member: string; service: string; how: string }) => void;

export class Services implements ServiceKeeper {
  readonly #world: World;
  readonly #onDied: ServiceDied;
  readonly #running = new Map<string, RunningService>();
  readonly #commands = new Map<string, string>();

  constructor(world: World, onDied: ServiceDied) {
    this.#world = world;
    this.#onDied = onDied;
  }

  async start(member: string, content: PackageContent, service: ServiceEntry, restarts: number): Promise<void> {
    const key = keyOf(member, content.name, service.name);
    // A restart runs the command of the start.
    const command =
      service.command === '' ? (this.#commands.get(key) ?? '') : expandVariables(service.command, { SG_PACKAGE: content.name });
    this.#commands.set(key, command);
    const running: RunningService = { process: null, halting: false };
    this.#running.set(key, running);
    const log = await this.#world.logOn(member, logFileOf(content)).open();
    const isWanted = !running.halting && this.#world.isUp(member);
    const process = isWanted
      ? this.#world.start(member, ['/bin/sh', '-c', `exec ${command}`], {
          env: { service_restart: String(restarts) },
          ...(log === null ? {} : { outputFd: log }),
        })
      : null;
    running.process = process;
    if (log !== null) files.close(log);
    if (process === null) return void this.#running.delete(key);
    void process.ended.then((end) => {
      if (this.#running.get(key) === running) this.#running.delete(key);
      // The crash of a member includes its services.
      if (running.halting || !this.#world.isUp(member)) return;
      const how = end.signal ?? end.errorCode ?? `exit status ${end.exitCode}`;
      this.#onDied({ package: content.name, member, service: service.name, how });
    });
  }

  async halt(member: string, content: PackageContent, service: ServiceEntry): Promise<void> {
    const running = this.#running.get(keyOf(member, content.name, service.name));
    if (running === undefined) return;
    running.halting = true;
    running.process?.kill('SIGTERM');
    if (running.process !== null) await endWithin(running.process, service.haltTimeoutSeconds * 1000);
  }

  /** After a time-out or exit 1 of a script; reports nothing. */
  async killAll(member: string, packageName: string): Promise<void> {
    const prefix = keyOf(member, packageName, '');
    const doomed = [...this.#running].filter(([key]) => key.startsWith(prefix)).map(([, running]) => running);
    for (const running of doomed) {
      running.halting = true;
      running.process?.kill('SIGKILL');
    }
    await Promise.all(doomed.map((running) => running.process?.ended));
  }
}

function keyOf(member: string, packageName: string, service: string): string {
  return `${member}|${packageName}|${service}`;
}
