/** Prints docs/drills.md anew from the table of drills. A test says when that is due. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { drillsPage } from '../src/rehearsal/page/drills-page.ts';

mkdirSync('docs', { recursive: true });
writeFileSync('docs/drills.md', drillsPage());
