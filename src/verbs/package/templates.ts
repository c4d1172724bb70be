/** `csync templates list | export | check | diff`. */

import { join, relative } from 'node:path';
import { demand, type ExitCode, errorProblem, exitCodes, Failure, type Problem } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import { type FileToWrite, filesBelow, readTextFile } from '../../host/admin/own-files.ts';
import { out } from '../../host/output.ts';
import { renderPackage } from '../../render/package.ts';
import { renderPolicy } from '../../render/policy.ts';
import {
  type ExportChoice,
  exportStep,
  pristineDirectory,
  type TemplateTexts,
  templateCatalogue,
  templateDifference,
  templateState,
} from '../../render/template-set.ts';
import {
  labSettingsFile,
  readPackageTemplates,
  readPolicyTemplates,
  readSettings,
  readTemplate,
  writeOrFail,
} from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

export const listDocument = shape.document({
  templates: shape.many(shape.object({ name: shape.text, becomes: shape.text, state: shape.text })),
});

export const exportDocument = shape.document({
  directory: shape.text,
  dryRun: shape.yesNo,
  templates: shape.many(shape.object({ name: shape.text, do: shape.text, why: shape.text })),
});

export const checkDocument = shape.document({ files: shape.texts, problems: shape.problems });

export const diffDocument = shape.document({
  directory: shape.text,
  templates: shape.many(shape.object({ name: shape.text, state: shape.text })),
});

/** Shipped, own below `directory`, shipped at the export. */
function textsOf(name: string, directory: string | undefined): TemplateTexts {
  const shipped = demand(readTemplate(name)).text;
  if (directory === undefined) return { shipped, own: null, pristine: null };
  return { shipped, own: readTextFile(join(directory, name)), pristine: readTextFile(join(directory, pristineDirectory, name)) };
}

/** They match no template: probably misspelt names. */
function strayFiles(directory: string | undefined): Problem[] {
  if (directory === undefined) return [];
  const known = new Set(templateCatalogue.map(({ name }) => name));
  return filesBelow(directory)
    .map((path) => relative(directory, path))
    .filter((name) => name.endsWith('.tpl') && !name.startsWith(`${pristineDirectory}/`) && !known.has(name))
    .map((name) =>
      errorProblem(
        'template-stray',
        `the toolkit has no template ${name}, so it would never use this file`,
        `rename it to one of these: ${[...known].join(', ')}`,
        { file: join(directory, name) },
      ),
    );
}

export async function listTemplates(directory: string | undefined, json: boolean): Promise<ExitCode> {
  const list = templateCatalogue.map(({ name, becomes }) => ({ name, becomes, state: templateState(textsOf(name, directory)) }));
  if (json) printJson<typeof listDocument>({ templates: list });
  else out(`${columns(list.map(({ name, state, becomes }) => [name, state, becomes])).join('\n')}\n`);
  return exitCodes.ok;
}

export interface ExportOptions extends ExportChoice {
  readonly directory: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** All, or none if an edit would be lost. */
export async function exportTemplates(options: ExportOptions): Promise<ExitCode> {
  const { directory, dryRun, json } = options;
  const entries = templateCatalogue.map(({ name }) => {
    const texts = textsOf(name, directory);
    return { texts, step: exportStep(name, texts, options) };
  });
  const refused = entries.flatMap(({ step }): Problem[] =>
    step.do !== 'refuse'
      ? []
      : [
          errorProblem(
            'render-hand-edited',
            `${step.name} is ${step.why}; an export would lose one of the two`,
            `csync templates diff ${directory}   (compares them); merge the changes and export with --take-mine, or drop your edits with --take-shipped`,
            { file: join(directory, step.name) },
          ),
        ],
  );
  if (refused.length > 0) throw new Failure(refused);
  if (!dryRun) {
    const files = entries.flatMap(({ texts: { shipped }, step }): FileToWrite[] => {
      const pristine = { path: join(directory, pristineDirectory, step.name), mode: 0o444, text: shipped };
      return step.do === 'keep' ? [pristine] : [pristine, { path: join(directory, step.name), mode: 0o644, text: shipped }];
    });
    writeOrFail(directory, files);
  }
  const steps = entries.map(({ step }) => step);
  if (json) printJson<typeof exportDocument>({ directory, dryRun, templates: steps });
  else {
    const rows = steps.map((step) => [`${dryRun ? 'would ' : ''}${step.do}`, `${join(directory, step.name)} (${step.why})`]);
    out(`${columns(rows).join('\n')}\n`);
  }
  return exitCodes.ok;
}

/** In memory. Throws a Failure with every unknown, unused and malformed token, and stray files. */
export async function checkTemplates(
  directory: string | undefined,
  settingsFile: string | undefined,
  json: boolean,
): Promise<ExitCode> {
  const settings = readSettings(settingsFile ?? labSettingsFile);
  // A template should be correct before it is needed.
  const directories = engineFor(settings).host.usualVariables;
  const definitions = [
    { engine: 'serviceguard', packageStyle: 'modular' },
    { engine: 'serviceguard', packageStyle: 'legacy' },
    { engine: 'pacemaker', packageStyle: 'modular' },
  ] as const;
  const found = definitions.map((definition) => {
    const templates = readPackageTemplates(definition, directory);
    const rendered = renderPackage({ settings: { ...settings, ...definition }, templates, bundles: new Map(), directories });
    return { templates, problems: rendered.ok ? [] : rendered.problems };
  });
  const policies = ([2, 3] as const).map((cfengineGeneration) => {
    const templates = readPolicyTemplates(cfengineGeneration, directory);
    const host = { name: 'm1', addresses: [settings.packageAddress] };
    const rendered = renderPolicy({ settings: { ...settings, cfengineGeneration }, templates, members: [host], clients: [] });
    return { templates, problems: rendered.ok ? [] : rendered.problems };
  });
  const told = new Set<string>();
  const unique = [...found, ...policies]
    .flatMap(({ problems }) => problems)
    .filter((one) => !told.has(JSON.stringify(one)) && told.add(JSON.stringify(one)));
  const problems = [...unique, ...strayFiles(directory)];
  if (problems.length > 0) throw new Failure(problems);
  const files = [
    ...new Set(found.flatMap(({ templates }) => [templates.packageFile.file, templates.launcher.file])),
    ...policies.flatMap(({ templates }) => [...templates.values()].map(({ file }) => file)),
  ];
  if (json) printJson<typeof checkDocument>({ files, problems: [] });
  else out(`${files.join(', ')}: all tokens are known and used.\n`);
  return exitCodes.ok;
}

/** Since the export. Status 1: differs from the shipped ones. */
export async function diffTemplates(directory: string, json: boolean): Promise<ExitCode> {
  const differences = templateCatalogue.map(({ name }) => templateDifference(name, textsOf(name, directory)));
  const differs = differences.some(({ state }) => state !== 'shipped' && state !== 'same');
  if (json) printJson<typeof diffDocument>({ directory, templates: differences });
  else for (const { name, state, edits, upstream } of differences) out(`${describe(name, state, edits, upstream)}\n`);
  return differs ? exitCodes.different : exitCodes.ok;
}

function describe(name: string, state: string, edits: string, upstream: string): string {
  return [
    `${name}: ${state}`,
    ...(edits === '' ? [] : ['--- your edits', edits.trimEnd()]),
    ...(upstream === '' ? [] : ['--- changes of the shipped template since the export', upstream.trimEnd()]),
  ].join('\n');
}
