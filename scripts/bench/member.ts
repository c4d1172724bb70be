/** One member with the real cf-serverd, mounted and with its address, in namespaces of its own: what is measured runs there. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { demand } from '../../src/base/problem.ts';
import { runProcess } from '../../src/host/processes.ts';
import { Sandbox } from '../../src/script-tests/sandbox.ts';
import { Workshop } from '../../src/script-tests/workshop.ts';
import { packageContent } from '../../src/serviceguard/package-content.ts';
import { parsePackageFile } from '../../src/serviceguard/package-file.ts';
import { parseSettings } from '../../src/settings/settings-yaml.ts';
import { policyTemplates, repository } from '../../test/support.ts';
import { bundling } from '../bundling.ts';

export const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** Standard output of what has to end well. */
export async function must(argv: readonly string[]): Promise<string> {
  const ended = await runProcess(argv, { timeoutMs: 60_000, env: environment });
  if (ended.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${ended.stderr || ended.stdout}`);
  return ended.stdout;
}

/** The programs of the measurement; inside of members they lie at the same path. */
export interface Tools {
  readonly directory: string;
  readonly limit: string;
  readonly program: (name: string) => string;
  close(): void;
}

/** Bundles the programs that the monitor is compared with into `directory`. */
export async function bundlePrograms(directory: string): Promise<void> {
  for (const name of ['event-listener', 'many-monitors'])
    await build({
      ...bundling,
      entryPoints: [join(repository, `scripts/bench/comparison/${name}.ts`)],
      outfile: join(directory, `${name}.cjs`),
      format: 'cjs',
    });
}

export async function makeTools(): Promise<Tools> {
  // Not below /tmp: members have one of their own.
  const directory = mkdtempSync('/var/tmp/csync-bench-');
  const limit = join(directory, 'limit');
  await must(['cc', '-O2', '-o', limit, join(repository, 'scripts/bench/comparison/limit.c')]);
  await bundlePrograms(directory);
  cpSync(join(repository, 'src/member/monitor/csync-front.pl'), join(directory, 'csync-front.pl'));
  return {
    directory,
    limit,
    program: (name) => join(directory, `${name}.cjs`),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The lab's own, but with a monitor as patient as it is by default: the lab's is hasty, so that people need not wait. */
const shipped = readFileSync(join(repository, 'package-templates/lab/csync.yaml'), 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('monitor_'))
  .join('\n');
export const benchSettings = demand(parseSettings(shipped, 'csync.yaml'));

/** A workshop whose members have the package as it is rendered by default, or with `more` lines of settings. */
export async function openWorkshop(more = ''): Promise<Workshop> {
  const settings = demand(parseSettings(`${shipped}${more}`, 'csync.yaml'));
  const scratch = mkdtempSync(join(tmpdir(), 'csync-bench-'));
  try {
    const file = join(scratch, 'csync.yaml');
    writeFileSync(file, `${shipped}${more}`);
    await must([
      process.execPath,
      join(repository, 'dist/csync.mjs'),
      'render',
      '--settings',
      file,
      '--output',
      join(scratch, 'csync'),
    ]);
    const at = join(scratch, 'csync');
    const files = readdirSync(at, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(at, name)).isFile())
      .map((name) => ({ name, mode: statSync(join(at, name)).mode & 0o777, text: readFileSync(join(at, name), 'utf8') }));
    const text = files.find(({ name }) => name === `${settings.packageName}.conf`)?.text ?? '';
    const content = packageContent(demand(parsePackageFile(text, 'csync.conf')));
    return await Workshop.open({ settings, content, files }, policyTemplates(3));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export async function bootMember(workshop: Workshop): Promise<Sandbox> {
  const member = await Sandbox.boot(workshop);
  try {
    // A member has a syslog.
    await member.prepare('running', ['busybox syslogd -O /run/syslog; eventually test -S /dev/log']);
    return member;
  } catch (error) {
    await member.close();
    throw error;
  }
}

export async function say(member: Sandbox, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await member.sh(`set -e\n${script}`);
  if (exitCode !== 0) throw new Error(`${script}: ${exitCode} ${stderr}${stdout}`);
  return stdout.trim();
}

/** Waits for a state with a deadline. */
export async function until(what: string, state: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await state())) {
    if (performance.now() > end) {
      process.stderr.write(`  waited ${limitMs} ms without success for ${what}\n`);
      return false;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return true;
}
