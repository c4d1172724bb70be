/** The environment of whatever runs on a lab host by hand: an administrator's profile with Serviceguard's variables. */
import { sgDirectories } from './lab-spec.ts';

/** PATH inside lab hosts; the cm* commands come first, as HP's manuals have administrators set it. */
export const hostPath = `${sgDirectories.SGSBIN}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
export const hostEnvironment = { PATH: hostPath, LC_ALL: 'C', HOME: '/root', ...sgDirectories };
