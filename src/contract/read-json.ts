import * as v from 'valibot';
import { attempt } from '../base/attempt.ts';

/** Reads another process's file. null: another form, or no text. */
export function readJson<Form extends v.GenericSchema>(form: Form, text: string | null): v.InferOutput<Form> | null {
  const read = attempt(() => v.safeParse(form, JSON.parse(text ?? '')));
  return read?.success === true ? read.output : null;
}
