/** Seconds for a step of a member script; the launcher stops a script that exceeds them. */

/** Its reads and commands have their own limits. */
export const stepSeconds = 10;
export const daemonSeconds = 45;
/** Only the whole script's limit: fsck, mount, commands of the administrator. */
export const untilTheEnd = 9999;
