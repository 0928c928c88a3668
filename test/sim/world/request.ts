// A client's request on its way through balancer and instance.

import type { EpochId } from '../../../src/core/quorum/record.ts';
import type { Site } from '../../../src/core/site.ts';
import type { Micros } from '../engine/scheduler.ts';

/**
 * What the client is told. `failed`: no database can have carried it out. `in-doubt`: one may have, or will.
 */
export type RequestEnd = 'done' | 'failed' | 'in-doubt';

/** Plain and mutable: there are many of them. */
export class Request {
  readonly kind: 'write' | 'read';
  /** Number of the write; 0 for a read. */
  readonly id: number;
  readonly client: number;
  /** Whose HAProxy it went to. */
  readonly entry: Site;
  readonly startedAt: Micros;
  /** It was sent to a database once: what it answers is then in doubt at best, unless it is done. */
  touched = false;
  /** The client has its answer, or waits no more. */
  ended = false;
  /** How often HAProxy has tried an instance. */
  tries = 0;
  /** How often an instance has sent it to a database; what an earlier attempt brings is no news. */
  attempt = 0;
  sentAt: Micros = 0;
  arrivedAt: Micros = 0;
  /** Of the last attempt. */
  instance = '';
  database: Site | null = null;
  epoch: EpochId | null = null;
  /** What a read found. */
  highest = 0;

  constructor(kind: 'write' | 'read', id: number, client: number, entry: Site, startedAt: Micros) {
    this.kind = kind;
    this.id = id;
    this.client = client;
    this.entry = entry;
    this.startedAt = startedAt;
  }
}

/** The way back from an instance: an answer, or a connection that ended without one. */
export type Caller = {
  answer(request: Request, end: RequestEnd): void;
  broken(request: Request): void;
};
