/** As getopt: single letters, bundles (`-vf line`), values attached or in the next word. */
export interface OptionSpec {
  readonly usage: string;
  readonly flags: string;
  readonly values: string;
  /** Reasons of refused letters. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly operands?: { readonly min: number; readonly max: number };
}

export interface Options {
  has(letter: string): boolean;
  one(letter: string): string | null;
  all(letter: string): string[];
  readonly operands: readonly string[];
}

export type ReadOptions = { readonly options: Options } | { readonly refusal: readonly string[] };

export function readOptions(command: string, spec: OptionSpec, argv: readonly string[]): ReadOptions {
  const given: [string, string][] = [];
  const operands: string[] = [];
  const rest = [...argv];
  const usage = `Usage: ${command} ${spec.usage}`.trimEnd();
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') operands.push(...rest.splice(0));
    else if (!/^-./.test(word)) operands.push(word);
    else {
      const wrong = readBundle(spec, word.slice(1), rest, given);
      if (wrong !== null) return { refusal: [`${command}: ${wrong}`, usage] };
    }
  }
  const { min, max } = spec.operands ?? { min: 0, max: 0 };
  if (operands.length < min) return { refusal: [`${command}: an argument is missing`, usage] };
  if (operands.length > max) return { refusal: [`${command}: unexpected argument: ${operands[max]}`, usage] };
  const all = (letter: string): string[] => given.filter(([one]) => one === letter).map(([, value]) => value);
  return {
    options: { has: (letter) => all(letter).length > 0, one: (letter) => all(letter).at(-1) ?? null, all, operands },
  };
}

/** Returns the error of one option word; null: none. */
function readBundle(spec: OptionSpec, letters: string, rest: string[], given: [string, string][]): string | null {
  for (let index = 0; index < letters.length; index += 1) {
    const letter = letters.charAt(index);
    const refused = spec.refused?.[letter];
    if (refused !== undefined) return `option -${letter} is not imitated by the lab: ${refused}`;
    if (spec.flags.includes(letter)) {
      given.push([letter, '']);
      continue;
    }
    if (!spec.values.includes(letter)) return `illegal option -- ${letter}`;
    const value = letters.slice(index + 1) || rest.shift();
    if (value === undefined) return `option requires an argument -- ${letter}`;
    given.push([letter, value]);
    return null;
  }
  return null;
}
