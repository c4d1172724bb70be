/** Completely or not at all. */

import { join } from 'node:path';
import { Failure } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { type RenderedFile, sha256 } from '../../contract/package-directory.ts';
import { readTextFile } from '../../host/admin/own-files.ts';
import { withEdits, withRuntime } from '../../render/package.ts';
import { handEditProblem, handEdits, type PackageSources, preparePackage, setThere } from '../common/package-sources.ts';
import { writeOrFail } from '../common/toolkit-files.ts';
import { jsonText } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

export const renderDocument = shape.document({
  output: shape.text,
  dryRun: shape.yesNo,
  files: shape.many(
    shape.object({ name: shape.text, mode: shape.text, digest: shape.text, change: shape.picklist(['new', 'changed', 'same']) }),
  ),
});

export interface RenderOptions extends PackageSources {
  readonly output: string;
  readonly dryRun: boolean;
  readonly takeRendered: boolean;
  /** Part of the package from now on. */
  readonly takeMine: boolean;
  readonly json: boolean;
}

type Change = 'new' | 'changed' | 'same';

/** The text to print. Throws a Failure with all problems, and edits by hand. */
export async function render(options: RenderOptions): Promise<string> {
  const { settings, files: rendered } = await preparePackage(options);
  const edits = handEdits(options.output, rendered);
  if (edits.size > 0 && !options.takeRendered && !options.takeMine)
    throw new Failure([...edits.keys()].map((name) => handEditProblem(name, options.output)));
  // A carried runtime stays in the directory.
  const { runtime = null } = setThere(options.output, rendered).manifest;
  const files = withRuntime(options.takeMine ? withEdits(rendered, edits, settings) : rendered, runtime);
  const list = files.map((file) => ({ ...file, change: changeOf(options.output, file), digest: sha256(file.text) }));
  if (!options.dryRun)
    writeOrFail(
      options.output,
      files.map(({ name, mode, text }) => ({ path: join(options.output, name), mode, text })),
    );
  if (options.json) {
    const entries = list.map(({ name, mode, digest, change }) => ({ name, mode: mode.toString(8), digest, change }));
    return jsonText<typeof renderDocument>({ output: options.output, dryRun: options.dryRun, files: entries });
  }
  const verb = options.dryRun ? 'would be written to' : 'written to';
  const rows = list.map(({ name, mode, digest, change, text }) => [
    change,
    mode.toString(8),
    text.length,
    digest.slice(0, 12),
    name,
  ]);
  return `${[`${files.length} files ${verb} ${options.output}:`, ...columns(rows, { right: [2] })].join('\n')}\n`;
}

function changeOf(output: string, file: RenderedFile): Change {
  const present = readTextFile(join(output, file.name));
  if (present === null) return 'new';
  return present === file.text ? 'same' : 'changed';
}
