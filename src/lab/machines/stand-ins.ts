/**
 * Small programs inside lab members that replace what a lab machine cannot have: LVM requires a device mapper. They refuse what the real
 * ones refuse. The lab writes them to the disk of each member.
 */
import { sharedDirectory } from './lab-spec.ts';
import lvmconfig from './stand-ins/lvmconfig.sh';
import vgchange from './stand-ins/vgchange.sh';
import volumes from './stand-ins/volumes.sh';

/** Directory of the shared "disk labels" of the volume groups, also in the stand-ins: VG/tag has the host tag, VG/volumes has `name major minor`. */
export const volumeGroupDirectory = `${sharedDirectory}/volume-groups`;

/** Name of a program -> its text. */
export const lvmPrograms = { lvmconfig, lvs: volumes, vgchange, vgs: volumes } as const;

/** The configuration for vgchange, as an administrator would write it [serviceguard.md 7.1]. */
export const lvmConfiguration = `# Lab: host tags, so that a volume group is activated by its owner only
tags {
  hosttags = 1
}
`;

/** csync on a host of the lab, with extra words before its arguments. */
export function toolkitWrapper(nodePath: string, toolkit: string, ...words: readonly string[]): string {
  return `#!/bin/sh\nexec ${[nodePath, `${toolkit}/csync.mjs`, ...words].join(' ')} "$@"\n`;
}

/** A cm* command: the lab's client with the name of the command. */
export function commandWrapper(nodePath: string, toolkit: string): string {
  return `#!/bin/sh
# Lab: emulated Serviceguard command.
exec ${nodePath} ${toolkit}/lab/client.cjs "\${0##*/}" "$@"
`;
}
