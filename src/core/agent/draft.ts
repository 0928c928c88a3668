// One step in the making: the state so far and the effects collected. Handlers replace `s` piece by piece; nothing
// outside the step ever sees a draft.

import type { Act, Send, Trace } from '../effects.ts';
import type { Answer, Request } from '../messages.ts';
import type { RegisterState } from '../quorum/register-state.ts';
import type { PeerId } from '../site.ts';
import type { Instant, Moment, Ms } from '../time.ts';
import type { AgentDeed } from './deeds.ts';
import type { AgentState, Pending } from './state.ts';

export type AgentDraft = {
  s: AgentState;
  readonly at: Moment;
  readonly send: Send[];
  readonly act: Act<AgentDeed>[];
  readonly trace: Trace[];
};

export function set(d: AgentDraft, change: Partial<AgentState>): void {
  d.s = { ...d.s, ...change };
}

/** Takes the next id and remembers what its answer will mean. */
function expect(d: AgentDraft, pending: Pending): number {
  const id = d.s.nextId;
  set(d, { nextId: id + 1, pending: [...d.s.pending, { ...pending, id }] });
  return id;
}

/** Takes back what an answer means; null when it is not expected (any more). */
export function take(d: AgentDraft, id: number): Pending | null {
  const found = d.s.pending.find((p) => p.id === id);
  if (found === undefined) return null;
  set(d, { pending: d.s.pending.filter((p) => p !== found) });
  return found;
}

export function ask(d: AgentDraft, to: PeerId, request: Request, pending: Pending, deadlineMs?: Ms): void {
  const id = expect(d, pending);
  d.send.push({ kind: 'ask', id, to, request, deadlineMs: deadlineMs ?? d.s.settings.peerDeadlineMs });
}

export function reply(d: AgentDraft, replyTo: number, answer: Answer): void {
  d.send.push({ kind: 'reply', replyTo, answer });
}

export function readRegister(d: AgentDraft): void {
  const id = expect(d, { kind: 'register-read', serialAtSend: d.s.register.serial });
  d.send.push({ kind: 'register-read', id, deadlineMs: d.s.settings.lease.registerLegMs });
  set(d, { registerReadAt: d.at.now });
}

export function swapRegister(
  d: AgentDraft,
  expected: string | null,
  pending: Extract<Pending, { next: RegisterState }>,
): void {
  const id = expect(d, pending);
  d.send.push({
    kind: 'register-swap',
    id,
    expected,
    next: pending.next,
    deadlineMs: d.s.settings.lease.registerLegMs,
  });
}

export function perform(
  d: AgentDraft,
  target: string,
  deed: AgentDeed,
  deadlineMs: Ms,
  notAfter: Instant | null = null,
): void {
  const id = expect(d, { kind: 'deed', deed, startedAt: d.at.now });
  d.act.push({ id, target, deed, deadlineMs, notAfter });
}

export function trace(d: AgentDraft, level: Trace['level'], event: string, fields: Trace['fields']): void {
  d.trace.push({ event, level, fields });
}

export function isPending(d: AgentDraft, test: (pending: Pending) => boolean): boolean {
  return d.s.pending.some(test);
}

export function isDoing(d: AgentDraft, kind: AgentDeed['kind'], site: string | null = null): boolean {
  return isPending(
    d,
    (p) => p.kind === 'deed' && p.deed.kind === kind && (site === null || ('site' in p.deed && p.deed.site === site)),
  );
}
