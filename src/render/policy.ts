/**
 * The smallest honest policy for members and clients of the package, generation 3: what cfengine.md 2.7 found to work
 * over the relocatable address. Pure.
 */
import type { Checked, Problem } from '../problem.ts';
import type { Settings } from '../settings.ts';
import { toolkitVersion } from '../version.ts';
import { fillTemplate, type Template } from './template.ts';

export interface PolicyInput {
  readonly settings: Settings;
  readonly promises: Template;
  readonly update: Template;
  /** Networks whose hosts may fetch, such as 10.9.0.0/24. */
  readonly networks: readonly string[];
  /** Addresses remote runs may come from: every member's and the package's. */
  readonly memberAddresses: readonly string[];
}

const list = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(', ');

/** promises.cf and update.cf by name. The access path ends with a slash: cfengine.md 2.6 says why. */
export function renderPolicy({
  settings,
  promises,
  update,
  networks,
  memberAddresses,
}: PolicyInput): Checked<Map<string, string>> {
  const shared = {
    toolkit_version: toolkitVersion,
    package_dns_name: settings.packageDnsName,
    policy_directory: settings.policyDirectory,
    cfengine_port: String(settings.cfenginePort),
  };
  const problems: Problem[] = [];
  const files = new Map<string, string>();
  const fill = (name: string, template: Template, values: Record<string, string>): void => {
    const filled = fillTemplate(template, values);
    problems.push(...filled.problems);
    if (filled.ok) files.set(name, filled.value);
  };
  fill('promises.cf', promises, {
    ...shared,
    cfengine_bin_directory: settings.cfengineBinDirectory,
    allowed_networks: list(networks),
    member_addresses: list(memberAddresses),
  });
  fill('update.cf', update, shared);
  return problems.length === 0 ? { ok: true, value: files, problems } : { ok: false, problems };
}
