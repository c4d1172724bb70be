/** `csync status`: what is, in one sentence, with the commands that help; again and again with --watch. */

import { adapterFor } from '../cfengine/adapter.ts';
import { compareDirectory } from '../cluster/comparison.ts';
import { conditionScript, parseCondition } from '../cluster/member-scripts.ts';
import { inParallel, observe } from '../cluster/observation.ts';
import { judgeStatus, type MemberStatus, type StatusInput, statusExit, statusText } from '../cluster/status.ts';
import { type MemberShell, openSshShell } from '../host/member-shell.ts';
import type { RenderedFile } from '../render/package.ts';
import type { Settings } from '../settings.ts';
import { asSent, type PackageSources, preparePackage } from './render.ts';

export interface StatusOptions extends PackageSources {
  readonly json: boolean;
  readonly watch: boolean;
}

const watchEveryMs = 2000;
const lookLimitMs = 20_000;

/** Returns the exit status of the last look; with --watch it ends with Ctrl-C. */
export async function status(options: StatusOptions): Promise<number> {
  const { settings, files } = await preparePackage(options);
  const shell = openSshShell();
  for (;;) {
    const input = await look(shell, settings, files);
    const verdict = judgeStatus(input);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...verdict, members: input.members })}\n`);
    else
      process.stdout.write(
        `${options.watch ? `${new Date().toISOString()}  ` : ''}${statusText(verdict, input)}${options.watch ? '\n' : ''}`,
      );
    if (!options.watch) return statusExit[verdict.condition];
    await new Promise((resolve) => setTimeout(resolve, watchEveryMs));
  }
}

async function look(shell: MemberShell, settings: Settings, files: readonly RenderedFile[]): Promise<StatusInput> {
  const place = { ...settings, daemonName: adapterFor(settings).daemonName };
  const wanted = files.map(asSent);
  const [observation, conditions] = await Promise.all([
    observe(shell, settings),
    inParallel(settings.members, async (member) => {
      const asked = Date.now() / 1000;
      const answer = await shell.run(member, conditionScript(place), lookLimitMs);
      return { answer, seen: parseCondition(answer.stdout, asked, Date.now() / 1000) };
    }),
  ]);
  const members = settings.members.map((member, index): MemberStatus => {
    const { answer, seen = null } = conditions[index] ?? {};
    const facts = observation.members[index];
    const stale = facts?.reached ? compareDirectory(wanted, facts).filter(({ is }) => is !== 'same' && is !== 'extra') : null;
    return {
      member,
      seen,
      why: facts?.reached === false ? facts.why : (answer?.stderr.trim() ?? ''),
      inCluster: observation.memberStates?.get(member) ?? 'unknown',
      switching: observation.status?.switching.get(member) ?? null,
      staleFiles: stale?.map(({ name }) => name) ?? null,
    };
  });
  const { applied, status: packageStatus, memberStates } = observation;
  // An unprivileged user sees a package with cmviewcl that cmgetconf does not give away.
  const isApplied = applied !== null || packageStatus !== null;
  return {
    place: settings,
    applied: isApplied,
    clusterAnswers: memberStates !== null,
    status: packageStatus,
    members,
    now: Date.now(),
  };
}
