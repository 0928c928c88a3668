// An agent in the middle of a quiet night, and small words for what may befall it: state().primaryFailed().peerAgrees().

import { type AgentState, emptyAgentDurable, startAgent, type Track, untracked } from '../../src/core/agent/state.ts';
import type { GuardStatus, PartVerdict, StateNotice, VoterView } from '../../src/core/messages.ts';
import type { InstanceReport, ProbeClass, StandbyReport } from '../../src/core/observe/observation.ts';
import type { ClusterRecord } from '../../src/core/quorum/record.ts';
import { absorbRead, unseenRegister } from '../../src/core/quorum/register.ts';
import type { Nonce } from '../../src/core/quorum/register-state.ts';
import type { WitnessKind } from '../../src/core/settings.ts';
import { otherSite, type Site } from '../../src/core/site.ts';
import {
  at,
  ballot,
  but,
  durable,
  epoch,
  guardStatus,
  moment,
  notice,
  record,
  round,
  settings,
  view,
} from './core-builders.ts';

/** Long after every quarantine, watch and cool-down. */
export const now = 1_000_000;
export const night = moment(now);

function track(verdict: PartVerdict, lastClass: string): Track {
  const answers = lastClass === 'ok' && verdict === 'failed';
  return {
    ...untracked,
    verdict,
    lastClass,
    failures: verdict === 'failed' && !answers ? 3 : 0,
    successes: answers ? 1 : 0,
    detail: '',
  };
}

export const standbyReport: StandbyReport = {
  class: 'ok',
  detail: '',
  inRecovery: true,
  received: 1000,
  replayed: 1000,
  row: { cluster: 'c-1', epoch: epoch(1), beat: 1 },
  systemId: 'one',
  timeline: 1,
  streaming: true,
  primaryPosition: null,
};

export function instance(name: string, change: Partial<InstanceReport> = {}): InstanceReport {
  const right = { class: 'ok' as const, detail: '', ready: true, database: '10.1.0.1', writable: true };
  return { name, ...right, epoch: epoch(1), holding: 0, ...change };
}

export const oldNonce: Nonce = { id: 'old', site: 'site1', round: round(1), ttlMs: 15_000 };

export class StateBuilder {
  readonly state: AgentState;

  constructor(state: AgentState) {
    this.state = state;
  }

  with(change: Partial<AgentState>): StateBuilder {
    return new StateBuilder(but(this.state, change));
  }

  remembers(change: Partial<AgentState['durable']>): StateBuilder {
    const lastPrimary = change.lastPrimary === undefined ? this.state.lastPrimary : change.lastPrimary;
    return this.with({ durable: { ...this.state.durable, ...change }, lastPrimary });
  }

  voter(change: Partial<AgentState['voter']>): StateBuilder {
    return this.with({ voter: { ...this.state.voter, ...change } });
  }

  /** Everybody holds this record, chosen at ballot 5. */
  record(change: Partial<ClusterRecord>): StateBuilder {
    const chosen = at(5, record(change));
    const known = { promised: ballot(5), accepted: chosen, chosen };
    const { voter, peer, register } = this.state;
    const held =
      register.held === null ? null : { ...register.held, state: { ...register.held.state, accepted: chosen } };
    const told = view(known);
    return this.with({
      voter: { ...voter, durable: { ...voter.durable, ...known } },
      peer: peer === null ? null : { ...peer, view: told, notice: notice({ ...peer.notice, view: told }) },
      register: { ...register, held },
    }).remembers({ learned: { epoch: { era: chosen.record.era, epoch: chosen.record.epoch }, wall: 0 } });
  }

  primary(verdict: PartVerdict, lastClass: ProbeClass = 'ok'): StateBuilder {
    return this.with({ primary: track(verdict, lastClass) });
  }

  primaryFailed(lastClass: ProbeClass = 'refused'): StateBuilder {
    return this.primary('failed', lastClass);
  }

  peerSays(verdicts: Partial<StateNotice['verdicts']>, more: Partial<StateNotice> = {}): StateBuilder {
    const { peer } = this.state;
    if (peer === null) throw new Error('there is no peer to say anything');
    const said = notice({ ...peer.notice, ...more });
    return this.with({ peer: { ...peer, notice: { ...said, verdicts: { ...said.verdicts, ...verdicts } } } });
  }

  peerAgrees(): StateBuilder {
    return this.peerSays({ primary: 'failed' });
  }

  peerView(change: Partial<VoterView>): StateBuilder {
    const { peer } = this.state;
    return peer === null ? this : this.with({ peer: { ...peer, view: { ...peer.view, ...change } } });
  }

