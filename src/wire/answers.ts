// Schemas of every answer of core/messages.ts; the compiler checks that both say the same.

import { z } from 'zod';
import type { Answer } from '../core/messages.ts';
import {
  accepted,
  ballot,
  counter,
  epochId,
  lsn,
  ms,
  primaryPosition,
  round,
  sentence,
  text,
  voterId,
} from './fields.ts';
import { stepsLimit, textLimit } from './limits.ts';
import type { Same } from './same.ts';
import { since } from './since.ts';
import { voterView } from './views.ts';

const refusal = z
  .enum([
    'other-cluster',
    'other-voters',
    'amnesia',
    'not-bootstrapped',
    'not-accepted',
    'not-known',
    'later-known',
    'released',
    'old-round',
    'refusing',
    'order',
    'promised-more',
    'not-free',
    'not-granted',
    'register',
    'busy',
  ])
  .nullable();

const guardAnswer = z.strictObject({
  type: z.literal('guard-answer'),
  granted: voterId.nullable(),
  refusal,
  grantedFor: since(2, z.strictObject({ voter: voterId, ttlMs: ms }).nullable(), null),
  round: round.nullable(),
  chosen: accepted.nullable(),
  standby: z.strictObject({ mayTakeOver: z.boolean(), why: sentence, received: lsn.nullable(), ageMs: ms }),
  refusing: z.boolean(),
  hearsPeer: z.boolean(),
});
const promise = z.strictObject({ type: z.literal('promise'), promised: z.boolean(), refusal, view: voterView });
const acceptAnswer = z.strictObject({ type: z.literal('accepted'), accepted: z.boolean(), refusal, view: voterView });
const view = z.strictObject({
  type: z.literal('view'),
  view: voterView,
  lastPrimary: since(2, z.union([primaryPosition, z.literal('unsaid')]).nullable(), 'unsaid'),
});
const failsafe = z.strictObject({
  type: z.literal('failsafe-answer'),
  promised: z.boolean(),
  round,
  noted: epochId.nullable(),
  why: sentence,
});
const syncAnswer = since(
  2,
  z.strictObject({
    type: z.literal('sync-answer'),
    ok: z.boolean(),
    why: sentence,
    chosen: accepted.nullable(),
    ask: round,
  }),
);
const rejoinAnswer = since(
  2,
  z.strictObject({
    type: z.literal('rejoin-answer'),
    ok: z.boolean(),
    why: sentence,
    ticket: text(textLimit.name),
    promised: ballot,
    waitMs: ms,
    longestTtlMs: ms,
    registerSerial: counter,
  }),
);
const ack = z.strictObject({
  type: z.literal('ack'),
  ok: z.boolean(),
  why: sentence,
  steps: z.array(sentence).max(stepsLimit),
});
/** Made by the role for people and scripts: bounded by the size of a message only. */
const status = z.strictObject({
  type: z.literal('status-answer'),
  status: z.unknown().refine((value): boolean => value !== undefined, 'is missing'),
});

export const answer = z.discriminatedUnion('type', [
  guardAnswer,
  promise,
  acceptAnswer,
  view,
  failsafe,
  syncAnswer,
  rejoinAnswer,
  ack,
  status,
]);

true satisfies Same<z.output<typeof answer>, Answer>;
