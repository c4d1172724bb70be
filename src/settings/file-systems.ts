interface FileSystemType {
  /** Debian package of its mkfs. */
  readonly package: string;
  /** Of mkfs, over an existing file system. */
  readonly overwrite: '-F' | '-f';
  /** For mkfs: the disk of a script test. */
  readonly leastMegabytes: number;
  /** Others check their journal at the mount. */
  readonly preened: boolean;
  /** Multiple mount protection. */
  readonly mountProtection: boolean;
  /** RENAME_EXCHANGE of renameat2(2). */
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

/** `ext2, ext3 or xfs` */
export const oneOfWords = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
