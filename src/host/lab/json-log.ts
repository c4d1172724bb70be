/** One JSON object a line, written synchronously to survive a kill. */
import pino from 'pino';

export interface JsonLog {
  write(entry: object): void;
}

export function openJsonLog(path: string): JsonLog {
  const destination = pino.destination({ dest: path, sync: true, mode: 0o600 });
  // Without pino's level, time and base, lines begin with a comma.
  const logger = pino({ base: null, timestamp: false }, destination);
  return { write: (entry) => logger.info(entry) };
}
