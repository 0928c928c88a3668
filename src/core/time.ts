// Time as the core sees it. `Instant` is a reading of this machine's CLOCK_BOOTTIME in whole milliseconds (it runs on
// during suspend, protocol.md "Who may write"), rounded down to the clock's grain. It is never sent to another machine
// and never compared with another machine's reading. `Ms` is a duration in milliseconds.

export type Instant = number;
export type Ms = number;

/** /proc/uptime and os.uptime() advance in steps of 10 ms, so a reading may be up to this much too low. */
export const clockGrainMs: Ms = 10;

/** What every step is given, read before the step began and after its event arrived: the safe side for L1, L3 and L6. */
export type Moment = {
  readonly now: Instant;
  /** Wall clock in ms since 1970, for people and for L1's round start only. */
  readonly wall: number;
  /** 128 fresh random bits as 32 hex digits, for nonces and jitter. */
  readonly random: string;
};

/** L3, L4, L6: how long a grant of `ttlMs` binds its giver, whose clock may run faster than the holder's by `drift`. */
export function bindingMs(ttlMs: Ms, drift: number): Ms {
  return Math.ceil(ttlMs * (1 + drift)) + clockGrainMs;
}

/** A whole number from 0 to below `limit`, taken from the step's random bits; `salt` picks independent draws. */
export function draw(random: string, limit: number, salt = 0): number {
  const start = (salt * 8) % 24;
  return limit <= 0 ? 0 : Number.parseInt(random.slice(start, start + 8), 16) % limit;
}
