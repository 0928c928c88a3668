// The agent's events and deeds: its only contact with the world.

import type { Answer, Request } from '../messages.ts';
import type {
  BalancerReport,
  DnsReport,
  EnvReport,
  InstanceReport,
  PrimaryReport,
  StandbyReport,
  Token,
} from '../observe/observation.ts';
import type { Outcome } from '../outcome.ts';
import type { RegisterRead } from '../quorum/register-state.ts';
import type { PeerId, Site } from '../site.ts';

export type AgentDeed =
  | { readonly kind: 'probe-primary'; readonly site: Site }
  | { readonly kind: 'probe-standby'; readonly site: Site }
  | { readonly kind: 'probe-balancer'; readonly site: Site }
  | { readonly kind: 'probe-instances'; readonly site: Site }
  | { readonly kind: 'read-env'; readonly site: Site }
  | { readonly kind: 'switch-env'; readonly site: Site; readonly primary: Site; readonly token: Token }
  | { readonly kind: 'fence'; readonly site: Site; readonly token: Token }
  | { readonly kind: 'set-server'; readonly server: string; readonly state: 'ready' | 'drain' }
  | { readonly kind: 'read-dns' }
  /** UPSERT, then wait for INSYNC. */
  | { readonly kind: 'point-dns'; readonly entry: Site; readonly token: Token };

export type AgentDeedValue =
  | { readonly kind: 'primary'; readonly report: PrimaryReport }
  | { readonly kind: 'standby'; readonly report: StandbyReport }
  | { readonly kind: 'balancer'; readonly report: BalancerReport }
  | { readonly kind: 'instances'; readonly reports: readonly InstanceReport[] }
  | { readonly kind: 'env'; readonly report: EnvReport }
  | { readonly kind: 'dns'; readonly report: DnsReport }
  | { readonly kind: 'plain' };

export type AgentEvent =
  | { readonly type: 'tick' }
  /** Taken up one after the other, then driven once. */
  | { readonly type: 'several'; readonly events: readonly AgentEvent[] }
  | { readonly type: 'request'; readonly from: PeerId; readonly request: Request; readonly replyTo: number }
  | { readonly type: 'answer'; readonly id: number; readonly outcome: Outcome<Answer> }
  | { readonly type: 'register-read'; readonly id: number; readonly outcome: Outcome<RegisterRead> }
  /** `text` is the value as it lies there now, for the next swap. */
  | { readonly type: 'register-swapped'; readonly id: number; readonly outcome: Outcome<{ readonly text: string }> }
  | {
      readonly type: 'acted';
      readonly id: number;
      readonly outcome: Outcome<AgentDeedValue> | { readonly kind: 'expired' } | { readonly kind: 'cancelled' };
    };
