/** The types of a case of csync conform. */
import type { Settings } from '../../settings/settings.ts';

/** The initial state. The daemon always runs, as on every member. */
export type State =
  /** Neither storage nor address is active. */
  | 'halted'
  /** Serviceguard has mounted the policy file system and added the address. */
  | 'mounted'
  /** As after a start, with its mark on the file system. Made by the test, so that halts can be judged if starts fail. */
  | 'running';

export interface Call {
  /** external_pre_script, external_script or the service's command, as the package file names them. */
  readonly script: 'pre' | 'main' | 'service';
  readonly words: readonly string[];
  /** In addition to what Serviceguard passes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory; default /. */
  readonly from?: 'mount point';
  readonly umask?: string;
  readonly limitSeconds?: number;
  /** Sends SIGTERM when the log has the line of this step. */
  readonly heldAt?: string;
  /** When the log has this text: run this, let the script continue for this long, then send the signal. */
  readonly once?: {
    readonly logged?: RegExp;
    readonly sh?: string;
    readonly forSeconds?: number;
    readonly signal?: 'SIGTERM';
  };
}

export type Expectation = { readonly says: string } & (
  | { readonly kind: 'ends'; readonly with: readonly number[] }
  /** With a status of its own, not by a signal. */
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
  /** Shell text in the sandbox that must exit with 0. */
  | { readonly kind: 'true'; readonly sh: string }
);

export interface Case {
  readonly name: string;
  readonly state: State;
  readonly given: readonly string[];
  readonly calls: readonly {
    /** Shell text before this call and after the previous one. */
    readonly first?: string;
    readonly call: Call;
    readonly expect: readonly Expectation[];
  }[];
  /** Seconds it takes with these settings, which may be more than the limit. */
  readonly takes?: (settings: Settings) => number;
}
