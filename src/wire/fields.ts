// The values that messages are made of. Numbers are whole and safe, texts bounded, objects strict: what is not
// described here does not get in.

import { z } from 'zod';
import { longestMs, textLimit } from './limits.ts';

export const site = z.enum(['site1', 'site2']);
export const voterId = z.enum(['site1', 'site2', 'witness']);

export const text = (limit: number) => z.string().max(limit);
export const name = z.string().min(1).max(textLimit.name);
export const fingerprint = z.string().max(textLimit.fingerprint);
export const sentence = text(textLimit.sentence);

export const counter = z.int().min(0);
export const lsn = z.int().min(0);
/** The length of a lease. */
export const leaseMs = z.int().min(1).max(longestMs);
/** Any other duration: one that has run out is 0, and a part of a millisecond counts as a whole one (the safe side). */
export const ms = z.number().overwrite((value) => Math.min(longestMs, Math.max(0, Math.ceil(value))));

export const ballot = z.strictObject({ counter, voter: voterId });
export const round = z.strictObject({ start: counter, seq: counter });
export const era = z.strictObject({ number: counter, site });
export const epochId = z.strictObject({ era, epoch: counter });
export const primaryPosition = z.strictObject({ position: lsn, epoch: epochId });

export const record = z.strictObject({
  cluster: name,
  era,
  epoch: counter,
  primary: site,
  entry: site,
  mode: z.enum(['auto', 'paused']),
  sync: z.boolean(),
  voters: fingerprint,
  by: text(textLimit.by),
  at: text(textLimit.at),
  reason: text(textLimit.reason),
});

export const accepted = z.strictObject({ ballot, record });

/** Every message of one cluster names it, and all but the voters' own notices name the voter set too. */
export const addressed = { cluster: text(textLimit.name), voters: fingerprint };
