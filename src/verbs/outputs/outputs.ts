/**
 * What `--json` prints, a schema each. The type of what is printed follows from the schema, so a field cannot change without it; `csync schema VERB`
 * prints it. A field is never removed or given another meaning without a new `version`.
 */
import * as v from 'valibot';

const many = <const Item extends v.GenericSchema>(item: Item) => v.pipe(v.array(item), v.readonly());
const text = v.string();
const texts = many(text);
const maybe = v.nullable(text);
const number = v.number();
const yesNo = v.boolean();
/** Plain data of the toolkit whose parts are not promised. */
const parts = v.unknown();

const place = v.object({ file: text, line: v.optional(number), column: v.optional(number) });
const problem = v.object({
  code: text,
  severity: v.picklist(['error', 'warning']),
  text,
  remedy: text,
  place: v.optional(place),
  member: v.optional(text),
});
const problems = many(problem);
const pending = many(v.object({ why: text, since: text }));
const codeEntry = {
  code: text,
  exit: v.nullable(number),
  text,
  cluster: text,
  why: text,
  fix: texts,
  example: text,
  page: text,
};
const commit = v.object({
  commit: number,
  epoch: number,
  digest: text,
  at: text,
  by: text,
  member: text,
  message: text,
  files: texts,
  removed: texts,
});
const version = v.literal(1);

export const outputs = {
  problems: v.strictObject({ version, problems }),
  apply: v.strictObject({
    version,
    outcome: v.picklist(['unchanged', 'would be applied', 'applied']),
    set: v.optional(v.nullable(number)),
    steps: texts,
    notes: texts,
  }),
  procedure: v.strictObject({ version, outcome: v.picklist(['unchanged', 'would be done', 'done']), steps: texts }),
  'set up': v.strictObject({
    version,
    outcome: v.picklist(['unchanged', 'would be done', 'done', 'incomplete']),
    steps: texts,
    notes: texts,
    waiting: many(v.object({ host: text, why: text, remedy: text })),
    problems,
  }),
  check: v.strictObject({
    version,
    problems,
    notes: texts,
    looks: number,
    leftOut: many(v.object({ name: text, member: text, why: text })),
  }),
  status: v.strictObject({
    version,
    condition: v.picklist(['serving', 'failed', 'halted', 'unknown']),
    sentence: text,
    advice: many(v.object({ text, remedy: text })),
    members: many(parts),
    clients: v.nullable(many(parts)),
    waiting: many(parts),
  }),
  diff: v.strictObject({ version, members: many(parts), configuration: v.nullable(many(parts)) }),
  history: v.strictObject({
    version,
    sets: many(v.object({ number, at: text, by: text, toolkitVersion: text, digest: text, note: text })),
  }),
  rehearse: v.strictObject({
    version,
    format: v.literal(1),
    at: text,
    toolkit: text,
    place: v.picklist(['lab', 'cluster']),
    synthetic: v.optional(v.literal(true)),
    packageName: text,
    members: texts,
    clients: texts,
    probe: text,
    verdict: v.picklist(['pass', 'fail']),
    sentence: text,
    ready: v.nullable(parts),
    drills: many(parts),
    comparison: parts,
  }),
  explain: v.strictObject({ version, ...codeEntry }),
  codes: v.strictObject({ version, codes: many(v.object(codeEntry)) }),
  decisions: v.strictObject({
    version,
    exits: many(parts),
    findings: many(parts),
    verdicts: many(parts),
    consequences: many(parts),
  }),
  'members list': v.strictObject({
    version,
    members: many(
      v.object({
        name: text,
        addresses: texts,
        setUp: yesNo,
        inCluster: v.nullable(yesNo),
        leftOut: yesNo,
        runsPackage: yesNo,
        key: maybe,
        waiting: pending,
      }),
    ),
    rotation: maybe,
  }),
  'client list': v.strictObject({
    version,
    clients: many(v.object({ name: text, addresses: texts, cluster: maybe, key: maybe, trustsCluster: texts, waiting: pending })),
  }),
  'keys list': v.strictObject({
    version,
    cluster: v.object({ key: maybe, next: maybe, retired: parts }),
    rotation: maybe,
    hosts: many(v.object({ name: text, kind: text, key: maybe, is: text, trusted: v.nullable(number) })),
  }),
  'keys verify': v.strictObject({
    version,
    handshakes: number,
    refused: many(parts),
    unseen: many(v.object({ name: text, why: text })),
    open: texts,
  }),
  sync: v.strictObject({
    version,
    from: text,
    hosts: many(
      v.object({
        host: text,
        outcome: text,
        reason: maybe,
        exitCode: v.nullable(number),
        milliseconds: v.nullable(number),
        changes: texts,
        errors: texts,
        cut: yesNo,
      }),
    ),
  }),
  'sync --dry-run': v.strictObject({ version, from: text, commands: texts }),
  init: v.strictObject({
    version,
    output: text,
    dryRun: yesNo,
    digest: text,
    settings: parts,
    from: parts,
    unseen: parts,
    problems,
    text: v.optional(text),
  }),
  'settings check': v.strictObject({ version, file: text, digest: text, settings: parts }),
  render: v.strictObject({
    version,
    output: text,
    dryRun: yesNo,
    files: many(v.object({ name: text, mode: text, digest: text, change: v.picklist(['new', 'changed', 'same']) })),
  }),
  'templates list': v.strictObject({ version, templates: many(v.object({ name: text, becomes: text, state: text })) }),
  'templates export': v.strictObject({
    version,
    directory: text,
    dryRun: yesNo,
    templates: many(v.object({ name: text, do: text, why: text })),
  }),
  'templates check': v.strictObject({ version, files: texts, problems }),
  'templates diff': v.strictObject({ version, directory: text, templates: many(v.object({ name: text, state: text })) }),
  conform: v.strictObject({
    version,
    tested: text,
    ok: number,
    failed: number,
    leftOut: number,
    seconds: number,
    assertions: many(v.object({ name: text, result: v.picklist(['ok', 'failed', 'skipped']), seen: text })),
  }),
  'policy commit': v.strictObject({
    version,
    outcome: v.picklist(['acknowledged', 'acknowledged earlier', 'would be committed', 'nothing to commit']),
    member: text,
    record: v.nullable(commit),
  }),
  'policy show': v.strictObject({
    version,
    member: text,
    epoch: v.nullable(number),
    digest: text,
    commit: v.nullable(parts),
    files: many(v.object({ name: text, digest: text, owner: v.picklist(['toolkit', 'administrator']) })),
    links: parts,
    copy: maybe,
  }),
  'policy log': v.strictObject({ version, member: text, commits: many(commit) }),
  /** Results of trials in a lab: their parts are for reading, and may change. */
  lab: v.looseObject({ version }),
} as const;

