/** Files that the other end wrote, by their form. */
import * as v from 'valibot';
import { attempt } from '../base/attempt.ts';

/** null for a text that has not that form, and for none. */
export function readJson<Form extends v.GenericSchema>(form: Form, text: string | null): v.InferOutput<Form> | null {
  const read = attempt(() => v.safeParse(form, JSON.parse(text ?? '')));
  return read?.success === true ? read.output : null;
}
