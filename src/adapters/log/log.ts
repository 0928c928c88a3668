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
  const write: Log['event'] = (eventLevel, event, fields) =>
    logger[eventLevel]({ event, ...fields }, describeEvent(event)?.message ?? event);
  const mayWrite = createLimit((event, dropped) => write('warn', 'log.dropped', { of: event, dropped }));
  return {
    event: (eventLevel, event, fields) => {
      if (logger.isLevelEnabled(eventLevel) && mayWrite(event)) write(eventLevel, event, fields);
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

/** Whoever can bring about a line (a stranger at the peer port) can bring about any number of them. */
const linesPerWindow = 200;
const windowMs = 10_000;

/** So many lines of one event in one stretch of time; what was left out is said at the start of the next. */
function createLimit(tell: (event: string, dropped: number) => void): (event: string) => boolean {
  let began = performance.now();
  let lines = new Map<string, number>();
  return (event) => {
    if (performance.now() - began > windowMs) {
      const over = [...lines].filter(([, count]) => count > linesPerWindow);
      lines = new Map();
      began = performance.now();
      for (const [name, count] of over) tell(name, count - linesPerWindow);
    }
    const count = (lines.get(event) ?? 0) + 1;
    lines.set(event, count);
    return count <= linesPerWindow;
  };
}