export type OutputName = keyof typeof outputs;
export type Outputs = {
  readonly [Name in OutputName]: Name extends 'lab' ? object : Omit<v.InferOutput<(typeof outputs)[Name]>, 'version'>;
};

/** By verb, as it is typed: what it prints with --json where it succeeds. Where it fails it prints `problems`. */
export const outputOfVerb: Readonly<Record<string, readonly OutputName[]>> = {
  init: ['init'],
  'settings check': ['settings check'],
  render: ['render'],
  'templates list': ['templates list'],
  'templates export': ['templates export'],
  'templates check': ['templates check'],
  'templates diff': ['templates diff'],
  conform: ['conform'],
  status: ['status'],
  rehearse: ['rehearse'],
  check: ['check'],
  diff: ['diff'],
  history: ['history'],
  explain: ['explain', 'codes'],
  decisions: ['decisions'],
  maintenance: ['procedure'],
  recover: ['procedure'],
  remove: ['procedure'],
  apply: ['apply'],
  rollback: ['apply'],
  'migrate legacy-to-modular': ['apply'],
  'policy commit': ['policy commit'],
  'policy show': ['policy show'],
  'policy log': ['policy log'],
  'member add': ['set up'],
  'member remove': ['set up'],
  'members sync': ['set up'],
  'members list': ['members list'],
  dispatcher: ['set up'],
  'client add': ['set up'],
  'client remove': ['set up'],
  'client sync': ['set up'],
  'client list': ['client list'],
  'keys distribute': ['set up'],
  'keys rotate': ['set up'],
  'keys list': ['keys list'],
  'keys verify': ['keys verify'],
  sync: ['sync', 'sync --dry-run'],
  'lab rehearse': ['rehearse'],
  'lab demo': ['lab'],
  'lab status': ['lab'],
  'lab failovers': ['lab'],
  'lab torture': ['lab'],
  'lab simulate': ['lab'],
};
