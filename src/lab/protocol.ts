/** What is asked of a running lab over its control socket, and what it answers. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabStatus {
  readonly name: string;
  readonly hosts: readonly {
    readonly name: string;
    /** As the cluster is now: a spare that was added is a member, a member that was removed a spare. */
    readonly kind: 'member' | 'spare' | 'client';
    readonly address: string;
    readonly up: boolean;
    readonly init: number | null;
    readonly mounted: boolean;
    readonly packageAddress: boolean;
  }[];
  readonly worstLookDelayMs: number;
  /** Wall clock, ms: what members and watched clients were by then is in the journal. */
  readonly seenUntil: number;
  /** Of the journal. */
  readonly entries: number;
}

export type LabVerb =
  | { readonly verb: 'status' }
  /** What `cmviewcl -v -f line -p NAME` prints, without a process on a member: for who asks until something has come. */
  | { readonly verb: 'view'; readonly packageName: string }
  | { readonly verb: 'crash' | 'boot' | 'cut' | 'heal'; readonly member: string }
  | {
      readonly verb: 'exec';
      readonly member: string;
      readonly argv: readonly string[];
      readonly timeoutMs: number;
      readonly label?: string;
    }
  /** Texts of files of a host, without a process there; null for one that cannot be read. */
  | { readonly verb: 'read'; readonly member: string; readonly paths: readonly string[] }
  | { readonly verb: 'note'; readonly what: string; readonly text: string; readonly member?: string }
  | { readonly verb: 'publish'; readonly member: string; readonly version: number }
  /** The agent of a watched client runs now. */
  | { readonly verb: 'fetch'; readonly member: string }
  | { readonly verb: 'client-version'; readonly member: string }
  | { readonly verb: 'follow' }
  | { readonly verb: 'down' };
