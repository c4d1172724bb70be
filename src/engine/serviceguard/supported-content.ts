/** What Serviceguard allows in a package, and csync does not support. Pure. */
import { errorProblem, type Problem } from '../../base/problem.ts';
import type { PackageFile, PackageLine } from '../../serviceguard/package-file.ts';

interface Limit {
  readonly text: string;
  /** The lines that the limit refuses. */
  readonly beyond: (file: PackageFile) => readonly PackageLine[];
}

const of = (file: PackageFile, keyword: string): PackageLine[] => file.lines.filter((line) => line.keyword === keyword);

/** Lines of the keyword with another value than the first one. */
const others = (keyword: string) => (file: PackageFile) => {
  const [first, ...rest] = of(file, keyword);
  return rest.filter(({ value }) => value !== first?.value);
};

const one = (what: string): string => `csync supports one ${what} a package: it would neither check nor monitor this one`;

const limits: readonly Limit[] = [
  { text: one('subnet'), beyond: others('ip_subnet') },
  { text: one('address'), beyond: others('ip_address') },
  { text: one('volume group'), beyond: others('vg') },
  { text: one('logical volume and file system'), beyond: others('fs_name') },
  {
    text: 'csync supports a local file system on a logical volume, not NFS',
    beyond: (file) => of(file, 'fs_type').filter(({ value }) => /^nfs/i.test(value)),
  },
];

/** Empty: csync supports all of it. One problem a line. */
export function unsupportedContent(file: PackageFile, name: string): Problem[] {
  const problems = limits.flatMap(({ text, beyond }) =>
    beyond(file).map(({ keyword, value, line }) => ({ line, text: `${keyword} ${value}: ${text}` })),
  );
  const first = problems.filter(({ line }, at) => problems.findIndex((other) => other.line === line) === at);
  const remedy = 'remove the line; a second package of Serviceguard may have it';
  return first.map(({ line, text }) => errorProblem('package-unsupported', text, remedy, { file: name, line }));
}
