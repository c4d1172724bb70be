import { attempt } from './attempt.ts';

/** As in package.json (a test). */
export const toolkitVersion = '0.2.0';

/** Major and minor; as in scripts/prepare.sh and package.json. */
export const oldestNode = '20.19';

/** The tests run on it, too. */
export const recommendedNode = 24;

/** By the published schedule. Odd lines are never long-term ones. */
const lastDays: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};

const partsOf = (version: string | null): number[] => (version ?? '').replace(/^v/, '').split('.').map(Number);

/** `20.19.0`, with or without its v; null is none. */
export function isNodeNewEnough(version: string | null): boolean {
  const [major = 0, minor = 0] = partsOf(version);
  const [oldestMajor = 0, oldestMinor = 0] = partsOf(oldestNode);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

export function lastDayOfNode(version: string): string | null {
  return lastDays[partsOf(version)[0] ?? 0] ?? null;
}

/** false for an unknown line. */
export function hasNodeEnded(version: string, now: Date): boolean {
  const last = lastDayOfNode(version);
  return last !== null && now.toISOString().slice(0, 10) > last;
}

/**
 * V8 options of the monitor: without its compiler it needs 7 MB less, of 20. Before 24 a warning is printed unless WebAssembly is disabled,
 * too; 24 does not have that option, and exits.
 */
export function monitorOptions(version: string): readonly string[] {
  return (partsOf(version)[0] ?? 0) >= 24 ? ['--jitless'] : ['--jitless', '--no-expose-wasm'];
}

/*
 * Of files that one csync writes and another may read (src/contract/formats.ts). A text without a version has version 1: csync 0.1.0 wrote
 * none and refuses what it does not know. Member scripts contain this file.
 */

export const formatVersion = 1;

/** The version if this csync does not know it. null: it does, or the text has no sound version. */
export function newerFormat(data: unknown): number | null {
  const version = typeof data === 'object' && data !== null && 'version' in data ? data.version : formatVersion;
  return typeof version === 'number' && version > formatVersion ? version : null;
}

export function newerIn(text: string): number | null {
  return attempt(() => newerFormat(JSON.parse(text)), null);
}

export function newerText(file: string, version: number): string {
  return `${file} has format ${version}: a newer csync wrote it, and csync ${toolkitVersion} knows formats up to ${formatVersion}`;
}
