/**
 * Advisories against packages that are locked here, known by name (2026-11-29), and the version each was mended in. Not an audit: it knows
 * nothing that is not listed. It holds what was found where `npm audit` has no server to ask, and against a step back.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../../support.ts';

const mended: readonly (readonly [name: string, version: string, ...advisories: readonly string[]])[] = [
  // Releases by an attacker, September 2025: ansi-regex 6.2.1, ansi-styles 6.2.2, strip-ansi 7.1.1, wrap-ansi 9.0.1.
  ['ansi-regex', '6.2.2', 'taken over'],
  ['ansi-styles', '6.2.3', 'taken over'],
  ['strip-ansi', '7.1.2', 'taken over'],
  ['wrap-ansi', '9.0.2', 'taken over'],
  ['cross-spawn', '7.0.5', 'CVE-2024-21538'],
  ['diff', '8.0.3', 'CVE-2026-24001'],
  ['esbuild', '0.28.1', 'GHSA-67mh-4wv8-2f99', 'GHSA-g7r4-m6w7-qqqr', 'GHSA-gv7w-rqvm-qjhr'],
  ['execa', '2.0.0', 'GMS-2020-2'],
  ['nanoid', '3.3.18', 'CVE-2024-55565', 'CVE-2026-67213', 'CVE-2026-67214', 'CVE-2026-73086'],
  ['node-forge', '1.4.0', 'CVE-2026-33891', 'CVE-2026-33894', 'CVE-2026-33895', 'CVE-2026-33896'],
  ['picomatch', '4.0.4', 'CVE-2026-33671', 'CVE-2026-33672'],
  ['postcss', '8.5.23', 'GHSA-fxqj-rqcc-2cmp'],
  ['smol-toml', '1.7.1', 'GHSA-v3rj-xjv7-4jmq', 'CVE-2026-85730'],
  ['tmp', '0.2.6', 'CVE-2025-54798', 'CVE-2026-44705'],
  ['valibot', '1.4.2', 'CVE-2025-66020', 'CVE-2026-59952'],
  ['vite', '8.0.16', 'CVE-2026-39363', 'CVE-2026-39364', 'CVE-2026-39365', 'CVE-2026-53571'],
  ['vitest', '4.1.6', 'CVE-2025-24964', 'CVE-2026-47428', 'CVE-2026-47429'],
  ['y18n', '5.0.5', 'CVE-2020-7774'],
  ['yaml', '2.8.3', 'CVE-2026-33532'],
  ['yargs-parser', '18.1.2', 'CVE-2020-7608'],
];

const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, { readonly version?: string }>>;
};
const locked = (name: string): string[] =>
  Object.entries(lock.packages).flatMap(([path, { version = '' }]) => (path.endsWith(`node_modules/${name}`) ? [version] : []));
const isOlder = (one: string, other: string): boolean => one.localeCompare(other, 'en', { numeric: true }) < 0;

describe('what is locked', () => {
  it.each(mended)('%s: %s mended an advisory', (name, version) => {
    const found = locked(name);
    // A package that no dependency brings along any more has no line here.
    expect(found).not.toEqual([]);
    for (const one of found) expect(isOlder(one, version), `${name} ${one} is older than ${version}`).toBe(false);
  });

  it('is compared by numbers', () => {
    expect([isOlder('8.0.9', '8.0.16'), isOlder('8.3.8', '8.0.16'), isOlder('1.7.1', '1.7.1')]).toEqual([true, false, false]);
  });
});
