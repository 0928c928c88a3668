// The faults that a zone can be told to show, and the record of what was asked of it.

export type Mode = {
  /** `all`, or requests a second (a bucket of the same size). */
  readonly throttle: null | 'all' | number;
  readonly delayBeforeMs: number;
  readonly delayAfterMs: number;
  readonly fail: null | 500 | 503;
  readonly priorRequest: boolean;
  readonly insyncMs: number | null;
  readonly drop: null | 'before' | 'after';
  /** The faults hold for this kind of request alone. */
  readonly only: null | 'read' | 'change';
};

export const normalMode: Mode = {
  throttle: null,
  delayBeforeMs: 0,
  delayAfterMs: 0,
  fail: null,
  priorRequest: false,
  insyncMs: null,
  drop: null,
  only: null,
};

const checks: { readonly [K in keyof Mode]: (value: unknown) => boolean } = {
  throttle: (v) => v === null || v === 'all' || isCount(v),
  delayBeforeMs: isCount,
  delayAfterMs: isCount,
  fail: (v) => v === null || v === 500 || v === 503,
  priorRequest: (v) => typeof v === 'boolean',
  insyncMs: (v) => v === null || isCount(v),
  drop: (v) => v === null || v === 'before' || v === 'after',
  only: (v) => v === null || v === 'read' || v === 'change',
};

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Throws on a key or value that is no mode: a fault that is misspelt would make a test pass for nothing. */
export function mergeMode(mode: Mode, patch: Readonly<Record<string, unknown>>): Mode {
  for (const [key, value] of Object.entries(patch)) {
    if (!(key in checks)) throw new Error(`no such mode: ${key}`);
    if (!checks[key as keyof Mode](value)) throw new Error(`mode ${key} cannot be ${JSON.stringify(value)}`);
  }
  return { ...mode, ...patch };
}

/** A token bucket. */
export class Bucket {
  readonly #perSecond: number;
  readonly #size: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, size: number, now: number) {
    this.#perSecond = perSecond;
    this.#size = size;
    this.#tokens = size;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#tokens = Math.min(this.#size, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

export type LogEntry = {
  readonly seq: number;
  readonly at: string;
  readonly zone: string | null;
  readonly action: string;
  readonly accessKey: string | null;
  /** 0: never answered. */
  readonly status: number;
  readonly error: string | null;
  readonly ms: number;
  readonly changes: readonly string[];
};

const entriesKept = 2000;

export class RequestLog {
  #entries: LogEntry[] = [];
  #seq = 0;
  readonly #counters = new Map<string, number>();

  add(entry: Omit<LogEntry, 'seq' | 'at'>): void {
    this.#seq += 1;
    this.#entries = [
      ...this.#entries.slice(1 - entriesKept),
      { seq: this.#seq, at: new Date().toISOString(), ...entry },
    ];
    const outcome = entry.error ?? (entry.status === 0 ? 'dropped' : 'ok');
    const key = `${entry.zone ?? '-'} ${entry.action} ${outcome}`;
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + 1);
  }

  since(seq: number): readonly LogEntry[] {
    return this.#entries.filter((entry) => entry.seq > seq);
  }

  /** `"ZONE ACTION OUTCOME": n`. */
  counters(): Record<string, number> {
    return Object.fromEntries([...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
