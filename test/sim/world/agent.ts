// An agent: the production core and deeds over simulated adapters.

import type { ClusterConfig } from '../../../src/config/cluster.ts';
import type { AgentDeed, AgentDeedValue, AgentEvent } from '../../../src/core/agent/deeds.ts';
import { type AgentDurable, type AgentState, emptyAgentDurable, startAgent } from '../../../src/core/agent/state.ts';
import { agentStep } from '../../../src/core/agent/step.ts';
import type { Settings } from '../../../src/core/settings.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Register } from '../../../src/ports/register.ts';
import { type AgentAdapters, agentDeeds } from '../../../src/roles/agent-deeds.ts';
import { readAgentDurable } from '../../../src/wire/state-files.ts';
import { milli } from '../engine/scheduler.ts';
import type { Start, Wiring } from './daemon.ts';
import type { Process } from './process.ts';

export type AgentWorld = {
  readonly config: () => ClusterConfig;
  readonly settings: () => Settings;
  readonly adapters: (process: Process) => Omit<AgentAdapters, 'pause'>;
  readonly register: ((process: Process) => Register) | null;
};

export type AgentWiring = Wiring<AgentState, AgentEvent, AgentDurable, AgentDeed, AgentDeedValue>;

export function wireAgent(site: Site, world: AgentWorld): (start: Start) => AgentWiring {
  return ({ process, clock, load }) => {
    const found = load();
    const durable = found.kind === 'found' ? readAgentDurable(found.document) : null;
    // Q8: absent is a new voter; damaged, or of a form that is not ours, is amnesia.
    const amnesia = found.kind !== 'absent' && durable === null;
    return {
      step: agentStep,
      initial: startAgent(site, world.settings(), durable ?? emptyAgentDurable, amnesia, clock.now()),
      perform: agentDeeds(world.config(), {
        ...world.adapters(process),
        pause: (ms) => process.later(ms * milli, () => undefined),
      }),
      register: world.register?.(process) ?? null,
      fence: null,
    };
  };
}
