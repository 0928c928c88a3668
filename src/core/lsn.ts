// A WAL position in bytes. A number is exact up to 2^53 bytes (8 PiB of WAL), far beyond any cluster this serves.

export type Lsn = number;

/** Reads PostgreSQL's `16/B374D848`; null when it is not one. */
export function parseLsn(text: string): Lsn | null {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) return null;
  const value = Number.parseInt(match[1] ?? '', 16) * 2 ** 32 + Number.parseInt(match[2] ?? '', 16);
  return Number.isSafeInteger(value) ? value : null;
}

export function showLsn(lsn: Lsn): string {
  const high = Math.floor(lsn / 2 ** 32);
  return `${high.toString(16).toUpperCase()}/${(lsn % 2 ** 32).toString(16).toUpperCase()}`;
}
