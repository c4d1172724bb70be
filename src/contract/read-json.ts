/** Files of another process, by their form. */
import * as v from 'valibot';
import { attempt } from '../base/attempt.ts';

/** null: another form, or no text. */
export function readJson<Form extends v.GenericSchema>(form: Form, text: string | null): v.InferOutput<Form> | null {
  const read = attempt(() => v.safeParse(form, JSON.parse(text ?? '')));
  return read?.success === true ? read.output : null;
}
