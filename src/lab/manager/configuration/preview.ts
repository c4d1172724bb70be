/** The effect of a command if every script succeeds (-t) [L9 p.243]. */
import { say } from '../messages.ts';
import type { ClusterState, Effect, LabEvent } from '../model.ts';
import { reduce } from '../package-manager.ts';

export interface PreviewResult {
  readonly exitCode: 0 | 1;
  readonly lines: readonly string[];
  readonly errorLines: readonly string[];
}

type RequestEvent = Extract<LabEvent, { request: string }>;

/** `command`: for the last line. Refused in maintenance mode [L10 p.262]. */
export function preview(command: string, state: ClusterState, event: RequestEvent): PreviewResult {
  const maintained = Object.values(state.packages).filter((pkg) => pkg.maintenance.on && concerns(event, pkg.name));
  if (maintained.length > 0) {
    const text = say('previewNotPossible', command, `${maintained.map((pkg) => pkg.name).join(', ')} is in maintenance mode`);
    return { exitCode: 1, lines: [], errorLines: [text] };
  }
  const lines: string[] = [];
  let reply: Extract<Effect, { kind: 'reply' }> | null = null;
  let now = state;
  const queue: LabEvent[] = [event];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { state: after, effects } = reduce(now, next);
    now = after;
    for (const effect of effects) {
      if (effect.kind === 'reply' && effect.request === event.request) reply = effect;
      if (effect.kind === 'run-start' || effect.kind === 'run-halt') {
        lines.push(`package:${effect.package}|node:${effect.member}|action:${after.packages[effect.package]?.status ?? ''}`);
        queue.push(succeeds(effect));
      }
    }
  }
  if (reply !== null && reply.exitCode !== 0) return { exitCode: 1, lines: [], errorLines: reply.errorLines };
  return { exitCode: 0, lines: [...lines, say('previewDone', command)], errorLines: [] };
}

function concerns(event: RequestEvent, name: string): boolean {
  return !('packages' in event) || event.kind === 'configuration-applied' || event.packages.includes(name);
}

function succeeds(effect: Extract<Effect, { kind: 'run-start' | 'run-halt' }>): LabEvent {
  const kind = effect.kind === 'run-start' ? 'start-ended' : 'halt-ended';
  return { kind, package: effect.package, member: effect.member, end: { kind: 'exit', code: 0 } };
}
