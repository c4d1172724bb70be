/** Seconds for each step of a member script. The launcher stops a script that exceeds one. */

/** Reads files and runs commands with limits of their own. */
export const stepSeconds = 10;
/** Restarts the daemon and waits for it. */
export const daemonSeconds = 45;
/** The time of the whole script: fsck, mount, commands of the administrator. */
export const untilTheEnd = 9999;