  /** To everybody: it is lost. */
  peerSilentFor(ms: number): StateBuilder {
    return this.guardsHeardPeer(ms).peerCutFor(ms);
  }

  /** To this agent. */
  peerCutFor(ms: number): StateBuilder {
    const { peer } = this.state;
    return peer === null ? this : this.with({ peer: { ...peer, at: now - ms, noticeAt: now - ms } });
  }

  guardsHeardPeer(agoMs: number): StateBuilder {
    const unheardMs = { site1: 0, site2: 0, [otherSite(this.state.me)]: Math.max(0, agoMs - 100) };
    const { site1, site2 } = this.state.guards;
    if (site1 === null || site2 === null) return this;
    const heard = (seen: typeof site1) => ({ ...seen, value: { ...seen.value, unheardMs } });
    return this.with({ guards: { site1: heard(site1), site2: heard(site2) } });
  }

  /** Answers come, its own notices do not. */
  peerNoticeAge(ms: number): StateBuilder {
    const { peer } = this.state;
    return peer === null ? this : this.with({ peer: { ...peer, noticeAt: now - ms } });
  }

  registerSilent(): StateBuilder {
    return this.with({ register: { ...this.state.register, heardAt: now - 2001 } });
  }

  standby(change: Partial<StandbyReport>, ageMs = 100): StateBuilder {
    return this.with({ standbySeen: { at: now - ageMs, value: { ...standbyReport, ...change } } });
  }

  guard(site: Site, change: Partial<GuardStatus>, ageMs = 100): StateBuilder {
    return this.with({
      guards: { ...this.state.guards, [site]: { at: now - ageMs, value: guardStatus(site, change) } },
    });
  }

  gone(): StateBuilder {
    return this.with({ gone: { epoch: epoch(1), round: round(3), at: now } });
  }

  entry(site: Site, verdict: PartVerdict, lastClass: string): StateBuilder {
    return this.with({ entries: { ...this.state.entries, [site]: track(verdict, lastClass) } });
  }

  /** A promise of this agent to site1's guard. */
  promised(leftMs: number): StateBuilder {
    return this.voter({ promise: { site: 'site1', epoch: epoch(1), round: round(1), until: now + leftMs } });
  }
}

/** An agent, by default that of the standby's site; all is well, and everything was seen a moment ago. */
export function state(me: Site = 'site2', witness: WitnessKind = 'route53'): StateBuilder {
  const founded = { ...emptyAgentDurable, voter: durable(), founded: true, systemId: 'one' };
  const disk = {
    ...founded,
    lastPrimary: { position: 1000, epoch: epoch(1) },
    registerSerial: 4,
  };
  const started = startAgent(me, settings(witness), disk, false, 0);
  const value = { cluster: 'c-1', serial: 4, promised: ballot(1), accepted: at(1), nonce: oldNonce, position: null };
  const register = absorbRead(unseenRegister, { text: 'v4', state: value }, 0, 'c-1', 0);
  const heard = { at: now - 100, view: view(), notice: notice(), noticeAt: now - 100, tells: true };
  const seen = <T>(value: T) => ({ at: now - 100, value });
  const balancer = { class: 'ok' as const, detail: '' };
  return new StateBuilder(
    but(started, {
      saved: true,
      voter: { ...started.voter, quarantinedUntil: 0 },
      peer: me === 'site1' || otherSite(me) === 'site1' ? heard : null,
      witness: witness === 'agent' ? { ...heard, notice: null, noticeAt: null } : null,
      register: witness === 'route53' ? { ...register, heardAt: now - 500 } : unseenRegister,
      registerReadAt: now - 500,
      hearingSince: 0,
      primary: track('healthy', 'ok'),
      standby: track('healthy', 'ok'),
      entries: { site1: track('healthy', 'ok'), site2: track('healthy', 'ok') },
      servesSince: { site1: 0, site2: 0 },
      positionAt: now - 500,
      standbySeen: seen(standbyReport),
      receivedMovedAt: now - 10_000,
      guards: { site1: seen(guardStatus('site1')), site2: seen(guardStatus('site2')) },
      balancers: {
        site1: seen({
          ...balancer,
          servers: [
            { name: 'a1', status: 'up' },
            { name: 'b1', status: 'up' },
          ],
        }),
        site2: seen({
          ...balancer,
          servers: [
            { name: 'a1', status: 'up' },
            { name: 'b1', status: 'up' },
          ],
        }),
      },
      instances: { site1: seen([instance('a1')]), site2: seen([instance('b1')]) },
    }),
  );
}
