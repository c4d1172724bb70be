/** The long run and the short one: what `npm run every-step` has whole, `npm test` samples. */

/** `npm run every-step`: what is sampled otherwise is gone through whole, and what is measured is measured often. */
export const everyStep = process.env.CSYNC_EVERY_STEP !== undefined;

/** Ends the name of a test that only the long run has, so that the closing lines of `npm test` can count these by themselves. */
export const longMark = ' (npm run every-step)';
