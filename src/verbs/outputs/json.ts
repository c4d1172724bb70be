import { out } from '../../host/output.ts';
import type { Document, Parts } from './outputs.ts';

/** `Of`: its schema, which must be named. */
export function jsonText<Of extends Document = never>(document: Parts<Of>, indent = 2): string {
  return `${JSON.stringify({ version: 1, ...document }, null, indent)}\n`;
}

export function printJson<Of extends Document = never>(document: Parts<Of>, indent = 2): void {
  out(jsonText<Of>(document, indent));
}
