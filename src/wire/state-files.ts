// Schemas of the state files: what a daemon finds on its own disk is bytes like any other. What does not fit is damage,
// and a voter with damaged state does not vote (Q8).

import { z } from 'zod';
import type { AgentDurable } from '../core/agent/state.ts';
import type { GuardDurable } from '../core/guard/state.ts';
import type { VoterDurable } from '../core/quorum/voter.ts';
import type { WitnessDurable } from '../core/witness/step.ts';
import { accepted, ballot, counter, epochId, ms, primaryPosition, text } from './fields.ts';
import type { Same } from './same.ts';
import { tolerant } from './since.ts';

export const voterDurable = z.strictObject({
  cluster: text(200).nullable(),
  promised: ballot,
  accepted: accepted.nullable(),
  chosen: accepted.nullable(),
  longestTtlMs: ms,
  forgot: z.boolean(),
});
true satisfies Same<z.infer<typeof voterDurable>, VoterDurable>;

// A file of a version that was not told positions has none.
export const witnessDurable = voterDurable.extend({ lastPrimary: primaryPosition.nullable().default(null) });
true satisfies Same<z.infer<typeof witnessDurable>, WitnessDurable>;

const ballots = z.strictObject({ site1: ballot.optional(), site2: ballot.optional(), witness: ballot.optional() });

export const agentDurable = z.strictObject({
  voter: voterDurable,
  seen: ballots,
  // A file of a version that did not remember votes has none.
  votes: ballots.default({}),
  registerSerial: counter,
  lastPrimary: primaryPosition.nullable(),
  // A file of a version that did not note it has none.
  standbyPeak: primaryPosition.nullable().default(null),
  learned: z.strictObject({ epoch: epochId, wall: z.number() }).nullable(),
  entryMoved: z.number(),
  systemId: text(40).nullable(),
  founded: z.boolean(),
});

export const guardDurable = z.strictObject({
  cluster: text(200).nullable(),
  noted: epochId.nullable(),
  chosen: accepted.nullable(),
  roundStart: counter,
  ranIn: epochId.nullable(),
  beatenIn: epochId.nullable(),
  heldFirstLease: z.boolean(),
  longestTtlMs: ms,
  // A file of a version that knew no zero-loss mode has none: its database waited for nobody.
  waits: z.boolean().default(false),
  // A file of a version that did not note it has none.
  failsafeOf: primaryPosition.nullable().default(null),
});
true satisfies Same<z.infer<typeof guardDurable>, GuardDurable>;

/**
 * The format that is written. It grows only when an older daemon that passes over what it does not know would do harm:
 * then it must not read the file. A new key for which it does none has a default, and stays out of the file as long as
 * it has that value; so a downgrade by one version finds what it can read (docs/decisions/0008).
 */
export const stateFormat = 1;

export function isReadableFormat(format: number): boolean {
  return format >= 1 && format <= stateFormat;
}

const schemas = { agent: agentDurable, witness: witnessDurable, guard: guardDurable };
const readers = {
  agent: tolerant(agentDurable),
  witness: tolerant(witnessDurable),
  guard: tolerant(guardDurable),
};

/** What is written for a durable state: without the keys that have their default. */
export function stateDocument(role: 'agent' | 'guard' | 'witness', durable: unknown): unknown {
  return withoutDefaults(schemas[role], durable);
}

export function readAgentDurable(document: unknown): AgentDurable | null {
  const parsed = readers.agent.safeParse(document);
  return parsed.success ? (parsed.data as AgentDurable) : null;
}

export function readWitnessDurable(document: unknown): WitnessDurable | null {
  const parsed = readers.witness.safeParse(document);
  return parsed.success ? parsed.data : null;
}

export function readGuardDurable(document: unknown): GuardDurable | null {
  const parsed = readers.guard.safeParse(document);
  return parsed.success ? parsed.data : null;
}

function withoutDefaults(schema: z.core.$ZodType, value: unknown): unknown {
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null) return value;
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const kept = Object.entries(value).flatMap(([key, inner]) => {
    const field = shape[key];
    if (field === undefined) return [[key, inner]];
    if (field instanceof z.ZodDefault && JSON.stringify(field.def.defaultValue) === JSON.stringify(inner)) return [];
    return [[key, withoutDefaults(field, inner)]];
  });
  return Object.fromEntries(kept);
}
