// The log port over pino: JSON lines on standard output, the rest is journald's. Two locks on secrets: none is ever
// passed, and the paths below are censored besides.

import { type DestinationStream, pino } from 'pino';
import { describeEvent } from '../../catalog/events.ts';
import type { Log } from '../../ports/log.ts';

export type LogOptions = {
  readonly level: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** On every line: role, host, site, cluster. */
  readonly base: Readonly<Record<string, unknown>>;
  /** Standard output when left out. */
  readonly destination?: DestinationStream & { flushSync?(): void };
};

const secrets = ['password', 'dbpass', 'secret', 'key', 'privateKey', 'token.secret', 'authorization', 'credentials'];

/**
 * Not synchronous on purpose: a log that nobody reads must not hold up a guard (L9). What cannot be written waits in
 * memory up to a bound, then lines are lost.
 */
const waitingBytes = 1024 * 1024;

export function createLog({ level, base, destination }: LogOptions): Log {
  const out = destination ?? pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: waitingBytes });
  const logger = pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    out,
  );
  return {
    event: (eventLevel, event, fields) => {
      logger[eventLevel]({ event, ...fields }, describeEvent(event)?.message ?? event);
    },
    flush: () => {
      try {
        out.flushSync?.();
      } catch {
        // Not opened yet, or gone: there is nobody left to tell.
      }
    },
  };
}
