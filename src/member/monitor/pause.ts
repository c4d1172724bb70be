/** Maintenance as the monitor knows it: whether the file asks for a pause now, and the end of Serviceguard's own mode. */
import { maintenanceFileName, maintenanceFrom, parseMaintenance } from '../../contract/maintenance-file.ts';
import type { MemberHost } from '../../host/host.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Daemon } from '../daemon.ts';
import { endServiceguardMode } from './maintenance.ts';

interface PauseWorld {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly directory: string;
  readonly daemon: Daemon;
  readonly log: MemberLog;
}

export class Pause {
  readonly #world: PauseWorld;
  readonly #file: string;
  #isOn = false;
  /** When the pause that the file asks for is over, by the clock that never jumps: a wall clock that is set back prolongs nothing. */
  #asked: { readonly text: string; readonly endsAt: number } | null = null;
  #keptOver = '';

  constructor(world: PauseWorld) {
    this.#world = world;
    this.#file = `${world.directory}/${maintenanceFileName}`;
  }

  /** As it was looked at last. */
  get wasOn(): boolean {
    return this.#isOn;
  }

  /** Looked at before each sample counts, so that what is done after the file was written is never held against the daemon. */
  isOn(): boolean {
    const { log, settings } = this.#world;
    const found = this.#now();
    if ((found !== null) !== this.#isOn) {
      const end = found?.until == null ? 'until it is taken away' : `until ${new Date(found.until).toISOString()}`;
      const text =
        found === null
          ? `Starting ${settings.packageName} toolkit monitoring again after maintenance (maintenance is over: watching again)`
          : `${settings.packageName} toolkit pausing, monitoring, and entering maintenance mode (paused for maintenance ${end}: nothing of the daemon fails over)`;
      log.line('monitor', found === null ? 'ok' : 'warning', text);
      this.#isOn = found !== null;
    }
    return this.#isOn;
  }

  /** Unhealthy, it stays: no failure would be acted on, and Serviceguard lets nothing unhealthy leave. Told once each time the reason changes. */
  async endServiceguardMode(): Promise<void> {
    const { host, settings, daemon, log } = this.#world;
    const found = this.#now();
    if (found === null || !found.overdue || found.serviceguard === null) return;
    const mode = { autoRun: found.serviceguard.autoRun, file: this.#file };
    const why = await endServiceguardMode(host, settings, daemon, mode);
    if (why === null) log.line('monitor', 'ok', "Serviceguard's maintenance mode is ended: its time was over");
    else if (why !== this.#keptOver) {
      const text = `the time of maintenance is over, but it cannot end: ${why}. No failure is acted on until then: csync maintenance off says more`;
      log.line('monitor', 'warning', text);
      log.alarm(`${host.member} ${settings.packageName} monitor: ${text}`);
    }
    this.#keptOver = why ?? '';
  }

  #now(): ReturnType<typeof maintenanceFrom> {
    const { settings, host } = this.#world;
    const text = settings.maintenanceFlag ? host.readText(this.#file) : null;
    if (text !== this.#asked?.text) {
      const until = text === null ? null : parseMaintenance(text).until;
      const endsAt = until === null ? Number.POSITIVE_INFINITY : host.elapsed() + until - host.now();
      this.#asked = text === null ? null : { text, endsAt };
    }
    const isOver = this.#asked !== null && host.elapsed() >= this.#asked.endsAt;
    return maintenanceFrom(text, isOver ? Number.POSITIVE_INFINITY : host.now());
  }
}
