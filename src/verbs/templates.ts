/** `csync templates check`. */
import { demand } from '../problem.ts';
import { renderPackage } from '../render/package.ts';
import { labSettingsFile } from './lab.ts';
import { readPackageTemplates, readSettings } from './toolkit.ts';

/** Renders the templates in memory; throws a Failure with every unknown, unused and malformed token. */
export async function checkTemplates(
  templates: string | undefined,
  settingsFile: string | undefined,
  json: boolean,
): Promise<string> {
  const settings = readSettings(settingsFile ?? labSettingsFile);
  const found = readPackageTemplates(templates);
  demand(renderPackage({ settings, templates: found, bundles: new Map() }));
  const files = [found.packageFile.file, found.launcher.file];
  if (json) return `${JSON.stringify({ files, problems: [] }, null, 2)}\n`;
  return `${files.join(' and ')}: all tokens are known and used.\n`;
}
