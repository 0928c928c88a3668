import type { BalancerReport, EnvReport, InstanceReport, Token } from '../core/observe/observation.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Site } from '../core/site.ts';
import type { Ms } from '../core/time.ts';

/** The application hosts and database hosts through their forced SSH command (kept-open connections, pinned host keys). */
export type Hosts = {
  readEnv(site: Site, deadlineMs: Ms): Promise<Outcome<EnvReport>>;
  /** Makes `primary`'s staged file the active .env, atomically and durably, and reloads the instances. rejected('lower-token') when the host has seen a higher one (R1). */
  switchEnv(site: Site, primary: Site, token: Token, deadlineMs: Ms): Promise<Outcome<EnvReport>>;
  /** Fences the database of `site` (an old primary) up to and below the token's epoch. */
  fence(site: Site, token: Token, deadlineMs: Ms): Promise<Outcome<void>>;
  close(): Promise<void>;
};

/** The instances' readiness endpoints. */
export type Applications = {
  probe(site: Site, deadlineMs: Ms): Promise<readonly InstanceReport[]>;
};

/** HAProxy: statistics of either site's, the runtime socket of the local one. */
export type Balancer = {
  probe(site: Site, deadlineMs: Ms): Promise<BalancerReport>;
  /** Local HAProxy only. */
  set(server: string, state: 'ready' | 'drain', deadlineMs: Ms): Promise<Outcome<void>>;
};
