/** The journal is the trace, clients probe all the time, machines can lose power. */
import { adapterFor } from '../cfengine/adapter.ts';
import { engineFor } from '../engine/choice/engine-for.ts';
import { packageStatus } from '../engine/serviceguard/status.ts';
import type { JournalEntry } from '../lab/emulation/journal.ts';
import { clientsOf, membersOf, sgDirectories } from '../lab/machines/lab-spec.ts';
import type { PackageDrills } from '../lab/trials/package-drills.ts';
import { drillWords } from './ground-words.ts';
import type { DrillGround } from './runner.ts';

export const labProbe =
  "it fetches the sentinel of the policy file system through the package address, in cfengine's own protocol (every 50 ms)";

/** `drills` is attached, its package runs. `pause` rejects when aborted. */
export function labGround(drills: PackageDrills, pause: (milliseconds: number) => Promise<void>): DrillGround {
  const { lab } = drills;
  const { settings } = lab.spec;
  const members = membersOf(lab.spec).map(({ name }) => name);
  return {
    engine: engineFor(settings),
    packageName: settings.packageName,
    members,
    clients: clientsOf(lab.spec).map(({ name }) => name),
    trace: async (): Promise<readonly JournalEntry[]> => drills.entries,
    evidence: async () => {
      const missing = await drills.waitSeen().then(
        () => [],
        (error: unknown) => [error instanceof Error ? error.message : String(error)],
      );
      return { trace: drills.entries, missing };
    },
    mark: async () => drills.entries.at(-1)?.at ?? 0,
    status: async () => {
      const text = await lab.view(settings.packageName);
      return text === null ? null : packageStatus(text, settings.packageName);
    },
    type: async (member, argv) => void (await drills.type(member, argv)),
    script: async (member, what, text, script) => {
      await lab.note(what, text, member);
      const { exitCode, stdout, stderr } = await lab.exec(member, ['sh', '-c', script], { timeoutMs: 60_000 });
      if (exitCode !== 0) throw new Error(`failed with ${exitCode}: ${`${stdout}${stderr}`.trim()}`);
    },
    machine: async (member, verb) => void (await lab.ask({ verb, member })),
    words: { ...drillWords(settings, adapterFor(settings)), logs: `${sgDirectories.SGRUN}/log` },
    invariants: () =>
      drills.publishAndFetch().then(
        () => drills.invariants(),
        (error: unknown) => [error instanceof Error ? error.message : String(error)],
      ),
    forbidden: async () => [],
    pause,
  };
}
