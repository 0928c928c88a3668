import type { Instant } from '../core/time.ts';

/** The machine's clocks. */
export type Clock = {
  /** CLOCK_BOOTTIME in whole ms, rounded down to 10 ms; never goes back, runs on during suspend. */
  now(): Instant;
  /** ms since 1970: for people and for L1's round start only. */
  wall(): number;
  /** Calls back once when `now()` has reached `at`; returns a function that takes the call back. */
  wakeAt(at: Instant, callback: () => void): () => void;
};
/** A source of random bits. */
export type RandomSource = {
  /** 128 fresh random bits as 32 hex digits. */
  bits(): string;
};
