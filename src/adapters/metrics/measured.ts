// Ports that count and time what goes through them, for a dashboard that shows a slow link before it is a lost one.

import type { Outcome } from '../../core/outcome.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { Peers } from '../../ports/peers.ts';
import type { Register } from '../../ports/register.ts';

export function measurePeers(peers: Pick<Peers, 'ask'>, metrics: Metrics): Pick<Peers, 'ask'> {
  return {
    ask: async (to, request, deadlineMs) => {
      const began = performance.now();
      const outcome = await peers.ask(to, request, deadlineMs);
      if (outcome.kind === 'done')
        metrics.observe('siteward_ask_seconds', (performance.now() - began) / 1000, { peer: to });
      metrics.count('siteward_asks_total', { peer: to, outcome: nameOf(outcome) });
      return outcome;
    },
  };
}

export function measureRegister(register: Register, metrics: Metrics): Register {
  const counted = async <T>(access: 'read' | 'swap', call: Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const outcome = await call;
    metrics.count('siteward_register_accesses_total', { access, outcome: nameOf(outcome) });
    return outcome;
  };
  return {
    read: (deadlineMs) => counted('read', register.read(deadlineMs)),
    swap: (expected, next, deadlineMs) => counted('swap', register.swap(expected, next, deadlineMs)),
  };
}

function nameOf(outcome: Outcome<unknown>): string {
  return outcome.kind === 'rejected' ? outcome.code : outcome.kind;
}
