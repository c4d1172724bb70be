/** `npm run docs`: writes docs/drills.md from the table of drills, and the picture of the source into docs/architecture.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drillsPage } from '../src/rehearsal/page/drills-page.ts';
import { withPicture } from './layers-picture.ts';

const root = join(import.meta.dirname, '..');
const architecture = join(root, 'docs/architecture.md');

mkdirSync(join(root, 'docs'), { recursive: true });
writeFileSync(join(root, 'docs/drills.md'), drillsPage());
writeFileSync(architecture, withPicture(readFileSync(architecture, 'utf8'), join(root, 'src')));
