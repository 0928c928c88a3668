// What the probes of the simulated cluster see: whatever a script wants each agent to see, whether true or not.

import type { AgentDeed, AgentDeedValue } from '../../src/core/agent/deeds.ts';
import type { ProbeClass } from '../../src/core/observe/observation.ts';
import { done, type Outcome, unknown } from '../../src/core/outcome.ts';
import { type ClusterRecord, epochOf } from '../../src/core/quorum/record.ts';
import type { Site } from '../../src/core/site.ts';

/** By observer. */
export type Look = {
  readonly primary: Record<Site, ProbeClass>;
  readonly entry: Record<Site, ProbeClass>;
  standby: ProbeClass;
};

export type Facts = {
  readonly chosen: ClusterRecord;
  /** The newest of which a guard knows: only guards write the row of siteward.cluster. */
  readonly written: ClusterRecord;
  readonly position: number;
};

export function lookAt(look: Look, from: Site, deed: AgentDeed, facts: Facts): Outcome<AgentDeedValue> {
  const row = { cluster: facts.written.cluster, epoch: epochOf(facts.written), beat: 0 };
  const common = { detail: '', row, systemId: 'one', timeline: 1 };
  switch (deed.kind) {
    case 'probe-primary': {
      const report = { ...common, class: look.primary[from], position: facts.position };
      return done({ kind: 'primary', report });
    }
    case 'probe-standby': {
      // While the primary is dead nothing moves at the standby.
      const received = look.primary[from] === 'ok' ? facts.position : 1;
      const report = { ...common, class: look.standby, inRecovery: true, received, replayed: received };
      return done({
        kind: 'standby',
        report: { ...report, streaming: null, primaryPosition: null },
      });
    }
    case 'probe-balancer': {
      const servers = [{ name: deed.site === 'site1' ? 'a1' : 'b1', status: 'up' as const }];
      const seen = deed.site === facts.chosen.entry ? look.entry[from] : 'ok';
      return done({ kind: 'balancer', report: { class: seen, detail: '', servers } });
    }
    case 'probe-instances': {
      const name = deed.site === 'site1' ? 'a1' : 'b1';
      const database = facts.chosen.primary === 'site1' ? '10.1.0.1' : '10.2.0.1';
      const right = { class: 'ok' as const, detail: '', ready: true, writable: true, holding: 0 };
      return done({ kind: 'instances', reports: [{ ...right, name, database, epoch: row.epoch }] });
    }
    case 'read-env':
    case 'switch-env':
    case 'fence':
    case 'set-server':
    case 'read-dns':
    case 'point-dns':
      return unknown('not part of this world');
  }
}
