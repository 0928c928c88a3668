// Two real agents, a register (exact strings, as it lies in Route 53) or a real agent witness, and two simulated guards
// on a network that loses, delays, repeats and reorders. Discrete events; true time is `now`, every machine has a clock
// of its own rate and offset. Nothing here knows a rule of the protocol but the guards' own.

import type { AgentDeed, AgentEvent } from '../../src/core/agent/deeds.ts';
import {
  type AgentDurable,
  type AgentState,
  emptyAgentDurable,
  rulesOf,
  startAgent,
} from '../../src/core/agent/state.ts';
import { agentStep } from '../../src/core/agent/step.ts';
import type { Act, Send } from '../../src/core/effects.ts';
import type { Answer, Order, Request } from '../../src/core/messages.ts';
import { done, unknown } from '../../src/core/outcome.ts';
import { type ClusterRecord, compareEpochs, epochOf } from '../../src/core/quorum/record.ts';
import { lacksMemory } from '../../src/core/quorum/rejoin.ts';
import { emptyVoterDurable, type Voter, type VoterDurable } from '../../src/core/quorum/voter.ts';
import type { WitnessKind } from '../../src/core/settings.ts';
import { guardSite, type PeerId, type Site, type VoterId, voterOf } from '../../src/core/site.ts';
import {
  emptyWitnessDurable,
  startWitness,
  type WitnessDurable,
  type WitnessState,
  witnessStep,
} from '../../src/core/witness/step.ts';
import { deepFreeze } from '../unit/core-builders.ts';
import { createGuard, type SimGuard } from './cluster-guard.ts';
import { Network } from './cluster-network.ts';
import { createRegisterModel, type RegisterModel } from './cluster-register.ts';
import { clusterSettings, foundedAt } from './cluster-settings.ts';
import { brokenInMemory, brokenOnDisk, createTwin, type Twin } from './cluster-twin.ts';
import { type Look, lookAt } from './cluster-world.ts';

export type CrashPoint = 'now' | 'before-persist' | 'after-persist' | 'after-first-send' | 'after-vote';

type Node = { rate: number; offset: number; life: number };
type AgentNode = Node & {
  state: AgentState | null;
  disk: AgentDurable;
  readonly past: AgentDurable[];
  damaged: boolean;
  crashAt: CrashPoint | null;
};
type WitnessNode = Node & {
  state: WitnessState | null;
  disk: WitnessDurable;
  readonly past: WitnessDurable[];
  damaged: boolean;
};
/** Both slots of the state file broken, no state file, or the one of some time ago (0: the first, 1: the last). */
export type Loss = 'damaged' | 'missing' | number;

function older<T>(past: readonly T[], when: number): T | undefined {
  return past[Math.floor(when * (past.length - 1))];
}

/** Whether a crash that was armed happens in this step. */
function biting(at: CrashPoint, before: Voter, after: Voter): boolean {
  if (at === 'after-vote') return before.durable.accepted !== after.durable.accepted;
  return at === 'after-first-send' || before.durable !== after.durable;
}

export class Cluster {
  readonly network: Network;
  steps = 0;
  readonly twin: Twin;
  readonly kind: WitnessKind;
  readonly agents: Record<Site, AgentNode>;
  readonly witness: WitnessNode;
  readonly guards: Record<Site, SimGuard>;
  readonly register: RegisterModel;
  readonly look: Look = { primary: { site1: 'ok', site2: 'ok' }, entry: { site1: 'ok', site2: 'ok' }, standby: 'ok' };
  readonly #settings;
  readonly #random: () => number;
  readonly #guardNodes: Record<Site, Node>;
  /** By `replyTo`; an agent may answer in a later step. */
  readonly #replies: ((answer: Answer) => void)[] = [];

