/** How long the steps of a member script may take before its launcher gives it up; seconds. The whole has limits of its own. */

/** Of a step that reads files and runs commands that have a limit of their own. */
export const stepSeconds = 10;
/** Of one that ends and starts the daemon, and waits for it: each of that has its own limit. */
export const daemonSeconds = 45;
/** Of one that works as long as the whole may take: checking, mounting, what is the administrator's own. */
export const untilTheEnd = 9999;
