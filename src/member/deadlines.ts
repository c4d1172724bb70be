/** Limits in seconds for each step of a member script; the launcher stops a script that exceeds one. */

/** For steps whose reads and commands have their own limits. */
export const stepSeconds = 10;
export const daemonSeconds = 45;
/** The whole script's limit: fsck, mount, commands of the administrator. */
export const untilTheEnd = 9999;
