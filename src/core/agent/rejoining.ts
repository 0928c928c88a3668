// `siteward agent rejoin`, `siteward witness rejoin` (Q8, W4, docs/decisions/0011): this agent drives another voter back to
// its memory: ticket, round, word. The voter's own part is at the end; the register's in rejoin-register.ts.

import type { Ack, Order, Rejoin, RejoinAnswer, Rejoined } from '../messages.ts';
import type { Outcome } from '../outcome.ts';
import { maxBallot, noBallot } from '../quorum/ballot.ts';
import { freshBallot, giveTicket, lacksMemory, remember, toldOf } from '../quorum/rejoin.ts';
import { soleVoterOf } from '../quorum/sole-voter.ts';
import { accept, prepare } from '../quorum/voter.ts';
import { otherSite, peerOfVoter, type VoterId } from '../site.ts';
import { bindingMs, type Ms } from '../time.ts';
import { type AgentDraft, ask, isPending, reply, set, trace } from './draft.ts';
import { heardForMs, hearsPeer, hearsWitness, highestBallot, recordOf } from './facts.ts';
import { whyNotEnd } from './half-done.ts';
import { hearChosen } from './hear.ts';
import { driveRejoinOfRegister, whyNotRegister } from './rejoin-register.ts';
import { ballotFor } from './rejoin-rounds.ts';
import type { RejoinState } from './rejoin-state.ts';
import { type Heard, type Intent, rulesOf } from './state.ts';

const tryEveryMs: Ms = 500;

// ---------------------------------------------------------------------------------------------- the order

type RejoinOrder = Extract<Order, { kind: 'rejoin' }>;

export function orderRejoin(d: AgentDraft, order: RejoinOrder, from: string, cluster: string, replyTo: number): void {
  const { voter, acceptLoss } = order;
  const answer = (ok: boolean, why: string): void => reply(d, replyTo, { type: 'ack', ok, why, steps: [] });
  const refusal = whyNotRejoin(d, voter, cluster) ?? (acceptLoss ? whyNotLose(d) : null);
  if (refusal !== null) return answer(false, refusal);
  const id = d.s.nextId;
  const rejoin: RejoinState = {
    id,
    voter,
    acceptLoss,
    startedAt: d.at.now,
    // Where the record found is another primary's, it may have to wait for the longest promise; without a witness twice.
    until: d.at.now + d.s.settings.orderTimeoutMs + 3 * bindingMs(longestKnown(d), d.s.settings.lease.drift),
    phase: 'ticket',
    due: d.at.now,
    ticket: '',
    above: noBallot,
    intent: null,
    accepted: null,
    chosen: false,
    longestTtlMs: 0,
    registerSerial: 0,
    why: '',
  };
  set(d, { nextId: id + 1, rejoin });
  trace(d, 'info', 'order.accepted', { order: 'rejoin', voter, acceptLoss, from });
  answer(true, `order ${id}`);
}

function whyNotRejoin(d: AgentDraft, voter: VoterId, cluster: string): string | null {
  const record = recordOf(d.s);
  if (lacksMemory(d.s.voter))
    return voter === d.s.me
      ? `it is given to the other agent, which has its memory: ${otherSite(d.s.me)}'s`
      : 'this agent has lost its own memory: two at once cannot be made good by a rejoin';
  if (record === null || !d.s.durable.founded) return 'the cluster is new: run `siteward init` again instead';
  if (cluster !== '' && cluster !== record.cluster)
    return `this agent serves cluster ${record.cluster}, not ${cluster}`;
  if (voter === d.s.me) return 'this agent has its memory: there is nothing to rejoin';
  if (d.s.rejoin !== null) return `a rejoin of ${nameOf(d.s.rejoin.voter)} is under way`;
  const sole = soleVoterOf(record);
  if (sole !== null && sole !== d.s.me)
    return `${sole}'s agent is the only voter of era ${record.era.number}: nobody else can vote in it (RUNBOOK, "Found the cluster anew")`;
  if (sole === null && record.voters !== d.s.settings.voters)
    return "this agent's file has another witness than the record (witness.kind, its record or host): put the file back first (Q10)";
  return voter === 'witness' ? whyNotWitness(d) : whyNotAgent(d, sole !== null);
}

