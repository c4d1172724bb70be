/**
 * The commands of the tutorial, the how-to pages and the runbook, read from the pages and typed one behind the other, without a pause.
 * Where a page shows output, it is compared, times and digests aside. With CSYNC_UPDATE_PAGES=1 new output replaces what differs.
 * Chapters of the tutorial that repeat how-to pages, and four of these, are typed by npm run every-step.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withIpv6 } from '../../../src/lab/machines/lab-spec.ts';
import { isShown, readPage, type ShownCommand, shapes, shownCommands } from '../../markdown.ts';
import { eventually, everyStep, everyStepIt, labSettings, repository } from '../../support.ts';
import { readsLogins, story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

interface Printed {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
}

type Terminal = (host: string, command: string) => Promise<Printed>;

/** `isWhole`: the page shows all output. As the page has it: what changes nothing is typed again for a while, since a failover takes some time. */
async function typePage(page: string, terminal: Terminal, isWhole = false, text = readPage(page)): Promise<void> {
  const all = shownCommands(text);
  for (const [at, shown] of all.entries()) {
    const { host, command, output } = shown;
    const isAsShown = ({ exitCode, lines }: Printed): boolean =>
      exitCode === 0 && ((output.length === 0 && !isWhole) || isShown(output, lines));
    let last = await terminal(host, command);
    if (/^csync (?:status|members list|client list)$/.test(command) && !isAsShown(last))
      last = await eventually(
        'the output of the page',
        async () => {
          last = await terminal(host, command);
          return isAsShown(last) ? last : null;
        },
        20_000,
      ).catch(() => last);
    expect(last.exitCode, `${page}: ${command}\n${last.lines.join('\n')}`).toBe(0);
    if (isAsShown(last)) continue;
    if (process.env.CSYNC_UPDATE_PAGES === undefined) expect(shapes(last.lines), `${page}: ${command}`).toEqual(shapes(output));
    else update(page, all.slice(0, at).filter((one) => one.host === host && one.command === command).length, shown, last.lines);
  }
}

/** `occurrence`: of that command on the page, from 0. */
function update(page: string, occurrence: number, { host, command, output }: ShownCommand, lines: readonly string[]): void {
  const typed = `${host}# ${command}\n`;
  const parts = readPage(page).split(typed);
  const old = output.map((line) => `${line}\n`).join('');
  const rest = (parts[occurrence + 1] ?? '').slice(old.length);
  parts[occurrence + 1] = `${lines.map((line) => `${line}\n`).join('')}${rest}`;
  writeFileSync(join(repository, page), parts.join(typed));
}

const linesOf = (text: string): readonly string[] =>
  text
    .replace(/\n+$/, '')
    .split('\n')
    .filter((line, at) => at > 0 || line !== '');

describe.skipIf(whyNoLab !== null)('the tutorial', { timeout: 300_000 }, () => {
  const name = `test-tutorial-${process.pid}`;
  const programs = mkdtempSync(join(tmpdir(), 'csync-tutorial-'));
  const lab = (...words: readonly string[]) => {
    const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
    const ended = spawnSync(words[0] ?? '', words.slice(1), { encoding: 'utf8', cwd: programs, env, timeout: 120_000 });
    return { exitCode: ended.status, lines: linesOf(ended.stdout.replaceAll(name, 'lab')) };
  };
  // Its lab has the name "lab", which another one may have here.
  const named = (command: string): string => command.replaceAll(' -c lab ', ` -c ${name} `);

  beforeAll(() => {
    const words = `#!/bin/sh\nexec 2>&1\n[ "$1" = lab ] || exec node ${repository}/dist/csync.mjs "$@"\nverb=$2; shift 2\nexec node ${repository}/dist/csync.mjs lab "$verb" --name ${name} "$@"\n`;
    writeFileSync(join(programs, 'csync'), words, { mode: 0o755 });
  });

  afterAll(() => {
    lab('csync', 'lab', 'down');
    rmSync(programs, { recursive: true });
  });

  it('is as it is printed', async () => {
    const terminal: Terminal = async (host, command) =>
      host === ''
        ? lab('sh', '-c', command)
        : lab('sh', '-c', 'printf "%s\\n" "exec 2>&1" "$1" | csync lab shell "$0"', host, named(command));
    const page = 'docs/tutorial.md';
    const text = readPage(page);
    const repeated = /^## 5\. Change a setting and roll back$[\s\S]*(?=^## 8\. Clean up$)/m;
    expect(text).toMatch(repeated);
    await typePage(page, terminal, true, everyStep ? text : text.replace(repeated, ''));
  });
});

/** Commands as they are typed on a host of a lab. */
function terminalOf(used: Pick<ReturnType<typeof useLab>, 'lab'>): Terminal {
  const { sh } = typedIn(used);
  return async (host, command) => {
    const words = command.replaceAll(' -c lab ', ` -c ${used.lab.spec.name} `);
    const { exitCode, stdout } = await sh(host, `exec 2>&1; . /etc/cmcluster.conf; cd /root; ${words}`);
    return { exitCode, lines: linesOf(stdout) };
  };
}

describe.skipIf(whyNoLab !== null)('the how-to pages and the runbook', () => {
  const used = useLab('pages', { deployed: false, bare: true, spares: ['m4'], clients: 1, watched: false, without: readsLogins });
  const terminal = terminalOf(used);

  beforeAll(async () => {
    const setUp = [
      'cmruncl -v; rm -f csync.yaml; ln -s /opt/csync /opt/csync-new',
      'csync init --yes --set volume_group=vg_csync --set logical_volume=lv_csync',
      ...['csync members sync --yes', 'csync apply --run --yes', 'csync client add c1 --yes'],
    ];
    for (const command of setUp) {
      const { exitCode, lines } = await terminal('m1', command);
      expect(exitCode, lines.join('\n')).toBe(0);
    }
  }, 120_000);

  // A story: each leaves a package that runs on three members; c1 is removed by the page about clients, and m1 is active until the rehearsal.
  const { chapter, longChapter } = story(150_000);
  for (const page of [
    'docs/runbook.md',
    'docs/how-to/ssh.md',
    'docs/how-to/boot.md',
    'docs/how-to/operate/change-package.md',
    'docs/how-to/operate/upgrade.md',
    'docs/how-to/operate/policy.md',
    'docs/how-to/policy/staged-rollout.md',
    'docs/how-to/existing-policy.md',
    'docs/how-to/operate/restore.md',
    'docs/how-to/operate/rotate-keys.md',
    'docs/how-to/operate/monitoring.md',
    'docs/how-to/operate/clients.md',
    'docs/how-to/operate/rehearsals.md',
    'docs/how-to/operate/maintenance.md',
  ])
    chapter(page, () => typePage(page, terminal));
  // What they type is typed by sites/guide, sites/runtime and access/without-root-ssh as well.
  for (const page of [
    'docs/how-to/operate/members.md',
    'docs/how-to/operate/replace-member.md',
    'docs/how-to/nodejs.md',
    'docs/how-to/without-root-ssh.md',
  ])
    longChapter(page, () => typePage(page, terminal));
});

/** In a lab of their own. */
const long = [
  ['docs/how-to/alerts/hooks.md', 'pages-alerts', labSettings()],
  ['docs/how-to/network/ipv6.md', 'pages-ipv6', withIpv6(labSettings())],
] as const;
describe.skipIf(whyNoLab !== null || !everyStep).each(long)('%s', (page, name, settings) => {
  const used = useLab(name, { deployed: true, settings, without: readsLogins });

  everyStepIt('is as it is printed', () => typePage(page, terminalOf(used)), 150_000);
});
