/** The request of an emulated command, after its options are parsed; one shape a command [serviceguard.md chapter 5]. */
import type { MemberName, PackageName } from '../manager/model.ts';

export type CommandRequest =
  | {
      readonly command: 'cmviewcl';
      readonly verbose: boolean;
      readonly format: 'table' | 'line';
      readonly level: 'cluster' | 'node' | 'package' | null;
      readonly members: readonly MemberName[];
      readonly packages: readonly PackageName[];
      /** -s config: the configuration, also of a halted cluster. */
      readonly configuration: boolean;
    }
  | {
      readonly command: 'cmquerycl';
      readonly members: readonly MemberName[];
      readonly clusterName: string | null;
      readonly outputFile: string | null;
    }
  | {
      readonly command: 'cmcheckconf';
      readonly verbose: boolean;
      readonly clusterFile: string | null;
      readonly packageFiles: readonly string[];
    }
  | {
      readonly command: 'cmapplyconf';
      readonly verbose: boolean;
      readonly force: boolean;
      readonly clusterFile: string | null;
      readonly packageFiles: readonly string[];
    }
  | {
      readonly command: 'cmgetconf';
      readonly clusterName: string | null;
      readonly package: PackageName | null;
      readonly outputFile: string | null;
    }
  | { readonly command: 'cmdeleteconf'; readonly force: boolean; readonly package: PackageName }
  | {
      readonly command: 'cmmakepkg';
      /** -p: the configuration file of a legacy package. */
      readonly legacy: boolean;
      readonly list: boolean;
      readonly name: PackageName | null;
      readonly modules: readonly string[];
      readonly inputFile: string | null;
      readonly outputFile: string | null;
    }
  | { readonly command: 'cmruncl'; readonly members: readonly MemberName[]; readonly preview: boolean }
  | { readonly command: 'cmhaltcl'; readonly force: boolean; readonly preview: boolean }
  | { readonly command: 'cmrunnode'; readonly members: readonly MemberName[]; readonly preview: boolean }
  | {
      readonly command: 'cmhaltnode';
      readonly members: readonly MemberName[];
      readonly force: boolean;
      readonly preview: boolean;
    }
  | {
      readonly command: 'cmrunpkg';
      readonly packages: readonly PackageName[];
      readonly members: readonly MemberName[];
      readonly anyMember: boolean;
      readonly preview: boolean;
      readonly upToModule: string | null;
      readonly exceptModule: string | null;
    }
  | {
      readonly command: 'cmhaltpkg';
      readonly packages: readonly PackageName[];
      readonly members: readonly MemberName[];
      readonly force: boolean;
      readonly preview: boolean;
    }
  | {
      readonly command: 'cmmodpkg';
      readonly packages: readonly PackageName[];
      readonly members: readonly MemberName[];
      readonly preview: boolean;
      readonly change: 'enable' | 'disable' | 'maintenance-on' | 'maintenance-off';
    }
  | {
      readonly command: 'cmmodpkg';
      readonly packages: readonly PackageName[];
      readonly change: 'reset-restarts';
      readonly service: string;
      readonly preview: false;
    }
  | { readonly command: 'cmversion' }
  | { readonly command: 'cmmodnet'; readonly action: 'add' | 'remove'; readonly address: string; readonly subnet: string }
  | {
      readonly command: 'cmrunserv';
      readonly service: string;
      readonly commandLine: string;
      readonly restarts: number | 'unlimited';
    }
  | { readonly command: 'cmhaltserv'; readonly service: string }
  | { readonly command: 'cmgetpkgenv'; readonly package: PackageName }
  | { readonly command: 'cmexec'; readonly member: MemberName; readonly commandLine: string };

export type CommandName = CommandRequest['command'];
