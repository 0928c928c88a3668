import type { ProbeClass } from '../core/observe/observation.ts';
import type { Ms } from '../core/time.ts';

export type HttpGetRequest = {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly maxBytes: number;
  readonly deadlineMs: Ms;
};

export type HttpGetAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | {
      readonly kind: 'none';
      readonly class: Extract<ProbeClass, 'refused' | 'timeout' | 'unreachable' | 'protocol'>;
      readonly detail: string;
    };

/** One plain GET on a connection of its own; never throws, answers by the deadline. */
export type HttpGet = (request: HttpGetRequest) => Promise<HttpGetAnswer>;
