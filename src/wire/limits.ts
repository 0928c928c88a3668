// Upper bounds of everything on the wire: a peer that sends more is broken or hostile, and is refused before it is
// understood.

/** One message, in bytes of UTF-8. */
export const messageBytes = 64 * 1024;

/** Characters of each kind of text. The core keeps well below; only a person's words can come near. */
export const textLimit = {
  /** Cluster name: at most 63 in the cluster file. */
  name: 64,
  fingerprint: 64,
  by: 64,
  at: 32,
  reason: 400,
  /** Sentences for people. */
  sentence: 1000,
} as const;

/** Lines of a dry run. */
export const stepsLimit = 100;

/** Longest lease that may be asked for, and longest any other duration: a day. */
export const longestMs = 86_400_000;
