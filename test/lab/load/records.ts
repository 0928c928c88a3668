// The lines of the journals. Times are CLOCK_MONOTONIC in ms: `s` when it was sent, `a` when the answer arrived.

export type ClientRecord =
  | { readonly k: 'start' | 'stop'; readonly a: number }
  | { readonly k: 'dns'; readonly a: number; readonly ip: string; readonly ttl: number }
  | {
      /** A write or a read of user `n`; `c` is the status of an acknowledgement, `e` the kind of a failure. */
      readonly k: 'w' | 'r';
      readonly n: string;
      readonly s: number;
      readonly a: number;
      readonly c?: number;
      readonly e?: string;
      readonly ip?: string;
      readonly r?: 1;
    };

/** Era number, epoch, timeline: what a write says about the database that made it, compared in this order. */
export type Token = readonly [number, number, number];

export type WriterRecord =
  | { readonly k: 'start'; readonly a: number; readonly st: string }
  | {
      readonly k: 'w';
      readonly st: string;
      readonly q: number;
      readonly s: number;
      readonly a: number;
      readonly t: Token;
      /** A position in the WAL: what was sent after this write's answer has one that is not below this write's end. */
      readonly l?: number;
    }
  /** A write whose end is unknown. */
  | { readonly k: 'u'; readonly q: number; readonly s: number; readonly a: number; readonly e: string }
  /** Refusals since the last such line, by code. */
  | { readonly k: 'e'; readonly a: number; readonly n: Readonly<Record<string, number>> };

export function compareTokens(a: Token, b: Token): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
