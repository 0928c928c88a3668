import { z } from 'zod';
import type { VoterView } from '../core/messages.ts';
import { accepted, ballot, ms, site } from './fields.ts';
import type { Same } from './same.ts';
import { since } from './since.ts';

/** What a voter holds: in `state` and in the answers to prepare, accept and state. */
export const voterView = z.strictObject({
  promised: ballot,
  accepted: accepted.nullable(),
  chosen: accepted.nullable(),
  bindsMs: ms,
  bindsTo: site.nullable(),
  quarantineMs: ms,
  amnesia: z.boolean(),
  longestTtlMs: since(2, ms.nullable(), null),
});

true satisfies Same<z.output<typeof voterView>, VoterView>;
