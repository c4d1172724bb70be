/** CFEngine 3's Masterfiles Policy Framework (MPF): csync's policy joins by its augments, def.json, and changes no file of it. Pure. */

/** All exist in 3.21; a tree without one is joined by hand. */
const hooks: readonly (readonly [file: string, text: string])[] = [
  ['controls/def_inputs.cf', '@(def.augments_inputs)'],
  ['controls/cf_serverd.cf', '@(def.acl)'],
  ['controls/cf_serverd.cf', '@(def.trustkeysfrom)'],
  ['controls/cf_serverd.cf', '@(def.control_server_allowusers)'],
  ['controls/cf_serverd.cf', '$(def.control_server_maxconnections)'],
  ['controls/update_def.cf', '@(def.update_inputs)'],
  ['controls/update_def.cf', 'def.control_common_update_bundlesequence_end'],
  ['cfe_internal/update/update_policy.cf', 'def.mpf_update_policy_bundle'],
  ['cfe_internal/update/update_policy.cf', 'bundle agent modules_presence'],
  ['cfe_internal/update/update_policy.cf', 'bundle agent cfe_internal_setup_python_symlink'],
  ['cfe_internal/core/main.cf', 'mpf_auto_am_policy_hub_state_disabled'],
];

const frameworkPort = 5308;

export interface Framework {
  /** Empty: csync can join it. */
  readonly lacks: readonly string[];
}

/** `files`: by name of the master copy. null: not the framework. */
export function frameworkOf(files: ReadonlyMap<string, string>, port: number): Framework | null {
  const promises = files.get('promises.cf') ?? '';
  if (!promises.includes('cfe_internal_management') || !/\bdef\b/.test(promises)) return null;
  const lacks = hooks
    .filter(([file, text]) => files.get(file)?.includes(text) !== true)
    .map(([file, text]) => `${text} in ${file}`);
  return { lacks: port === frameworkPort ? lacks : [...lacks, `a variable for the port, which is ${port} in csync.yaml`] };
}

/** Since CFEngine 3.18 the second replaces the first. */
const augmentsNames = ['def.json', 'def_preferred.json'] as const;

export const isAugments = (name: string): boolean => augmentsNames.some((one) => one === name);

export const frameworkFiles = { server: 'csync_server.cf', members: 'csync_members.cf', update: 'csync_update.cf' } as const;

/** A list gets missing items; a text is written only if the site has none. */
const lists: Readonly<Record<string, readonly string[]>> = {
  acl: ['@(csync_hosts.allowed)'],
  control_server_allowusers: ['root'],
  update_inputs: [frameworkFiles.update],
  control_common_update_bundlesequence_end: ['csync_mpf_keys'],
};
const defaults: Readonly<Record<string, string | readonly string[]>> = {
  // csync distributes keys; otherwise any key of an unknown host is accepted.
  trustkeysfrom: [],
  control_server_maxconnections: '$(csync_hosts.maxconnections)',
  mpf_update_policy_bundle: 'default:csync_mpf_update',
};
const inputs = [frameworkFiles.server, frameworkFiles.members];
/** Otherwise the active member would count as a policy hub for ever, and copy from its own disk. */
const classes = { mpf_auto_am_policy_hub_state_disabled: ['any'] } as const;

export type Joined = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keeps the site's keys; returns the same text if nothing is missing. null: no file. */
export function joinAugments(text: string | null): Joined {
  let whole: unknown;
  try {
    whole = text === null ? {} : JSON.parse(text);
  } catch (error) {
    return { ok: false, why: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (!isObject(whole)) return { ok: false, why: 'it is not a JSON object' };
  const before = JSON.stringify(whole);
  try {
    join(whole);
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
  if (text !== null && JSON.stringify(whole) === before) return { ok: true, text };
  const indent = /^([ \t]+)"/m.exec(text ?? '')?.[1] ?? '  ';
  return { ok: true, text: `${JSON.stringify(whole, null, indent)}\n` };
}

/** Changes `whole`; throws the obstacle. */
function join(whole: Json): void {
  const vars = objectIn(whole, 'vars');
  for (const [name, items] of Object.entries(lists)) append(...placeOf(whole, vars, name), items);
  const inInputs = whole.inputs === undefined && Object.hasOwn(vars, 'augments_inputs') ? vars : whole;
  append(inInputs, inInputs === whole ? 'inputs' : 'augments_inputs', inputs);
  for (const [name, value] of Object.entries(defaults)) {
    const [holder, key] = placeOf(whole, vars, name);
    holder[key] ??= value;
  }
  const known = objectIn(whole, 'classes');
  for (const [name, value] of Object.entries(classes)) known[name] ??= value;
}

function objectIn(whole: Json, key: string): Json {
  whole[key] ??= {};
  const value = whole[key];
  if (!isObject(value)) throw new Error(`its "${key}" is not an object`);
  return value;
}

/** Since 3.18 also in "variables", with its scope. */
function placeOf({ variables }: Json, vars: Json, name: string): [holder: Json, key: string] {
  if (isObject(variables))
    for (const key of [name, `def.${name}`, `default:def.${name}`]) {
      const found = variables[key];
      if (isObject(found)) return [found, 'value'];
    }
  return [vars, name];
}

function append(holder: Json, key: string, items: readonly string[]): void {
  holder[key] ??= [];
  const present = holder[key];
  if (!Array.isArray(present)) throw new Error(`its "${key}" is not a list`);
  present.push(...items.filter((item) => !present.includes(item)));
}

export interface AugmentsPlan {
  readonly write: readonly { readonly name: string; readonly text: string }[];
  readonly notes: readonly string[];
}

/** For each of the two files that exists, otherwise a new def.json. */
export function planAugments(files: ReadonlyMap<string, string>): AugmentsPlan {
  const present = augmentsNames.filter((name) => files.has(name));
  const names = present.length > 0 ? present : augmentsNames.slice(0, 1);
  const write: { name: string; text: string }[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const text = files.get(name) ?? null;
    const joined = joinAugments(text);
    if (!joined.ok)
      notes.push(`${name} stays unchanged: ${joined.why}. For csync's part of the policy it must have:\n${augmentsLines()}`);
    else if (joined.text !== text) write.push({ name, text: joined.text });
  }
  return { write, notes };
}

export function augmentsLines(): string {
  const joined = joinAugments(null);
  return joined.ok ? joined.text.trimEnd() : '';
}
