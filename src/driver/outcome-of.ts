// The one outcome of a call of a port: what it resolves to, and `unknown` of one that throws, which has not said what
// happened.

import { type Outcome, unknown } from '../core/outcome.ts';

export function outcomeOf<T>(call: () => Promise<Outcome<T>>, take: (outcome: Outcome<T>) => void): void {
  const failed = (error: unknown): void => take(unknown(String(error)));
  try {
    void call().then(take, failed);
  } catch (error) {
    failed(error);
  }
}