/** With a witness two voters are left, which can end a half-done change by an order of its own. */
function whyNotLose({ s }: AgentDraft): string | null {
  if (soleVoterOf(recordOf(s)) !== null) return 'not needed in a forced era: give it without --accept-loss';
  return s.settings.witness === 'none'
    ? null
    : 'not needed with a witness: give it without --accept-loss; where that ends with "a half-done change of primary" see docs/RUNBOOK.md, "An agent lost its memory"';
}

function whyNotAgent(d: AgentDraft, alone: boolean): string | null {
  const { s, at } = d;
  const why = whyNotVoter(d, s.peer, otherSite(s.me));
  if (why !== null || alone) return why;
  if (s.settings.witness === 'route53' && s.register.out !== null)
    return `the witness is out too (${s.register.out}): two memories at once cannot be made good by a rejoin`;
  if (s.settings.witness !== 'agent' || hearsWitness(s, at.now)) return null;
  return s.witness?.view.amnesia === true
    ? 'the witness lost its memory too: two at once cannot be made good by a rejoin'
    : 'the witness does not answer: an agent gets its memory from both others';
}

function whyNotWitness(d: AgentDraft): string | null {
  const { s, at } = d;
  if (s.settings.witness === 'none') return 'there is no witness';
  const why = s.settings.witness === 'agent' ? whyNotVoter(d, s.witness, 'witness') : whyNotRegister(d);
  if (why !== null) return why;
  if (hearsPeer(s, at.now)) return null;
  const peer = `${otherSite(s.me)}'s agent`;
  return s.peer !== null && at.now - s.peer.at <= heardForMs && s.peer.view.amnesia
    ? `${peer} lost its memory too: two at once cannot be made good by a rejoin`
    : `${peer} does not answer: both agents are needed`;
}

function whyNotVoter(d: AgentDraft, heard: Heard | null, voter: VoterId): string | null {
  if (heard === null || d.at.now - heard.at > heardForMs) return `${nameOf(voter)} does not answer: it has to run`;
  return heard.view.amnesia ? null : `${nameOf(voter)} has its memory: there is nothing to rejoin`;
}

export function nameOf(voter: VoterId): string {
  return voter === 'witness' ? 'the witness' : `${voter}'s agent`;
}

/** L4: the longest lease that this agent knows of; a register's nonce tells of grants that it did not give itself. */
function longestKnown(d: AgentDraft): Ms {
  const nonce = d.s.register.held?.state.nonce ?? 'released';
  return Math.max(d.s.voter.durable.longestTtlMs, nonce === 'released' ? 0 : nonce.ttlMs);
}

// ---------------------------------------------------------------------------------------------- driving it

export function driveRejoin(d: AgentDraft): void {
  const { rejoin } = d.s;
  if (rejoin === null) return;
  if (d.at.now >= rejoin.until) return endRejoin(d, 'undone', whyLate(rejoin));
  const register = rejoin.voter === 'witness' && d.s.settings.witness === 'route53';
  if (register && d.s.register.out === null) return endRejoin(d, 'done', 'the register is in');
  if (d.at.now < rejoin.due) return;
  if (rejoin.phase === 'ticket') return askTicket(d, rejoin);
  if (rejoin.phase === 'word') return register ? driveRejoinOfRegister(d, rejoin) : giveWord(d, rejoin);
}

function whyLate({ phase, voter, why }: RejoinState): string {
  const late = why === '' ? 'it took too long' : why;
  return phase === 'word' ? `${late}; ${nameOf(voter)} was told the record, and may have its memory again` : late;
}

