/** Called when a step begins; the result when it ended. */
export type BeginStep = (text: string) => (outcome: 'done' | 'failed') => void;
