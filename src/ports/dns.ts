import type { Outcome } from '../core/outcome.ts';
import type { Ms } from '../core/time.ts';

/** The public name of the service. */
export type Dns = {
  /** The address the name has now, from the provider's API (not through resolvers); null when there is none. */
  read(deadlineMs: Ms): Promise<Outcome<string | null>>;
  /** UPSERTs the address and returns once the change was accepted; `id` is for `inSync`. */
  point(address: string, comment: string, deadlineMs: Ms): Promise<Outcome<{ readonly id: string }>>;
  inSync(id: string, deadlineMs: Ms): Promise<Outcome<boolean>>;
};
