/**
 * Durations ("750ms", "6s", "5m") and sizes ("16MiB") as people write them, and the plain numbers that code computes
 * with. Bare numbers are refused: nobody should have to guess whether 30 means seconds or milliseconds.
 */
export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
export const SIZE_PATTERN = /^(\d+)(B|KiB|MiB|GiB)$/;

const MS_PER = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const BYTES_PER = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** Milliseconds, or undefined when the text is no duration or no whole number of milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * MS_PER[match[2] as keyof typeof MS_PER];
  const whole = Math.round(ms);
  // 0.4 * 1000 is exact enough, 0.0004s is not a number of milliseconds at all.
  return Math.abs(ms - whole) < 1e-6 && Number.isSafeInteger(whole) ? whole : undefined;
}

/** Bytes, or undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = SIZE_PATTERN.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * BYTES_PER[match[2] as keyof typeof BYTES_PER];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The largest unit that keeps the number readable: 5m, 6s, 0.75s, 40ms. */
export function formatDuration(ms: number): string {
  if (ms !== 0 && ms % MS_PER.h === 0) return `${ms / MS_PER.h}h`;
  if (ms >= 2 * MS_PER.m && ms % MS_PER.m === 0) return `${ms / MS_PER.m}m`;
  if (Math.abs(ms) >= 100) return `${Number((ms / 1000).toFixed(3))}s`;
  return `${ms}ms`;
}

export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes >= BYTES_PER[unit] && bytes % BYTES_PER[unit] === 0) return `${bytes / BYTES_PER[unit]}${unit}`;
  }
  return `${bytes}B`;
}
