/** Structured log to one file, a JSON object a line. Synchronous, so that it survives a kill. */
import pino from 'pino';

export interface JsonLog {
  write(entry: object): void;
}

/** Appends to `path` (0600). */
export function openJsonLog(path: string): JsonLog {
  const destination = pino.destination({ dest: path, sync: true, mode: 0o600 });
  // pino's own level stays: without level, time and base its lines begin with a comma and are not JSON.
  const logger = pino({ base: null, timestamp: false }, destination);
  return { write: (entry) => logger.info(entry) };
}
