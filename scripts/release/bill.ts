/** What is bundled: the bill of materials by npm, in CycloneDX, and the licences of the packages in it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './stage.ts';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly externalReferences?: readonly { readonly type: string }[];
}

interface Bill {
  serialNumber: string;
  readonly metadata: { timestamp: string; component: Component & { name: string } };
  readonly components: Component[];
}

/** The same commit has the same bill: npm would write a random number, the time of day, the folder's name and the registry's host into it. */
export function billOfMaterials(source: string, commit: string, epoch: string): Bill {
  const bill = JSON.parse(must(['npm', 'sbom', '--sbom-format', 'cyclonedx'], { cwd: source })) as Bill;
  const digest = createHash('sha256').update(commit).digest('hex');
  bill.serialNumber = `urn:uuid:${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  bill.metadata.timestamp = new Date(Number(epoch) * 1000).toISOString();
  bill.metadata.component.name = 'csync-toolkit';
  // npm's own --omit dev also drops a dependency that a development tool has, too.
  const isBundled = ({ properties = [] }: Component): boolean =>
    !properties.some(({ name }) => name === 'cdx:npm:package:development');
  const components = bill.components.filter(isBundled).map(({ externalReferences = [], ...rest }) => ({
    ...rest,
    externalReferences: externalReferences.filter(({ type }) => type !== 'distribution'),
  }));
  return { ...bill, components };
}

/** Name, version and licence text of each package of the bill. Throws where a package has none. */
export function licencesOf(source: string, { components }: Bill): string {
  const texts = components.map(({ name, version, properties = [] }) => {
    const path = properties.find((property) => property.name === 'cdx:npm:package:path')?.value ?? `node_modules/${name}`;
    const directory = join(source, path);
    const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file !== undefined ? readFileSync(join(directory, file), 'utf8') : declared(directory);
    return `${name} ${version}\n${'-'.repeat(name.length + version.length + 1)}\n\n${text.trim()}\n`;
  });
  return texts.join('\n\n');
}

/** A package without a licence file still names its licence. */
function declared(directory: string): string {
  const path = join(directory, 'package.json');
  const { license } = (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}) as { license?: string };
  if (license === undefined) throw new Error(`${directory} names no licence`);
  return `License: ${license}`;
}
