/**
 * Documents of several verbs; others stand beside their verb, whose row names them (`json`). Output has the type of its schema. A field is
 * never removed or changed without a new `version`.
 */
import * as v from 'valibot';

export { literal, nullable, object, optional, picklist } from 'valibot';

export const many = <const Item extends v.GenericSchema>(item: Item) => v.pipe(v.array(item), v.readonly());
export const text = v.string();
export const texts = many(text);
export const maybe = v.nullable(text);
export const number = v.number();
export const yesNo = v.boolean();
/** Data whose parts are not promised. */
export const parts = v.unknown();

const place = v.object({ file: text, line: v.optional(number), column: v.optional(number) });
const problem = v.object({
  code: text,
  severity: v.picklist(['error', 'warning']),
  text,
  remedy: text,
  place: v.optional(place),
  member: v.optional(text),
});
export const problems = many(problem);
export const pending = many(v.object({ why: text, since: text }));

/** With the version of its form. */
export const document = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject({ version: v.literal(1), ...entries });

export type Document = v.GenericSchema;

/** Besides the version; trials have any parts. */
export type Parts<Of extends Document> = string extends keyof v.InferOutput<Of> ? object : Omit<v.InferOutput<Of>, 'version'>;

export const problemsDocument = document({ problems });

export const applyDocument = document({
  outcome: v.picklist(['unchanged', 'would be applied', 'applied']),
  set: v.optional(v.nullable(number)),
  steps: texts,
  notes: texts,
});

export const procedureDocument = document({ outcome: v.picklist(['unchanged', 'would be done', 'done']), steps: texts });

export const setUpDocument = document({
  outcome: v.picklist(['unchanged', 'would be done', 'done', 'incomplete']),
  steps: texts,
  notes: texts,
  waiting: many(v.object({ host: text, why: text, remedy: text })),
  problems,
});

export const rehearseDocument = document({
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
});

/** For people; its parts may change. */
export const trialDocument = v.looseObject({ version: v.literal(1) });
