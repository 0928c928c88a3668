// An agent witness: a third voter on a machine of its own.

import { rulesOf } from '../../../src/core/agent/state.ts';
import type { Settings } from '../../../src/core/settings.ts';
import {
  emptyWitnessDurable,
  startWitness,
  type WitnessDurable,
  type WitnessEvent,
  type WitnessState,
  witnessStep,
} from '../../../src/core/witness/step.ts';
import { readWitnessDurable } from '../../../src/wire/state-files.ts';
import type { Start, Wiring } from './daemon.ts';

export type WitnessWiring = Wiring<WitnessState, WitnessEvent, WitnessDurable, never, never>;

export function wireWitness(settings: () => Settings): (start: Start) => WitnessWiring {
  return ({ clock, load }) => {
    const found = load();
    const durable = found.kind === 'found' ? readWitnessDurable(found.document) : null;
    const amnesia = found.kind !== 'absent' && durable === null;
    return {
      step: witnessStep,
      initial: startWitness(durable ?? emptyWitnessDurable, amnesia, rulesOf(settings()), clock.now()),
      perform: () => Promise.reject(new Error('a witness does nothing in the world')),
      register: null,
      fence: null,
    };
  };
}
