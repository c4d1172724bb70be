import type { Settings } from '../../settings/settings.ts';

/** The daemon always runs. */
export type State =
  | 'halted'
  /** Serviceguard mounted and added the address. */
  | 'mounted'
  /** As after a start, made by the test: halts can be judged if starts fail. */
  | 'running';

export interface Call {
  /** external_pre_script, external_script or the service's command. */
  readonly script: 'pre' | 'main' | 'service';
  readonly words: readonly string[];
  /** Added to what Serviceguard passes. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly from?: 'mount point';
  readonly umask?: string;
  readonly limitSeconds?: number;
  /** SIGTERM at this step's line. */
  readonly heldAt?: string;
  /** At this text: run this, wait so long, send the signal. */
  readonly once?: {
    readonly logged?: RegExp;
    readonly sh?: string;
    readonly forSeconds?: number;
    readonly signal?: 'SIGTERM';
  };
}

export type Expectation = { readonly says: string } & (
  | { readonly kind: 'ends'; readonly with: readonly number[] }
  /** It exits with a status, not by a signal. */
  | { readonly kind: 'fails' }
  /** By SIGTERM or with any status. */
  | { readonly kind: 'is over' }
  | { readonly kind: 'within'; readonly seconds: number }
  | { readonly kind: 'stays' }
  | { readonly kind: 'log' | 'output'; readonly has: RegExp }
  | { readonly kind: 'log lacks'; readonly pattern: RegExp }
  | { readonly kind: 'silent' }
  | { readonly kind: 'pipes closed' }
  | { readonly kind: 'daemon'; readonly is: 'same' | 'one' | 'another' | 'none' }
  | { readonly kind: 'mounted' | 'address'; readonly is: boolean }
  | { readonly kind: 'nothing left' }
  /** Exits with 0 in the sandbox. */
  | { readonly kind: 'true'; readonly sh: string }
);

export interface Case {
  readonly name: string;
  readonly state: State;
  readonly given: readonly string[];
  readonly calls: readonly {
    readonly first?: string;
    readonly call: Call;
    readonly expect: readonly Expectation[];
  }[];
  /** Seconds; may exceed the limit. */
  readonly takes?: (settings: Settings) => number;
}