  constructor(kind: WitnessKind, random: () => number) {
    this.kind = kind;
    this.#random = random;
    this.network = new Network(random);
    this.#settings = clusterSettings(kind);
    const voters: readonly VoterId[] = kind === 'none' ? ['site1', 'site2'] : ['site1', 'site2', 'witness'];
    this.twin = createTwin(foundedAt, voters);
    this.register = createRegisterModel(foundedAt, 6000, (vote) => this.twin.voted('witness', vote, this.network.now));
    const node = (): Node => ({
      rate: 1 + (random() < 0.5 ? 0 : 0.05),
      offset: Math.floor(random() * 1e6),
      life: 0,
    });
    const { cluster } = foundedAt.record;
    const vote = { ...emptyVoterDurable, cluster, promised: foundedAt.ballot, accepted: foundedAt, chosen: foundedAt };
    const disk: AgentDurable = { ...emptyAgentDurable, voter: vote, founded: true, systemId: 'one' };
    const agent = (): AgentNode => ({ ...node(), state: null, disk, past: [disk], damaged: false, crashAt: null });
    this.agents = { site1: agent(), site2: agent() };
    const blank = { ...vote, lastPrimary: null };
    this.witness = { ...node(), state: null, disk: blank, past: [blank], damaged: false };
    this.#guardNodes = { site1: node(), site2: node() };
    this.guards = { site1: this.#guard('site1'), site2: this.#guard('site2') };
    for (const site of ['site1', 'site2'] as const) {
      this.startAgent(site);
      this.#beat(site);
    }
    this.startWitness();
  }

  get now(): number {
    return this.network.now;
  }

  run(ms: number): void {
    this.network.run(ms);
  }

  startAgent(site: Site): void {
    const agent = this.agents[site];
    if (agent.state !== null) return;
    agent.life += 1;
    agent.state = deepFreeze(startAgent(site, this.#settings, agent.disk, agent.damaged, this.#clock(agent)));
    this.#agentEvent(site, agent.life, { type: 'tick' });
  }

  crashAgent(site: Site, at: CrashPoint): void {
    if (at === 'now') this.#killAgent(this.agents[site]);
    else this.agents[site].crashAt = at;
  }

  startWitness(): void {
    const { witness } = this;
    witness.life += 1;
    witness.state = startWitness(witness.disk, witness.damaged, rulesOf(this.#settings), this.#clock(witness));
  }

  /** The disk of a voter that runs again at once; or what a person does to the register. */
  loseMemory(voter: VoterId, loss: Loss): void {
    if (voter !== 'witness') {
      const agent = this.agents[voter];
      this.#killAgent(agent);
      agent.disk = (typeof loss === 'number' ? older(agent.past, loss) : null) ?? emptyAgentDurable;
      agent.damaged = loss === 'damaged';
      return this.startAgent(voter);
    }
    if (this.kind === 'route53') {
      const text =
        typeof loss === 'number' ? older(this.register.past, loss) : loss === 'damaged' ? 'siteward1 ?' : null;
      return this.register.replace(text ?? null);
    }
    const { witness } = this;
    witness.disk = (typeof loss === 'number' ? older(witness.past, loss) : null) ?? emptyWitnessDurable;
    witness.damaged = loss === 'damaged';
    this.startWitness();
  }

  /** Voters that have to rejoin, as `status` says it. */
  forgetful(): readonly VoterId[] {
    const { agents, witness, kind } = this;
    const sites = (['site1', 'site2'] as const).filter((site) => {
      const { state } = agents[site];
      return state !== null && lacksMemory(state.voter);
    });
    const out =
      kind === 'route53'
        ? Object.values(agents).some(({ state }) => state !== null && state.register.out !== null)
        : kind === 'agent' && witness.state !== null && lacksMemory(witness.state.voter);
    return out ? [...sites, 'witness'] : sites;
  }

  order(site: Site, order: Order): void {
    this.#deliver('operator:test', `${site}-agent`, { type: 'order', cluster: '', order }, () => {});
  }

  #killAgent(agent: AgentNode): void {
    agent.state = null;
    agent.crashAt = null;
    agent.life += 1;
  }

  #clock(node: Node): number {
    return Math.floor((this.network.now * node.rate + node.offset) / 10) * 10;
  }

  /** True time of a local reading. */
  #trueTime(node: Node, local: number): number {
    return (local - node.offset) / node.rate;
  }

  #bits(): string {
    return Array.from({ length: 4 }, () =>
      Math.floor(this.#random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
  }

  #ask(from: PeerId, to: PeerId, request: Request, deadlineMs: number, then: (answer: Answer | null) => void): void {
    const deliver = (answer: (answer: Answer) => void): void => this.#deliver(from, to, request, answer);
    this.network.ask(from, to, request.type, deadlineMs, deliver, then);
  }

  #deliver(from: PeerId, to: PeerId, request: Request, answer: (answer: Answer) => void): void {
    const guard = guardSite(to);
    const voter = voterOf(to);
    if (guard !== null) return answer(this.guards[guard].take(request));
    if (voter === 'witness') return this.#witnessEvent(from, request, answer);
    if (voter === null) return;
    this.#replies.push(answer);
    const replyTo = this.#replies.length - 1;
    this.#agentEvent(voter, this.agents[voter].life, { type: 'request', from, request, replyTo });
  }

  #witnessEvent(from: PeerId, request: Request, answer: (answer: Answer) => void): void {
    const { witness } = this;
    if (witness.state === null || this.kind !== 'agent') return;
    const before = witness.state;
    const moment = { now: this.#clock(witness), wall: Math.floor(this.network.now), random: this.#bits() };
    const { state, effects } = witnessStep(before, { type: 'request', from, request, replyTo: 1 }, moment);
    witness.state = deepFreeze(state);
    this.#laws(before.voter, state.voter, request.type === 'release');
    if (effects.persist !== null) {
      this.#voted('witness', witness.disk, effects.persist);
      witness.disk = effects.persist;
      witness.past.push(effects.persist);
      witness.damaged = false;
    }
    for (const send of effects.send) if (send.kind === 'reply') answer(send.answer);
  }

  #agentEvent(site: Site, life: number, event: AgentEvent): void {
    const agent = this.agents[site];
    if (agent.state === null || agent.life !== life) return;
    this.steps += 1;
    const before = agent.state;
    const moment = deepFreeze({
      now: this.#clock(agent),
      wall: 1e12 + Math.floor(this.network.now),
      random: this.#bits(),
    });
    const { state, effects, wakeAt } = agentStep(before, deepFreeze(event), moment);
    this.#laws(before.voter, state.voter, event.type === 'request' && event.request.type === 'release');
    const crash = agent.crashAt;
    const bites = crash !== null && biting(crash, before.voter, state.voter);
    if (bites && crash === 'before-persist') return this.#killAgent(agent);
    if (effects.persist !== null) {
      this.#voted(site, agent.disk.voter, effects.persist.voter);
      agent.disk = deepFreeze(effects.persist);
      agent.past.push(agent.disk);
      agent.damaged = false;
    }
    if (bites && crash === 'after-persist') return this.#killAgent(agent);
    agent.state = deepFreeze(state);
    const sends = bites && crash === 'after-first-send' ? effects.send.slice(0, 1) : effects.send;
    for (const send of sends) this.#send(site, agent.life, send);
    if (bites && (sends.length > 0 || crash === 'after-vote')) return this.#killAgent(agent);
    for (const act of effects.act) this.#act(site, agent.life, act);
    const wake = agent.state;
    this.network.after(Math.max(1, this.#trueTime(agent, wakeAt) - this.network.now), () => {
      if (agent.state === wake) this.#agentEvent(site, agent.life, { type: 'tick' });
    });
  }

