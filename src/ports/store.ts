import type { Outcome } from '../core/outcome.ts';

/**
 * One small durable document in two preallocated slots, written in turn and fsynced; the higher valid sequence counts.
 * Both damaged is `amnesia` (Q8), never an empty start.
 */
export type Store = {
  load():
    | { readonly kind: 'absent' }
    | { readonly kind: 'found'; readonly document: unknown; readonly formatVersion: number }
    | { readonly kind: 'damaged'; readonly detail: string }
    /** Nothing is known of what it holds: a permission, or the disk's error. */
    | { readonly kind: 'unreadable'; readonly detail: string };
  /** Resolves after fsync. A rejected or unknown outcome ends the process: the disk is the truth. */
  save(document: unknown): Promise<Outcome<void>>;
};