/** A change that alters nothing, at a fresh ballot, wanted from the ticket until it is chosen. */
export function rejoinIntent(d: AgentDraft): Intent | null {
  return d.s.rejoin?.phase === 'round' ? d.s.rejoin.intent : null;
}

function endRejoin(d: AgentDraft, outcome: 'done' | 'undone', why: string): void {
  const { rejoin } = d.s;
  if (rejoin === null) return;
  const what = `rejoin of ${nameOf(rejoin.voter)}`;
  if (outcome === 'done') trace(d, 'info', 'voter.rejoined', { voter: rejoin.voter });
  trace(d, outcome === 'done' ? 'info' : 'warn', 'order.ended', { order: rejoin.id, what, outcome, why });
  set(d, { rejoin: null, lastOrder: { id: rejoin.id, what, outcome, why }, due: { ...d.s.due, state: d.at.now } });
}

function askTicket(d: AgentDraft, rejoin: RejoinState): void {
  const { settings, voter, me } = d.s;
  if (isPending(d, (p) => p.kind === 'rejoin-ticket')) return;
  set(d, { rejoin: { ...rejoin, due: d.at.now + tryEveryMs } });
  const register = rejoin.voter === 'witness' && settings.witness === 'route53';
  ask(
    d,
    peerOfVoter(register ? otherSite(me) : rejoin.voter),
    {
      type: 'rejoin',
      cluster: voter.durable.cluster ?? '',
      voters: settings.voters,
      voter: rejoin.voter,
      longestTtlMs: longestKnown(d),
    },
    { kind: 'rejoin-ticket', rejoin: rejoin.id },
  );
}

export function onTicket(d: AgentDraft, id: number, outcome: Outcome<RejoinAnswer>): void {
  const { rejoin } = d.s;
  if (rejoin === null || rejoin.id !== id || rejoin.phase !== 'ticket') return;
  const wait = (why: string): void => set(d, { rejoin: { ...rejoin, why } });
  if (outcome.kind !== 'done') return wait(`${nameOf(rejoin.voter)}: ${outcome.detail}`);
  const { ok, why, ticket, promised, waitMs, longestTtlMs, registerSerial } = outcome.value;
  // It has its memory, is of another cluster, or is one of two that lost theirs: waiting changes none of this.
  if (!ok) return endRejoin(d, 'undone', why);
  const alone = d.s.settings.witness === 'none' && soleVoterOf(recordOf(d.s)) === null;
  if (alone && waitMs > 0) return wait(`what it may have promised binds it for ${waitMs} ms more`);
  const intent: Intent = {
    kind: 'rejoin',
    voter: rejoin.voter,
    atLeast: freshBallot(maxBallot(maxBallot(highestBallot(d.s), promised), rejoin.above), d.s.me),
    reason: `rejoin of ${nameOf(rejoin.voter)}`,
  };
  const asked = { ...rejoin, ticket, intent, longestTtlMs, registerSerial, phase: 'round' as const, why: '' };
  set(d, { rejoin: asked });
  if (alone) repeatOwnVote(d, asked, intent);
}

/** Q8: without a witness the other agent alone, which accepted every chosen record, at a ballot that nobody has seen. */
function repeatOwnVote(d: AgentDraft, rejoin: RejoinState, intent: Intent): void {
  const { cluster, accepted } = d.s.voter.durable;
  if (cluster === null || accepted === null) return;
  // What it repeats becomes the chosen one.
  const unfit = whyNotEnd(d, accepted, null, rejoin.acceptLoss ? 'loss' : 'nothing');
  if (unfit !== null) return endRejoin(d, 'undone', unfit);
  const rules = rulesOf(d.s.settings);
  const message = { cluster, voters: d.s.settings.voters, ballot: ballotFor(d, intent) };
  const promised = prepare(d.s.voter, { type: 'prepare', ...message }, rules);
  const voted = accept(promised.voter, { type: 'accept', ...message, record: accepted.record }, rules, d.at.now);
  if (promised.refusal !== null || voted.refusal !== null) return;
  const mine = { ballot: message.ballot, record: accepted.record };
  set(d, { voter: voted.voter, rejoin: { ...rejoin, phase: 'word', due: d.at.now, accepted: mine, chosen: false } });
}

