// The register as it lies in Route 53: one string and a compare-and-swap of exact strings, nothing else (W1, W2).

import { done, type Outcome, rejected } from '../../src/core/outcome.ts';
import type { Accepted } from '../../src/core/quorum/record.ts';
import type { RegisterRead, RegisterState } from '../../src/core/quorum/register-state.ts';
import { formatRegisterState, parseRegisterState } from '../../src/wire/register-codec.ts';

export type RegisterModel = {
  readonly read: () => Outcome<RegisterRead>;
  readonly swap: (expected: string | null, next: RegisterState) => Outcome<{ text: string }>;
  /** A person deletes the record, or puts another text in its place. */
  readonly replace: (text: string | null) => void;
  /** Every text that was ever there. */
  readonly past: readonly string[];
};

/** `onVote` is told of each record that is in it for the first time. */
export function createRegisterModel(founded: Accepted, ttlMs: number, onVote: (vote: Accepted) => void): RegisterModel {
  const nonce = { id: 'founded', site: founded.record.primary, round: { start: 0, seq: 0 }, ttlMs };
  let text: string | null = formatRegisterState({
    cluster: founded.record.cluster,
    serial: 1,
    promised: founded.ballot,
    accepted: founded,
    nonce,
    position: null,
  });
  const past = [text];
  return {
    past,
    replace: (other) => {
      text = other;
    },
    read: () => done({ text, state: text === null ? 'absent' : (parseRegisterState(text) ?? 'unreadable') }),
    swap: (expected, next) => {
      if (expected !== text) return rejected('conflict', 'the old value is another one');
      text = formatRegisterState(next);
      past.push(text);
      onVote(next.accepted);
      return done({ text });
    },
  };
}
