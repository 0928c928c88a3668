// One step in the making: the state so far and the effects collected. Handlers replace `s` piece by piece; nothing
// outside the step ever sees a draft.

import type { Act, Send, Trace } from '../effects.ts';
import type { Answer, Request } from '../messages.ts';
import type { PeerId } from '../site.ts';
import type { Instant, Moment, Ms } from '../time.ts';
import type { GuardDeed } from './deeds.ts';
import type { DatabaseBelief, GuardDurable, GuardState, Pending } from './state.ts';

export type GuardDraft = {
  s: GuardState;
  readonly at: Moment;
  fence: boolean;
  readonly send: Send[];
  readonly act: Act<GuardDeed>[];
  readonly trace: Trace[];
};

export function set(d: GuardDraft, change: Partial<GuardState>): void {
  d.s = { ...d.s, ...change };
}

export function setDb(d: GuardDraft, change: Partial<DatabaseBelief>): void {
  set(d, { db: { ...d.s.db, ...change } });
}

export function setDurable(d: GuardDraft, change: Partial<GuardDurable>): void {
  set(d, { durable: { ...d.s.durable, ...change } });
}

export function setDue(d: GuardDraft, change: Partial<GuardState['due']>): void {
  set(d, { due: { ...d.s.due, ...change } });
}

/** What a pending answer will mean, without when it was asked. */
type Meaning = Pending extends infer P ? (P extends Pending ? Omit<P, 'at'> : never) : never;

/** Takes the next id and remembers what its answer will mean. */
function expect(d: GuardDraft, meaning: Meaning): number {
  const id = d.s.nextId;
  const pending = { ...meaning, id, at: d.at.now } as GuardState['pending'][number];
  set(d, { nextId: id + 1, pending: [...d.s.pending, pending] });
  return id;
}

/** Takes back what an answer means; null when it is not expected (any more). */
export function take(d: GuardDraft, id: number): Pending | null {
  const found = d.s.pending.find((p) => p.id === id);
  if (found === undefined) return null;
  set(d, { pending: d.s.pending.filter((p) => p !== found) });
  return found;
}

export function ask(d: GuardDraft, to: PeerId, request: Request, meaning: Meaning, deadlineMs: Ms): void {
  const id = expect(d, meaning);
  d.send.push({ kind: 'ask', id, to, request, deadlineMs });
}

export function reply(d: GuardDraft, replyTo: number, answer: Answer): void {
  d.send.push({ kind: 'reply', replyTo, answer });
}

type Target = 'database' | 'look' | 'ask' | 'beat' | 'fuse' | 'waits';

export function perform(
  d: GuardDraft,
  target: Target,
  deed: GuardDeed,
  meaning: Meaning,
  deadlineMs: Ms,
  notAfter: Instant | null = null,
): number {
  const id = expect(d, meaning);
  d.act.push({ id, target, deed, deadlineMs, notAfter });
  return id;
}

export function trace(d: GuardDraft, level: Trace['level'], event: string, fields: Trace['fields']): void {
  d.trace.push({ event, level, fields });
}

/** Every ask and act has an outcome; one whose outcome got lost for this long is asked for again. */
const lostAfterMs: Ms = 5000;

export function isPending(d: GuardDraft, ...kinds: readonly Pending['kind'][]): boolean {
  return d.s.pending.some((p) => kinds.includes(p.kind) && d.at.now - p.at < lostAfterMs);
}
