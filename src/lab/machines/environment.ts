/** The environment of commands that are run by hand on a lab host: an administrator's profile with Serviceguard's variables. */
import { sgDirectories } from './lab-spec.ts';

/** PATH inside lab hosts; the cm* commands come first, as in HP's manuals. */
export const hostPath = `${sgDirectories.SGSBIN}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
export const hostEnvironment = { PATH: hostPath, LC_ALL: 'C', HOME: '/root', ...sgDirectories };
