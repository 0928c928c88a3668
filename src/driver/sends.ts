// Sends: asks to peers, replies, and the two legs of the register (a CAS is a send, W2). Each but a reply comes back as
// one event.

import type { Send } from '../core/effects.ts';
import type { Answer } from '../core/messages.ts';
import { done, type Outcome, rejected, unknown } from '../core/outcome.ts';
import type { RegisterRead } from '../core/quorum/register-state.ts';
import type { Peers } from '../ports/peers.ts';
import type { Register } from '../ports/register.ts';
import { formatRegisterState, parseRegisterState } from '../wire/register-codec.ts';
import type { DriverEvent } from './events.ts';

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

  async function readRegister(deadlineMs: number): Promise<Outcome<RegisterRead>> {
    if (register === null) return noRegister;
    const outcome = await settled(() => register.read(deadlineMs));
    if (outcome.kind !== 'done') return outcome;
    const text = outcome.value;
    return done({ text, state: text === null ? 'absent' : (parseRegisterState(text) ?? 'unreadable') });
  }

  /** Done gives the text as it lies there now: what the next swap has to expect. */
  async function swapRegister(
    send: Extract<Send, { kind: 'register-swap' }>,
  ): Promise<Outcome<{ readonly text: string }>> {
    if (register === null) return noRegister;
    const text = formatRegisterState(send.next);
    const outcome = await settled(() => register.swap(send.expected, text, send.deadlineMs));
    return outcome.kind === 'done' ? done({ text }) : outcome;
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
        void settled(() => peers.ask(item.to, item.request, item.deadlineMs)).then((outcome) =>
          finish(`send:${item.request.type}`, { type: 'answer', id: item.id, outcome }),
        );
        return;
      case 'register-read':
        void readRegister(item.deadlineMs).then((outcome) =>
          finish('register-read', { type: 'register-read', id: item.id, outcome }),
        );
        return;
      case 'register-swap':
        void swapRegister(item).then((outcome) =>
          finish('register-swap', { type: 'register-swapped', id: item.id, outcome }),
        );
        return;
    }
  }

  return { send, expectReply };
}

/** A port that throws has not said what happened. */
async function settled<T>(call: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await call();
  } catch (error) {
    return unknown(String(error));
  }
}
