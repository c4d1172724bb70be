import type { Connection } from '../../host/lab/lab-socket.ts';

export interface LabCluster {
  /** Powers the machine on; its cluster software joins the cluster. */
  bootMember(member: string): Promise<void>;
  /** Pulls (false) or plugs in (true) the cable. */
  setLink(member: string, up: boolean): Promise<void>;
  memberLost(member: string): void;
  /** Now: an added spare is a member. */
  isMember(name: string): boolean;
  /** An administrator's view of the package. null: no machine is up, or no such package. */
  view(packageName: string): Promise<string | null>;
  /** For messages other than those of `csync lab`. */
  serve(message: Readonly<Record<string, unknown>>, connection: Connection, role: 'root' | 'monitor'): Promise<void>;
}
