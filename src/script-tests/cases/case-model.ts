/** What a case of csync conform is made of. */
import type { Settings } from '../../settings/settings.ts';

/** Where a case begins. The daemon runs in each of them, as it does on every member. */
export type State =
  /** Neither storage nor address is here. */
  | 'halted'
  /** Serviceguard has mounted the policy file system and added the address. */
  | 'mounted'
  /** As after a start: with the mark of one on the file system. Made by hand, so that halts can be judged when starts cannot. */
  | 'running';

export interface Call {
  /** external_pre_script, external_script or the service's command, as the package file names them. */
  readonly script: 'pre' | 'main' | 'service';
  readonly words: readonly string[];
  /** On top of what Serviceguard passes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory; / when it is not said. */
  readonly from?: 'mount point';
  readonly umask?: string;
  readonly limitSeconds?: number;
  /** SIGTERM, as soon as the log has the line of this step. */
  readonly heldAt?: string;
  /** While it runs: when the log says so, do this, go on for so long, signal it then. */
  readonly once?: {
    readonly logged?: RegExp;
    readonly sh?: string;
    readonly forSeconds?: number;
    readonly signal?: 'SIGTERM';
  };
}

export type Expectation = { readonly says: string } & (
  | { readonly kind: 'ends'; readonly with: readonly number[] }
  /** With a status of its own choice, but not by a signal. */
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
  /** Shell text in the sandbox that ends with 0. */
  | { readonly kind: 'true'; readonly sh: string }
);

export interface Case {
  readonly name: string;
  readonly state: State;
  readonly given: readonly string[];
  readonly calls: readonly {
    /** Shell text that comes before this call, and behind the one before it. */
    readonly first?: string;
    readonly call: Call;
    readonly expect: readonly Expectation[];
  }[];
  /** Seconds it takes by the settings, which can be longer than anybody waits. */
  readonly takes?: (settings: Settings) => number;
}
