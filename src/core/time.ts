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

/** ISO 8601 in UTC from ms since 1970, without `Date`, which the core may not use. For people only. */
export function isoTime(wall: number): string {
  const days = Math.floor(wall / 86_400_000);
  const ms = wall - days * 86_400_000;
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  const clock = `${pad(Math.floor(ms / 3_600_000))}:${pad(Math.floor(ms / 60_000) % 60)}:${pad(Math.floor(ms / 1000) % 60)}`;
  // Days to a civil date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"): eras of 400 years from March.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const day = shifted - era * 146_097;
  const year = Math.floor((day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const date = dayOfYear - Math.floor((153 * march + 2) / 5) + 1;
  return `${year + era * 400 + (month <= 2 ? 1 : 0)}-${pad(month)}-${pad(date)}T${clock}.${pad(ms % 1000, 3)}Z`;
}
