import { runProcess } from '../host/processes.ts';
import type { PolicyTemplates } from '../lab/machines/cfengine-setup.ts';
import type { Case } from './cases/case-model.ts';
import { assertionName, cases } from './cases/cases.ts';
import { judge } from './judge.ts';
import { launchersOf, packageAssertionNames, packageAssertions } from './package-assertions.ts';
import type { Assertion } from './report.ts';
import { Sandbox } from './sandbox.ts';
import { SandboxFailure, type TestedPackage, Workshop } from './workshop.ts';

/** A case that takes longer is skipped. */
const longestSeconds = 30;

export interface ConformRun {
  readonly tested: TestedPackage;
  readonly policy: PolicyTemplates;
  readonly isChosen: (name: string) => boolean;
  readonly progress: (text: string) => void;
  readonly stop: AbortSignal;
}

export function assertionNames(): readonly string[] {
  const ofCases = cases.flatMap((one) => one.calls.flatMap(({ expect }) => expect.map((wanted) => assertionName(one, wanted))));
  return [...packageAssertionNames(), ...ofCases];
}

/** Throws a SandboxFailure if this machine cannot make one; the signal's reason if aborted. */
export async function conform(run: ConformRun): Promise<readonly Assertion[]> {
  const { tested, policy, isChosen, progress } = run;
  const results: Assertion[] = packageAssertions(tested, await checkSyntax(tested)).filter(({ name }) => isChosen(name));
  const wanted = cases.filter((one) => one.calls.some(({ expect }) => expect.some((each) => isChosen(assertionName(one, each)))));
  if (wanted.length === 0) return results;
  const workshop = await Workshop.open(tested, policy);
  try {
    for (const [index, one] of wanted.entries()) {
      progress(`${String(index + 1).padStart(3)}/${wanted.length} ${one.name}`);
      results.push(...(await runCase(one, workshop, run)));
    }
    return results;
  } finally {
    workshop.close();
  }
}

async function runCase(one: Case, workshop: Workshop, { tested, isChosen, stop }: ConformRun): Promise<Assertion[]> {
  const results: Assertion[] = [];
  const leaveOutTheRest = (why: string): Assertion[] => {
    const names = one.calls.flatMap(({ expect }) => expect.map((each) => assertionName(one, each)));
    const known = new Set(results.map(({ name }) => name));
    const rest = names.filter((name) => isChosen(name) && !known.has(name));
    return [...results, ...rest.map((name) => ({ name, result: 'skipped', seen: why }) as const)];
  };
  const seconds = one.takes?.(tested.settings) ?? 0;
  if (seconds === Number.POSITIVE_INFINITY) return leaveOutTheRest('these settings disable the tested feature');
  if (seconds > longestSeconds) return leaveOutTheRest(`it would take ${seconds} s by the settings`);
  stop.throwIfAborted();
  const sandbox = await Sandbox.boot(workshop);
  const end = (): void => void sandbox.close();
  stop.addEventListener('abort', end, { once: true });
  try {
    await sandbox.prepare(one.state, one.given);
    const last = one.calls.findLastIndex(({ expect }) => expect.some((each) => isChosen(assertionName(one, each))));
    for (const { first, call, expect } of one.calls.slice(0, last + 1)) {
      if (first !== undefined) await sandbox.change(first);
      const before = await sandbox.look();
      const seen = await sandbox.call(call);
      const after = await sandbox.look();
      for (const each of expect.filter((wanted) => isChosen(assertionName(one, wanted)))) {
        const shell = each.kind === 'true' ? await ask(sandbox, each.sh) : undefined;
        const { holds, seen: what } = judge(each, { call: seen, before, after, ...(shell === undefined ? {} : { shell }) });
        stop.throwIfAborted();
        results.push({ name: assertionName(one, each), result: holds ? 'ok' : 'failed', seen: what });
      }
    }
    stop.throwIfAborted();
    return results;
  } catch (error) {
    stop.throwIfAborted();
    if (error instanceof SandboxFailure) return leaveOutTheRest(error.message);
    throw error;
  } finally {
    stop.removeEventListener('abort', end);
    await sandbox.close();
  }
}

async function ask(sandbox: Sandbox, script: string): Promise<{ exitCode: number | null; output: string }> {
  const { exitCode, stdout, stderr } = await sandbox.sh(script);
  return { exitCode, output: `${stdout}${stderr}` };
}

async function checkSyntax(tested: TestedPackage): Promise<ReadonlyMap<string, string>> {
  const said = new Map<string, string>();
  for (const { name, text } of launchersOf(tested)) {
    const read = await runProcess(['/bin/sh', '-n'], { timeoutMs: 5000, env: { LC_ALL: 'C' }, input: text });
    said.set(name, read.exitCode === 0 ? '' : read.stderr.trim() || 'sh -n rejects it');
  }
  return said;
}
