/** docs/reference/problem-codes.md, from the entries of the codes. */
import { posix } from 'node:path';
import { type CodeEntry, codeEntries, groupsOf } from '../../../src/explain/codes.ts';

const home = 'docs/reference';

function section({ code, exit, text, cluster, why, fix, example, page }: CodeEntry): string {
  const status = exit === null ? '' : ` Exit status ${exit}.`;
  return [
    `### ${code}`,
    `${text}${status}`,
    `**For the cluster:** ${cluster}`,
    `**Why:** ${why}`,
    `**Fix:**\n\n${fix.map((one, at) => `${at + 1}. ${one}`).join('\n')}`,
    `**Example:** ${example}`,
    `**Manual:** [${posix.basename(page)}](${posix.relative(home, page)})`,
  ].join('\n\n');
}

export function codesPage(): string {
  const index = groupsOf(codeEntries).map(
    ({ title, entries }) => `**${title}:** ${entries.map(({ code }) => `[${code}](#${code})`).join(', ')}`,
  );
  return [
    '# Problem codes',
    'What does the code in square brackets mean, and what do I do now? This page is for administrators on call.',
    '`csync explain CODE` prints the entry of a code, and `csync explain` lists all codes. Words in capitals stand for names of yours: MEMBER, PACKAGE, MOUNT-POINT.',
    'A code never changes its meaning. With `--json`, csync prints the problems with their codes. The exit status is that of the first error; ' +
      'a warning does not change it.',
    ...index,
    ...groupsOf(codeEntries).flatMap(({ title, entries }) => [`## ${title}`, ...entries.map(section)]),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
