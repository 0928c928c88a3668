// Sends: asks to peers, replies, and the two legs of the register (a CAS is a send, W2). Each but a reply comes back as
// one event.

import type { Send } from '../core/effects.ts';
import type { Answer } from '../core/messages.ts';
import { done, type Outcome, rejected } from '../core/outcome.ts';
import type { RegisterRead } from '../core/quorum/register-state.ts';
import type { Ms } from '../core/time.ts';
import type { Peers } from '../ports/peers.ts';
import type { Register } from '../ports/register.ts';
import { formatRegisterState, parseRegisterState } from '../wire/register-codec.ts';
import type { DriverEvent } from './events.ts';
import { outcomeOf } from './outcome-of.ts';

type SendEvent = Extract<DriverEvent<never>, { type: 'answer' | 'register-read' | 'register-swapped' }>;

export type SendsOptions = {
  readonly peers: Pick<Peers, 'ask'>;
  readonly register: Register | null;
  readonly report: (event: SendEvent) => void;
  readonly afterEffect: (name: string) => void;
};

export type Sends = {
  send(send: Send): void;
  /** Keeps the way back to whoever asked; returns the number that the core replies to. */
  expectReply(reply: (answer: Answer) => void): number;
};

/** Requests that the core never answers time out at the server; their way back must not be kept for ever. */
const repliesLimit = 512;

const noRegister = rejected('no-register', 'this cluster has no register');

export function createSends({ peers, register, report, afterEffect }: SendsOptions): Sends {
  const replies = new Map<number, (answer: Answer) => void>();
  let lastReply = 0;

  function expectReply(reply: (answer: Answer) => void): number {
    lastReply += 1;
    replies.set(lastReply, reply);
    const oldest = replies.size > repliesLimit ? replies.keys().next().value : undefined;
    if (oldest !== undefined) replies.delete(oldest);
    return lastReply;
  }

  function readRegister(deadlineMs: Ms, take: (outcome: Outcome<RegisterRead>) => void): void {
    if (register === null) return take(noRegister);
    const read = (outcome: Outcome<string | null>): void => {
      if (outcome.kind !== 'done') return take(outcome);
      const text = outcome.value;
      // In quiet times it says the same again and again.
      if (text !== lastRead.text) lastRead = { text, state: text === null ? 'absent' : readText(text) };
      take(done(lastRead));
    };
    outcomeOf(() => register.read(deadlineMs), read);
  }
  let lastRead: RegisterRead = { text: null, state: 'absent' };

  /** Done gives the text as it lies there now: what the next swap has to expect. */
  function swapRegister(
    send: Extract<Send, { kind: 'register-swap' }>,
    take: (outcome: Outcome<{ readonly text: string }>) => void,
  ): void {
    if (register === null) return take(noRegister);
    const text = formatRegisterState(send.next);
    const swapped = (outcome: Outcome<void>): void => take(outcome.kind === 'done' ? done({ text }) : outcome);
    outcomeOf(() => register.swap(send.expected, text, send.deadlineMs), swapped);
  }

  function send(item: Send): void {
    const finish = (name: string, event: SendEvent) => {
      afterEffect(name);
      report(event);
    };
    switch (item.kind) {
      case 'reply': {
        replies.get(item.replyTo)?.(item.answer);
        replies.delete(item.replyTo);
        afterEffect(`reply:${item.answer.type}`);
        return;
      }
      case 'ask':
        outcomeOf(
          () => peers.ask(item.to, item.request, item.deadlineMs),
          (outcome) => finish(`send:${item.request.type}`, { type: 'answer', id: item.id, outcome }),
        );
        return;
      case 'register-read':
        readRegister(item.deadlineMs, (outcome) =>
          finish('register-read', { type: 'register-read', id: item.id, outcome }),
        );
        return;
      case 'register-swap':
        swapRegister(item, (outcome) => finish('register-swap', { type: 'register-swapped', id: item.id, outcome }));
        return;
    }
  }

  return { send, expectReply };
}

function readText(text: string): RegisterRead['state'] {
  return parseRegisterState(text) ?? 'unreadable';
}
