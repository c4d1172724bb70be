/** `csync check`: everything that can be known before an apply, in one list. */
import { adapterFor } from '../cfengine/adapter.ts';
import { type CheckedMember, type CheckReport, checkScript, judgeChecks, parseFacts } from '../cluster/checks.ts';
import { commandScript } from '../cluster/member-scripts.ts';
import { inParallel, observe } from '../cluster/observation.ts';
import { type MemberShell, openSshShell } from '../host/member-shell.ts';
import { type ExitCode, exitCodes, formatProblem } from '../problem.ts';
import { checkPackageFile } from '../serviceguard/package-check.ts';
import { type PackageFile, parsePackageFile } from '../serviceguard/package-file.ts';
import { parseLineView, partsOf } from '../serviceguard/view.ts';
import type { Settings } from '../settings.ts';
import { type PackageSources, preparePackage } from './render.ts';

export interface CheckOptions extends PackageSources {
  /** Settings and templates only. */
  readonly offline: boolean;
  readonly json: boolean;
}

const limitMs = 60_000;

/** Status 1 with any error; warnings alone are 0. Problems of settings and templates are a Failure of their own. */
export async function check(options: CheckOptions): Promise<ExitCode> {
  const { settings, files } = await preparePackage(options);
  const name = `${settings.packageName}.conf`;
  const parsed = parsePackageFile(files.find((file) => file.name === name)?.text ?? '', name);
  const offline = parsed.ok ? checkPackageFile(parsed.value, name) : parsed.problems;
  const none: CheckReport = { problems: [], looks: 0, leftOut: [] };
  const cluster = options.offline ? none : judgeChecks(await look(openSshShell(), settings));
  const problems = [...offline, ...cluster.problems];
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (options.json) process.stdout.write(`${JSON.stringify({ ...cluster, problems }, null, 2)}\n`);
  else {
    for (const one of problems) process.stdout.write(`${formatProblem(one)}\n`);
    for (const { name: check, member, why } of cluster.leftOut)
      process.stdout.write(`left out: ${check} on ${member} (${why})\n`);
    const where = options.offline
      ? 'settings, templates and package file'
      : `settings, templates, package file and ${cluster.looks} looks at the cluster`;
    process.stdout.write(
      `${where}: ${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}, ${cluster.leftOut.length} left out\n`,
    );
  }
  return errors > 0 ? exitCodes.different : exitCodes.ok;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

async function look(shell: MemberShell, settings: Settings) {
  const { daemon } = adapterFor(settings).programs;
  const [observation, members] = await Promise.all([
    observe(shell, settings),
    inParallel(settings.members, async (member): Promise<CheckedMember> => {
      const asked = Date.now() / 1000;
      const answer = await shell.run(member, checkScript(settings, daemon, member), limitMs);
      const answered = Date.now() / 1000;
      const facts = parseFacts(answer.stdout);
      const clock = Number(facts?.get('clock')?.[0]);
      const why = answer.stderr.trim() || (answer.timedOut ? 'no answer in time' : `ended with ${answer.exitCode}`);
      return { member, facts, why, clockAhead: clock - (asked + answered) / 2, clockDoubt: (answered - asked) / 2 };
    }),
  ]);
  const { commandMember, status } = observation;
  const others = commandMember === null ? [] : await otherPackages(shell, commandMember, settings);
  return { settings, members, others, owner: status?.owner ?? null };
}

/** Configurations of the cluster's other packages; those that cannot be read are left out. */
async function otherPackages(shell: MemberShell, member: string, settings: Settings): Promise<PackageFile[]> {
  const ask = (...argv: string[]) => shell.run(member, commandScript(argv, settings.packageDirectory), limitMs);
  const view = await ask('cmviewcl', '-f', 'line');
  const names = partsOf(parseLineView(view.stdout), 'package').map(([name]) => name);
  const texts = await inParallel(
    names.filter((name) => name !== settings.packageName),
    (name) => ask('cmgetconf', '-p', name),
  );
  return texts.flatMap(({ stdout }) => {
    const parsed = parsePackageFile(stdout, 'cmgetconf');
    return parsed.ok ? [parsed.value] : [];
  });
}
