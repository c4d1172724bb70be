/**
 * Time limits of the steps of a member script, in seconds. The launcher stops a script that exceeds one; the whole script has its own
 * limit.
 */

/** A step that reads files and runs commands with limits of their own. */
export const stepSeconds = 10;
/** A step that restarts the daemon and waits for it. */
export const daemonSeconds = 45;
/** A step that may use the time of the whole script: fsck, mount, commands of the administrator. */
export const untilTheEnd = 9999;
