/** docs/explanation/formats.md: the table of formats. */

import { pageTable } from '../../../src/base/tables.ts';
import { formatVersion } from '../../../src/base/version.ts';
import { formats } from '../../../src/contract/formats.ts';

export function formatsPage(): string {
  const rows = Object.values(formats).map(({ file, field, writtenBy, readBy, before, unknown }) => [
    file.replaceAll(/[\w./*-]*[./*][\w./*-]+/g, '`$&`'),
    field ?? 'none: a line of words',
    writtenBy,
    readBy,
    before,
    unknown,
  ]);
  return [
    '# Formats',
    'Which files may one version of csync write and another one read, and what happens then? This page is for administrators who upgrade or return. It is ' +
      'written by `npm run generate` from `src/contract/formats.ts`.',
    `Every format has version ${formatVersion}, also in csync 0.1.0. A file without a version field has version 1. csync reads the version that it writes and the ` +
      'previous one. It refuses a newer one with `file-newer`: the message names the file, the member and the command that lists the versions.',
    pageTable(['file', 'version field', 'written by', 'read by', 'in 0.1.0', 'an unknown newer version'], rows),
    'Lines of words may get further words at their end; older readers ignore them. Output of `--json` has its own version: [json.md](../reference/json.md).',
    'A package never mixes versions: scripts and settings of a set are of one version, and the applied package names the set. Only csync itself and these ' +
      'files meet another version. [upgrade.md](../how-to/operate/upgrade.md) has the procedures.',
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
