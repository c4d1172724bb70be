/** `csync settings check | example | schema`. */

import { settingsDigest } from '../../settings/settings.ts';
import { printSettings } from '../../settings/settings-yaml.ts';
import { readSettings } from '../common/toolkit-files.ts';
import { jsonText } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

export const settingsDocument = shape.document({ file: shape.text, digest: shape.text, settings: shape.parts });

export async function checkSettings(file: string, json: boolean): Promise<string> {
  const settings = readSettings(file);
  const digest = settingsDigest(settings);
  if (json) return jsonText<typeof settingsDocument>({ file, digest, settings });
  return `${file} is valid (digest ${digest.slice(0, 12)}).\n`;
}

export async function exampleSettings(): Promise<string> {
  return printSettings();
}

export async function schemaText(): Promise<string> {
  const { settingsSchema } = await import('../../settings/settings-schema.ts');
  return `${JSON.stringify(settingsSchema(), null, 2)}\n`;
}
