/** The picture of the source folders in docs/architecture.md, drawn from the imports of the source. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

const begin = '<!-- begin: drawn by npm run generate -->';
const end = '<!-- end: drawn by npm run generate -->';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The page with the picture of this source in its place. */
export function withPicture(page: string, source: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page lacks the lines "${begin}" and "${end}"`);
  return `${page.slice(0, from)}${begin}\n\n\`\`\`\n${layersPicture(source)}\`\`\`\n\n${page.slice(to)}`;
}

/** Folders directly below the source. */
export function foldersOf(source: string): string[] {
  return namesOfFolders(source).sort();
}

/** A row a folder, with the folders in it; a line below each floor, since a folder imports only from lower floors. */
function layersPicture(source: string): string {
  const graph = importsByFolder(source);
  const floors = new Map([...graph.keys()].map((folder) => [folder, floorOf(folder, graph, [])]));
  const top = Math.max(...floors.values());
  const label = (folder: string): string => {
    const wings = namesOfFolders(join(source, folder)).sort();
    return wings.length === 0 ? folder : `${folder} (${wings.join(' ')})`;
  };
  const width = Math.max(...[...graph.keys()].map((folder) => label(folder).length));
  const rule = `   ${'─'.repeat(width + 2)}\n`;
  const floor = (level: number): string =>
    [...graph.keys()]
      .filter((folder) => floors.get(folder) === level)
      .sort()
      .map((folder, at) => {
        const below = [...directBelow(folder, graph)].sort().join(' ');
        const row = `${at === 0 ? String(level).padStart(2) : '  '} ${label(folder).padEnd(width)}`;
        return `${below === '' ? row.trimEnd() : `${row}  ─▶ ${below}`}\n`;
      })
      .join('');
  return Array.from({ length: top }, (_, at) => floor(top - at)).join(rule);
}

/** Floor 1 imports nothing; each other folder stands one above the highest that it imports. */
function floorOf(folder: string, graph: Graph, path: readonly string[]): number {
  if (path.includes(folder)) throw new Error(`folders import each other: ${[...path, folder].join(' -> ')}`);
  const below = [...(graph.get(folder) ?? [])].map((target) => floorOf(target, graph, [...path, folder]));
  return 1 + Math.max(0, ...below);
}

/** Imports that do not follow from those of another imported folder. */
function directBelow(folder: string, graph: Graph): Set<string> {
  const direct = graph.get(folder) ?? new Set();
  const reached = new Set<string>();
  const reach = (from: string): void => {
    for (const target of graph.get(from) ?? []) {
      if (reached.has(target)) continue;
      reached.add(target);
      reach(target);
    }
  };
  for (const target of direct) reach(target);
  return new Set([...direct].filter((target) => !reached.has(target)));
}

function importsByFolder(source: string): Graph {
  const graph = new Map(namesOfFolders(source).map((folder) => [folder, new Set<string>()]));
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  for (const file of files) {
    const folder = folderOf(file);
    for (const [, path = ''] of readFileSync(join(source, file), 'utf8').matchAll(/(?:from|import\(?) ?'(\.[^']+)'/g)) {
      const target = folderOf(normalize(join(dirname(file), path)));
      if (target !== folder) graph.get(folder)?.add(target);
    }
  }
  return graph;
}

/** A file beside the folders belongs to the folder of its name. */
function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : basename(file, '.ts');
}

function namesOfFolders(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}