function giveWord(d: AgentDraft, rejoin: RejoinState): void {
  const { settings, voter } = d.s;
  if (rejoin.accepted === null || isPending(d, (p) => p.kind === 'rejoin-word')) return;
  set(d, { rejoin: { ...rejoin, due: d.at.now + tryEveryMs } });
  ask(
    d,
    peerOfVoter(rejoin.voter),
    {
      type: 'rejoined',
      cluster: voter.durable.cluster ?? '',
      voters: settings.voters,
      ticket: rejoin.ticket,
      accepted: rejoin.accepted,
      chosen: rejoin.chosen,
      registerSerial: d.s.register.serial,
    },
    { kind: 'rejoin-word', rejoin: rejoin.id },
  );
}

export function onWordAnswer(d: AgentDraft, id: number, outcome: Outcome<Ack>): void {
  const { rejoin } = d.s;
  // Unknown: it is said again, and who has taken it says so.
  if (rejoin === null || rejoin.id !== id || rejoin.phase !== 'word' || outcome.kind !== 'done') return;
  const { ok, why } = outcome.value;
  if (ok) return endRejoin(d, 'done', '');
  // It restarted, or another one asked: what was accepted for the old ticket may be older than what it forgot since.
  set(d, { rejoin: { ...rejoin, phase: 'ticket', ticket: '', why } });
}

// ---------------------------------------------------------------------------------------------- the voter's own part

export function onRejoin(d: AgentDraft, message: Rejoin, replyTo: number): void {
  const rules = rulesOf(d.s.settings);
  if (message.voter === d.s.me) {
    const { voter, answer } = giveTicket(d.s.voter, message, rules, d.at.random, d.at.now);
    set(d, { voter });
    return reply(d, replyTo, answer);
  }
  // W4 needs both agents.
  const assents =
    message.voter === 'witness' && !lacksMemory(d.s.voter) && message.cluster === d.s.voter.durable.cluster;
  reply(d, replyTo, {
    type: 'rejoin-answer',
    ok: assents,
    why: assents ? '' : `${nameOf(d.s.me)} lost its memory: both agents are needed`,
    ticket: '',
    registerSerial: d.s.register.serial,
    ...toldOf(d.s.voter, d.at.now),
    waitMs: 0,
    longestTtlMs: longestKnown(d),
  });
}

export function onRejoined(d: AgentDraft, from: VoterId, message: Rejoined, replyTo: number): void {
  const { voter, why } = remember(d.s.voter, message, rulesOf(d.s.settings), d.at.now);
  if (voter !== d.s.voter) {
    const { ballot } = message.accepted;
    const { durable, register } = d.s;
    set(d, {
      voter,
      proposal: null,
      durable: {
        ...durable,
        founded: true,
        seen: { ...durable.seen, [from]: maxBallot(durable.seen[from] ?? noBallot, ballot) },
        votes: { ...durable.votes, [from]: maxBallot(durable.votes[from] ?? noBallot, ballot) },
        registerSerial: Math.max(durable.registerSerial, message.registerSerial),
      },
      register: { ...register, serial: Math.max(register.serial, message.registerSerial) },
      due: { ...d.s.due, state: d.at.now },
    });
    hearChosen(d, message.accepted, `rejoined by ${from}`);
    trace(d, 'warn', 'voter.remembers', { ballot: ballot.counter, quarantineMs: voter.quarantinedUntil - d.at.now });
  }
  reply(d, replyTo, { type: 'ack', ok: why === null, why: why ?? '', steps: [] });
}
