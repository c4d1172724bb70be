/** Whether the maintenance file requests a pause now, and the end of Serviceguard's mode. */
import { maintenanceFileName, maintenanceFrom, parseMaintenance } from '../../contract/maintenance-file.ts';
import type { MemberHost } from '../../host/host.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Daemon } from '../daemon.ts';
import { message } from '../messages.ts';
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
  /** Monotonic, so that setting the wall clock back prolongs no pause. */
  #asked: { readonly text: string; readonly endsAt: number } | null = null;
  #keptOver = '';

  constructor(world: PauseWorld) {
    this.#world = world;
    this.#file = `${world.directory}/${maintenanceFileName}`;
  }

  get wasOn(): boolean {
    return this.#isOn;
  }

  isOn(): boolean {
    const { log, settings } = this.#world;
    const found = this.#now();
    if ((found !== null) !== this.#isOn) {
      const until = found?.until == null ? '' : new Date(found.until).toISOString();
      const names = { package: settings.packageName, end: until || 'csync maintenance off', until };
      if (found === null) log.line('ok', message('maintenance-off', names));
      else log.line('warning', message('maintenance-on', names));
      this.#isOn = found !== null;
    }
    return this.#isOn;
  }

  /** An unhealthy package stays in the mode; each new reason is logged. */
  async endServiceguardMode(): Promise<void> {
    const { host, settings, daemon, log } = this.#world;
    const found = this.#now();
    if (found === null || !found.overdue || found.serviceguard === null) return;
    const mode = { autoRun: found.serviceguard.autoRun, file: this.#file };
    const why = await endServiceguardMode(host, settings, daemon, mode);
    if (why === null) log.line('ok', message('serviceguard-maintenance-off', {}));
    else if (why !== this.#keptOver) {
      const overdue = message('maintenance-overdue', { why });
      log.line('warning', overdue);
      log.alarm('warning', overdue);
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
