// `siteward witness`: a third voter on any host, wired to its adapters.

import { rulesOf } from '../core/agent/state.ts';
import { viewOf } from '../core/quorum/voter.ts';
import { emptyWitnessDurable, startWitness, type WitnessEvent, witnessStep } from '../core/witness/step.ts';
import { readWitnessDurable } from '../wire/state-files.ts';
import { openBase, type RoleOptions } from './base.ts';
import { loadState, openStore, runDaemon } from './run.ts';

export async function runWitness(options: RoleOptions): Promise<void> {
  const base = openBase('witness', options);
  const { clock, metrics } = base;
  const store = await openStore(base, 'witness');
  const { durable, amnesia } = loadState(store, base.log, readWitnessDurable, emptyWitnessDurable);
  await runDaemon<ReturnType<typeof startWitness>, WitnessEvent, typeof durable, never, never>({
    base,
    step: witnessStep,
    initial: startWitness(durable, amnesia, rulesOf(base.settings), clock.now()),
    store,
    register: null,
    perform: () => Promise.reject(new Error('a witness does nothing in the world')),
    fence: null,
    measure: ({ voter }) => {
      const view = viewOf(voter, clock.now());
      metrics.set('siteward_ballot', view.promised.counter);
      metrics.set('siteward_promise_left_seconds', view.bindsMs / 1000);
      metrics.set('siteward_epoch', view.chosen?.record.epoch ?? 0);
    },
    health: ({ voter }) => ({
      ok: !voter.amnesia,
      body: { witness: true, amnesia: voter.amnesia, founded: voter.durable.cluster !== null },
    }),
    entry: () => ({ ok: false, body: { why: 'a witness is no entry' } }),
    close: () => Promise.resolve(),
  });
}
