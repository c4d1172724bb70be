/** The types of file system that the policy may lie on, one row each. All that depends on the type is read from here. */

interface FileSystemType {
  /** Debian package with its mkfs. */
  readonly package: string;
  /** Option of its mkfs that overwrites what is there. */
  readonly overwrite: '-F' | '-f';
  /** What its mkfs needs at least: the disk of a conformance test. */
  readonly leastMegabytes: number;
  /** `fsck -p` runs before each mount; the other types check their journal when they are mounted. */
  readonly preened: boolean;
  /** Has multiple mount protection, a second line of defence behind the tags of the volume group. */
  readonly mountProtection: boolean;
  /** Two directories change places in one step (RENAME_EXCHANGE of renameat2(2)). */
  readonly exchanges: boolean;
}

const extended = { package: 'e2fsprogs', overwrite: '-F', leastMegabytes: 16, preened: true } as const;

export const fileSystemTypes = {
  ext2: { ...extended, mountProtection: false, exchanges: false },
  ext3: { ...extended, mountProtection: false, exchanges: true },
  ext4: { ...extended, mountProtection: true, exchanges: true },
  xfs: { package: 'xfsprogs', overwrite: '-f', leastMegabytes: 320, preened: false, mountProtection: false, exchanges: true },
  btrfs: {
    package: 'btrfs-progs',
    overwrite: '-f',
    leastMegabytes: 128,
    preened: false,
    mountProtection: false,
    exchanges: true,
  },
} as const satisfies Readonly<Record<string, FileSystemType>>;

export const fileSystemTypeNames = Object.keys(fileSystemTypes) as (keyof typeof fileSystemTypes)[];

/** Alternatives in words: `ext2, ext3 or xfs`. */
export const oneOfWords = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
