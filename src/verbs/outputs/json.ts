/** What --json prints: one document, with the version of its form. */
import { out } from '../../host/output.ts';
import type { OutputName, Outputs } from './outputs.ts';

/** `schema`: whose schema the document has. */
export function jsonText<Name extends OutputName>(_schema: Name, document: Outputs[Name], indent = 2): string {
  return `${JSON.stringify({ version: 1, ...document }, null, indent)}\n`;
}

export function printJson<Name extends OutputName>(schema: Name, document: Outputs[Name], indent = 2): void {
  out(jsonText(schema, document, indent));
}
