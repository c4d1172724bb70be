import type { LabSpec } from './machines/lab-spec.ts';

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabStatus {
  readonly name: string;
  readonly quirks: LabSpec['quirks'];
  readonly hosts: readonly {
    readonly name: string;
    /** Now: an added spare is a member. */
    readonly kind: 'member' | 'spare' | 'client';
    readonly address: string;
    readonly up: boolean;
    readonly init: number | null;
    readonly mounted: boolean;
    readonly packageAddress: boolean;
  }[];
  readonly worstLookDelayMs: number;
  /** Wall clock, ms, up to which the journal is complete. */
  readonly seenUntil: number;
  readonly entries: number;
}

export type LabVerb =
  | { readonly verb: 'status' }
  /** `cmviewcl -v -f line -p NAME` without a process, for repeated requests. */
  | { readonly verb: 'view'; readonly packageName: string }
  | { readonly verb: 'crash' | 'boot' | 'cut' | 'heal'; readonly member: string }
  | {
      readonly verb: 'exec';
      readonly member: string;
      readonly argv: readonly string[];
      readonly timeoutMs: number;
      readonly label?: string;
    }
  /** Without a process. null: unreadable. */
  | { readonly verb: 'read'; readonly member: string; readonly paths: readonly string[] }
  | { readonly verb: 'note'; readonly what: string; readonly text: string; readonly member?: string }
  | { readonly verb: 'publish'; readonly member: string; readonly version: number }
  | { readonly verb: 'fetch'; readonly member: string }
  | { readonly verb: 'client-version'; readonly member: string }
  | { readonly verb: 'follow' }
  | { readonly verb: 'down' };
