/** `npm run decision-tables`: writes docs/decision-tables.md from the tables that decide. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decisionsPage } from '../src/explain/page.ts';
import { decisionTables } from '../src/explain/tables.ts';

const docs = join(import.meta.dirname, '../docs');
mkdirSync(docs, { recursive: true });
writeFileSync(join(docs, 'decision-tables.md'), decisionsPage(decisionTables()));
