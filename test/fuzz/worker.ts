/** Process that runs shares of the inputs of one parser; scripts/proof/fuzz.ts sees to it that it does not hang. */
import { extremes, inputOf } from './inputs.ts';
import { parsers } from './parsers.ts';
import { tryInput } from './trial.ts';

export interface Share {
  readonly parser: string;
  readonly seed: number;
  /** First index and how many from there on. */
  readonly from: number;
  readonly count: number;
  readonly extremes: boolean;
}

interface Failed {
  readonly parser: string;
  /** null: one of the extremes. */
  readonly index: number | null;
  readonly failure: string;
  /** The beginning of it. */
  readonly input: string;
}

export interface Done {
  readonly parser: string;
  readonly inputs: number;
  /** Of CPU. */
  readonly slowestMs: number;
  readonly failed: readonly Failed[];
  readonly failures: number;
}

const kept = 5;
/** Said after so many inputs, and for each extreme: a busy machine may take minutes for a share. */
export interface Alive {
  /** null: one of the extremes. */
  readonly index: number | null;
}
const saidEvery = 50;

function runShare(share: Share): Done {
  const parser = parsers.find(({ name }) => name === share.parser);
  if (parser === undefined) throw new Error(`there is no parser ${share.parser}`);
  const failed: Failed[] = [];
  let [inputs, slowestMs, failures] = [0, 0, 0];
  const look = (index: number | null, input: string): void => {
    const { milliseconds, failure } = tryInput(parser, input);
    inputs += 1;
    slowestMs = Math.max(slowestMs, milliseconds);
    if (failure === null) return;
    failures += 1;
    if (failed.length < kept) failed.push({ parser: share.parser, index, failure, input: input.slice(0, 400) });
  };
  const alive = (index: number | null): void => void process.send?.({ index } satisfies Alive);
  if (share.extremes)
    for (const input of extremes(parser)) {
      alive(null);
      look(null, input);
    }
  for (let index = share.from; index < share.from + share.count; index += 1) {
    if (index % saidEvery === 0) alive(index);
    look(index, inputOf(parser, parser.name, share.seed, index));
  }
  return { parser: share.parser, inputs, slowestMs, failed, failures };
}

process.on('message', (share: Share) => void process.send?.(runShare(share)));
process.on('disconnect', () => process.exit(0));
