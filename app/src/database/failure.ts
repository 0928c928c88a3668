// What an error of the database means for the request that met it: wait and try again (the database is failing over, or is not one to
// serve from), or fail (the statement itself is wrong). Told apart by SQLSTATE; whatever has none came from the way there.

export type UnfitReason = 'in-recovery' | 'read-only' | 'stale-epoch' | 'other-cluster';

/** The database answers, but is not one that may be served from. */
export class UnfitDatabase extends Error {
  readonly reason: UnfitReason;

  constructor(reason: UnfitReason) {
    super(`the database is not fit to serve from: ${reason}`);
    this.reason = reason;
  }
}

/** A statement was not even sent. Its own class, so that no SQLSTATE of the way there (a password refused) is taken for the statement's. */
export class NoConnection extends Error {
  constructor(cause: unknown) {
    super('no connection to the database', { cause });
  }
}

/**
 * The server has committed the write, but whether the standby has it is unknown: its wait was cancelled (PostgreSQL says so in a warning
 * only). A failover may still undo it, so it is not done; nor is it undone.
 */
export class InDoubt extends Error {
  constructor() {
    super('committed, and not known to be on the standby');
  }
}

export type WhatNow = 'fail' | 'again' | 'hold';

// 08 connection, 53 resources (disk full, too many connections), 58 I/O: the next database does better.
const HOLD_CLASSES = new Set(['08', '53', '58']);
// Read-only transaction; shut down by an administrator or by a crash, starting up, idle session ended.
const HOLD_STATES = new Set(['25006', '57P01', '57P02', '57P03', '57P05']);
// Cancelled by the server's statement_timeout: the server is well and the connection clean, only this statement was too slow (a lock).
const AGAIN_STATE = '57014';

/** What follows for a request whose statement met this error. An error on the way to a connection always means: hold. */
export function whatNow(error: unknown): WhatNow {
  if (error instanceof InDoubt) return 'again';
  const state = sqlState(error);
  if (state === AGAIN_STATE) return 'again';
  return state === null || HOLD_CLASSES.has(state.slice(0, 2)) || HOLD_STATES.has(state) ? 'hold' : 'fail';
}

/** A few words for logs and /readyz; never the error's own text, which may quote a row. */
export function reasonOf(error: unknown): string {
  if (error instanceof NoConnection) return reasonOf(error.cause);
  if (error instanceof UnfitDatabase) return error.reason;
  if (error instanceof InDoubt) return 'in-doubt';
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && code !== '') return code;
  const message = error instanceof Error ? error.message : '';
  if (/time-?out/i.test(message)) return 'timeout';
  return /terminated|closed|ended|end on the pool|not queryable/i.test(message) ? 'connection-lost' : 'unknown';
}

/** Whether a statement that met this error may have been carried out all the same. */
export function maybeDone(error: unknown): boolean {
  if (error instanceof InDoubt) return true;
  // The server said no: then it is undone. Without a word of the server nobody knows.
  return !(error instanceof NoConnection) && (sqlState(error) === null || sqlState(error)?.startsWith('57P') === true);
}

function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  // errno names (ECONNRESET, EPIPE) are letters only or longer; every SQLSTATE has five characters, a digit among them.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : null;
}
