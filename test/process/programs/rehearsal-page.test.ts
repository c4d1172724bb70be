/** The page of a rehearsal in a real browser: no horizontal overflow, lanes drawn, both widths, both modes. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareRehearsals } from '../../../src/rehearsal/comparison.ts';
import { rehearsalPage } from '../../../src/rehearsal/page/page.ts';
import { fullRehearsal } from '../../pure/trials/synthetic-rehearsal.ts';
import { have, scratchDirectory } from '../../support.ts';

const browser = have('chromium');
if (!browser)
  console.warn('the tests of the page in a browser are skipped: chromium is missing (Debian: apt-get install chromium)');

/** What the frame measured, by width. */
interface Measured {
  readonly width: number;
  readonly overflow: number;
  readonly wider: readonly string[];
  readonly lanes: number;
  readonly drawn: number;
  readonly smallest: number;
  readonly paper: string;
}

/** The page in frames of several widths; its own rule forbids it scripts, so the frame around it measures. */
function frameOf(page: string, widths: readonly number[]): string {
  const text = JSON.stringify(page).replaceAll('<', '\\u003c');
  return `<!doctype html><body><script>
const page = ${text}, widths = ${JSON.stringify(widths)}, results = [];
for (const width of widths) {
  const frame = document.createElement('iframe');
  frame.style = 'border:0;height:900px;width:' + width + 'px';
  frame.onload = () => {
    const page = frame.contentDocument, root = page.documentElement;
    const seen = [...page.querySelectorAll('body *')].filter((one) => one.getClientRects().length > 0);
    const svgs = [...page.querySelectorAll('.drawing svg')].filter((one) => one.getClientRects().length > 0);
    results.push({ width, overflow: root.scrollWidth - root.clientWidth,
      wider: seen.filter((one) => one.getBoundingClientRect().right > width + 0.5).map((one) => one.tagName + '.' + one.getAttribute('class') + ' ' + one.textContent.slice(0, 30)).slice(0, 9),
      lanes: svgs[0].querySelectorAll('.lane').length, drawn: svgs.length,
      smallest: Math.min(...svgs.map((one) => one.getBoundingClientRect().width / one.viewBox.baseVal.width)) * 11,
      paper: frame.contentWindow.getComputedStyle(page.body).backgroundColor });
    if (results.length === widths.length) { const out = document.createElement('output'); out.textContent = JSON.stringify(results); document.body.append(out); }
  };
  frame.srcdoc = page;
  document.body.append(frame);
}
</script></body>`;
}

describe.skipIf(!browser)('the page of a rehearsal in chromium', { timeout: 120_000 }, () => {
  const scratch = scratchDirectory();
  const rehearsal = fullRehearsal();
  const page = rehearsalPage(rehearsal, compareRehearsals(rehearsal, fullRehearsal(1.5)));
  const chromium = (...words: readonly string[]) =>
    spawnSync(
      'chromium',
      ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${scratch}/profile`, '--hide-scrollbars', ...words],
      {
        cwd: scratch,
        encoding: 'utf8',
        timeout: 100_000,
      },
    );
  const measure = (text: string, ...words: readonly string[]): Measured[] => {
    writeFileSync(join(scratch, 'frame.html'), frameOf(text, [1280, 1121, 1120, 761, 641, 640, 400, 320]));
    const { stdout, stderr } = chromium('--window-size=1400,1000', ...words, '--dump-dom', 'frame.html');
    const output = /<output>(.*)<\/output>/.exec(stdout)?.[1];
    if (output === undefined) throw new Error(`the frame did not measure: ${stderr.slice(-500)}`);
    return (JSON.parse(output.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')) as Measured[]).sort(
      (a, b) => b.width - a.width,
    );
  };

  it('overflows at no width, and draws a lane for each member in which something happens, and one for the clients', () => {
    for (const { width, overflow, wider, lanes, drawn, smallest } of measure(page)) {
      expect({ width, overflow, wider, lanes, drawn }).toEqual({ width, overflow: 0, wider: [], lanes: 3, drawn: 3 });
      // Text of the drawing, in pixels.
      expect(smallest, String(width)).toBeGreaterThan(width < 400 ? 8 : 10);
    }
  });

  it('that is measured: one word that is too wide is found', () => {
    const broken = page.replace('overflow-wrap: anywhere', '').replace('<h1>', `<h1>${'x'.repeat(200)}`);
    expect(measure(broken).find(({ width }) => width === 400)?.overflow).toBeGreaterThan(0);
  });

  it('is dark where that is preferred', () => {
    const paper = (mode: string): string | undefined => measure(page, `--blink-settings=preferredColorScheme=${mode}`)[0]?.paper;
    expect([paper('1'), paper('0')]).toEqual(['rgb(246, 247, 249)', 'rgb(18, 22, 27)']);
  });

  it('can be seen: a picture comes of it', () => {
    writeFileSync(join(scratch, 'page.html'), page);
    chromium('--window-size=1280,1600', '--screenshot=page.png', 'page.html');
    expect(readFileSync(join(scratch, 'page.png')).subarray(1, 4).toString()).toBe('PNG');
    expect(statSync(join(scratch, 'page.png')).size).toBeGreaterThan(50_000);
  });
});
