import { sgDirectories } from './lab-spec.ts';

/** The cm* commands first, as in HP's manuals. */
export const hostPath = `${sgDirectories.SGSBIN}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
export const hostEnvironment = { PATH: hostPath, LC_ALL: 'C', HOME: '/root', ...sgDirectories };
