/** The Node.js of the member scripts on each member and its security support; csync there, and its hooks. Pure. */
import type { Problem } from '../../base/problem.ts';
import { hasNodeEnded, isNodeNewEnough, lastDayOfNode, oldestNode, recommendedNode } from '../../base/version.ts';
import { runtimeName } from '../../contract/package-directory.ts';
import { alertFacts, alertRemarks, alertsOn } from '../alerts/remarks.ts';
import { readNodeVersion } from '../remote/package-look.ts';
import { type CheckedMember, type CheckInput, type Findings, first, type Looked, problem } from './check-model.ts';

export interface NodeFacts {
  readonly member: string;
  /** null: does not run. */
  readonly version: string | null;
  readonly file: string;
  readonly supportedUntil: string | null;
  readonly hasEnded: boolean;
}

/** Launchers prefer the runtime in the package directory. */
export function nodeOf({ member, facts }: Looked, { settings: { nodePath, packageDirectory }, now }: CheckInput): NodeFacts {
  const isCarried = facts.has('runtime');
  const version = readNodeVersion(first(facts, isCarried ? 'runtime' : 'node') ?? '');
  return {
    member,
    version,
    file: isCarried ? `${packageDirectory}/${runtimeName}` : nodePath,
    supportedUntil: version === null ? null : lastDayOfNode(version),
    hasEnded: version !== null && hasNodeEnded(version, now),
  };
}

export function judgeNode(one: Looked, input: CheckInput): readonly Problem[] {
  const { member, version, file } = nodeOf(one, input);
  if (isNodeNewEnough(version)) return [];
  const text = version === null ? `${file} cannot be run` : `${file} is v${version}`;
  const remedy = one.facts.has('runtime')
    ? 'csync apply --with-runtime=FILE   (carries another one); --without-runtime goes back to node_path'
    : `install Node.js ${oldestNode} or newer there, correct node_path, or run csync apply --with-runtime`;
  return [problem('error', 'node', member, text, remedy)];
}

/** One line for members with the same version and path. */
export function nodeLines(nodes: readonly NodeFacts[]): string[] {
  const told = nodes
    .filter(({ version }) => isNodeNewEnough(version))
    .map(({ member, version, file, supportedUntil, hasEnded }) => {
      const fix = `Fix: install Node.js ${recommendedNode} there, or csync apply --with-runtime=FILE`;
      const ended = `without security fixes since ${supportedUntil}. ${fix}`;
      const support = supportedUntil === null ? '' : hasEnded ? `, ${ended}` : `, supported until ${supportedUntil}`;
      return { member, text: `Node.js ${version} at ${file}${support}` };
    });
  return [...new Set(told.map(({ text }) => text))].map((text) => {
    const members = told.filter((one) => one.text === text).map(({ member }) => member);
    return `${members.join(', ')}: ${text}`;
  });
}

const factsOf = ({ member, facts }: CheckedMember) =>
  facts === null ? [] : [alertFacts(member, first(facts, 'alerts'), Number(first(facts, 'clock')) * 1000)];

/** Hooks report events from each member. */
export function judgeAlerts(one: Looked, { settings, members }: CheckInput): Findings {
  const [own] = factsOf(one);
  if (!alertsOn(settings) || own === undefined) return [];
  const remarks = alertRemarks(own, members.flatMap(factsOf), settings);
  return remarks.map(({ member, text, remedy }) => problem('warning', 'alerts', member, text, remedy));
}
