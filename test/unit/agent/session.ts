// Drives one agent step by step, with everything frozen, and keeps what it asked for.

import type { AgentDeed, AgentDeedValue, AgentEvent } from '../../../src/core/agent/deeds.ts';
import type { AgentDurable, AgentState } from '../../../src/core/agent/state.ts';
import { agentStep } from '../../../src/core/agent/step.ts';
import type { Act, Send } from '../../../src/core/effects.ts';
import type { Answer, Order, Request } from '../../../src/core/messages.ts';
import { done, type Outcome } from '../../../src/core/outcome.ts';
import type { PeerId } from '../../../src/core/site.ts';
import { now as night, type StateBuilder } from '../agent-state.ts';
import { deepFreeze, moment } from '../core-builders.ts';

type Ask = Extract<Send, { kind: 'ask' }>;

export class Session {
  state: AgentState;
  now = night;
  /** Of the last step. */
  send: readonly Send[] = [];
  act: readonly Act<AgentDeed>[] = [];
  persist: AgentDurable | null = null;
  traces: readonly string[] = [];

  constructor({ state }: StateBuilder) {
    this.state = state;
  }

  step(event: AgentEvent): this {
    const before = this.state;
    const result = agentStep(before, deepFreeze(event), deepFreeze(moment(this.now)));
    this.state = deepFreeze(result.state);
    this.send = result.effects.send;
    this.act = result.effects.act;
    this.persist = result.effects.persist;
    this.traces = result.trace.map((line) => line.event);
    return this;
  }

  tick(ms = 0): this {
    this.now += ms;
    return this.step({ type: 'tick' });
  }

  request(from: PeerId, request: Request, ms = 0): this {
    this.now += ms;
    return this.step({ type: 'request', from, request, replyTo: 99 });
  }

  order(order: Order): this {
    return this.request('operator:ann', { type: 'order', cluster: '', order });
  }

  asked<T extends Request['type']>(type: T): (Ask & { request: Extract<Request, { type: T }> })[] {
    return this.send.filter(
      (send): send is Ask & { request: Extract<Request, { type: T }> } =>
        send.kind === 'ask' && send.request.type === type,
    );
  }

  reply(): Answer {
    const found = this.send.find((send) => send.kind === 'reply');
    if (found?.kind !== 'reply') throw new Error('it did not answer');
    return found.answer;
  }

  swap(): Extract<Send, { kind: 'register-swap' }> | undefined {
    return this.send.find((send) => send.kind === 'register-swap');
  }

  reads(): number {
    return this.send.filter((send) => send.kind === 'register-read').length;
  }

  deeds<T extends AgentDeed['kind']>(kind: T): Extract<AgentDeed, { kind: T }>[] {
    return this.act
      .map((act) => act.deed)
      .filter((deed): deed is Extract<AgentDeed, { kind: T }> => deed.kind === kind);
  }

  /** Everything asked of `kind` in the last step ends so. */
  acted(kind: AgentDeed['kind'], outcome: Outcome<AgentDeedValue>, ms = 0): this {
    const acts = this.act.filter((act) => act.deed.kind === kind);
    this.now += ms;
    for (const { id } of acts) this.step({ type: 'acted', id, outcome });
    return this;
  }

  answered(type: Request['type'], answer: Answer, ms = 0): this {
    const asks = this.asked(type);
    this.now += ms;
    for (const { id } of asks) this.step({ type: 'answer', id, outcome: done(answer) });
    return this;
  }
}
