/** Replace LVM, which needs a device mapper, and refuse what it refuses. */
import { labPerl } from './boot.ts';
import { sharedDirectory } from './lab-spec.ts';
import client from './stand-ins/client.pl';
import lvmconfig from './stand-ins/lvmconfig.sh';
import vgchange from './stand-ins/vgchange.sh';
import volumes from './stand-ins/volumes.sh';

/** Shared "disk labels": VG/tag has the host tag, VG/volumes has `name major minor`. */
export const volumeGroupDirectory = `${sharedDirectory}/volume-groups`;

export const lvmPrograms = { lvmconfig, lvs: volumes, vgchange, vgs: volumes } as const;

/** As an administrator writes it [serviceguard.md 7.1]. */
export const lvmConfiguration = `# Lab: host tags, so that a volume group is activated by its owner only
tags {
  hosttags = 1
}
`;

/** `words` come before the arguments. */
export function toolkitWrapper(nodePath: string, toolkit: string, ...words: readonly string[]): string {
  return `#!/bin/sh\nexec ${[nodePath, `${toolkit}/csync.mjs`, ...words].join(' ')} "$@"\n`;
}

/** The lab's client under the command's name. */
export const commandProgram = `#!${labPerl}
# Lab: emulated Serviceguard command.
our $sockets = '${sharedDirectory}';
${client}`;