  #send(site: Site, life: number, send: Send): void {
    const back = (event: AgentEvent): void => this.#agentEvent(site, life, event);
    switch (send.kind) {
      case 'reply':
        return this.#replies[send.replyTo]?.(send.answer);
      case 'ask':
        return this.#ask(`${site}-agent`, send.to, send.request, send.deadlineMs, (got) =>
          back({ type: 'answer', id: send.id, outcome: got === null ? unknown('silent') : done(got) }),
        );
      case 'register-read':
        return this.network.leg(`${site}-agent`, null, send.deadlineMs, this.register.read, (value) =>
          back({ type: 'register-read', id: send.id, outcome: value ?? unknown('silent') }),
        );
      case 'register-swap':
        return this.network.leg(
          `${site}-agent`,
          'register-swap',
          send.deadlineMs,
          () => this.register.swap(send.expected, send.next),
          (value) => back({ type: 'register-swapped', id: send.id, outcome: value ?? unknown('silent') }),
        );
    }
  }

  #act(site: Site, life: number, act: Act<AgentDeed>): void {
    const outcome = lookAt(this.look, site, act.deed, {
      chosen: this.twin.chosen().at(-1)?.record ?? foundedAt.record,
      written: this.#written(),
      position: Math.floor(this.network.now),
    });
    this.network.after(20, () => this.#agentEvent(site, life, { type: 'acted', id: act.id, outcome }));
  }

  #written(): ClusterRecord {
    const [one, two] = [this.guards.site1.noted().record, this.guards.site2.noted().record];
    return compareEpochs(epochOf(one), epochOf(two)) > 0 ? one : two;
  }

  #voted(voter: VoterId, before: VoterDurable, after: VoterDurable): void {
    this.twin.broken.push(...brokenOnDisk(before, after));
    if (after.accepted !== null && after.accepted !== before.accepted)
      this.twin.voted(voter, after.accepted, this.network.now);
    if (after.chosen !== null && after.chosen !== before.chosen) this.twin.believed(voter, after.chosen);
  }

  #laws(before: Voter, after: Voter, released: boolean): void {
    this.twin.broken.push(...brokenInMemory(before, after, released));
  }

  #guard(site: Site): SimGuard {
    const node = this.#guardNodes[site];
    return createGuard(site, foundedAt, this.#settings, {
      clock: () => this.#clock(node),
      send: (to, request, deadlineMs, then) => this.#ask(`${site}-guard`, to, request, deadlineMs, then),
      leased: (epoch, untilLocal) =>
        this.twin.leased(site, { epoch, until: this.#trueTime(node, untilLocal) }, this.network.now),
      fenced: () => this.twin.fenced(site),
      position: () => Math.floor(this.network.now),
    });
  }

  #beat(site: Site): void {
    this.guards[site].beat();
    this.network.after(this.#settings.lease.renewEveryMs, () => this.#beat(site));
  }
}
