/** Is called when a step begins; what it returns is called when the step ended. */
export type BeginStep = (text: string) => (outcome: 'done' | 'failed') => void;
