/**
 * Counts the banned words of test/words.ts in what a person reads. Called as: words.ts [-l] [PATH...]; -l lists them by file and line. Without
 * a path: every folder of the source, templates, pages, tests and scripts.
 */
import { readdirSync } from 'node:fs';
import { bannedIn } from '../test/words.ts';

const isList = process.argv[2] === '-l';
const named = process.argv.slice(isList ? 3 : 2);
const all = [
  ...readdirSync('src', { withFileTypes: true }).map(({ name }) => `src/${name}`),
  ...['package-templates', 'docs', 'test', 'scripts', 'examples', 'packaging', 'man'],
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
];
const found = (named.length > 0 ? named : all).map((path) => [path, bannedIn(path)] as const);
for (const [path, lines] of found)
  process.stdout.write(isList ? lines.map((line) => `${line}\n`).join('') : `${lines.length}\t${path}\n`);
if (!isList) process.stdout.write(`${found.reduce((sum, [, lines]) => sum + lines.length, 0)}\ttogether\n`);
