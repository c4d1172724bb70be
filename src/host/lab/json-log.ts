/** Structured log to one file, a JSON object a line. Synchronous: only that survives an end by signal. */
import pino from 'pino';

export interface JsonLog {
  write(entry: object): void;
}

/** Appends to `path` (0600). */
export function openJsonLog(path: string): JsonLog {
  const destination = pino.destination({ dest: path, sync: true, mode: 0o600 });
  // pino's own level stays in: without it, time and base its lines begin with a comma, and are no JSON.
  const logger = pino({ base: null, timestamp: false }, destination);
  return { write: (entry) => logger.info(entry) };
}
