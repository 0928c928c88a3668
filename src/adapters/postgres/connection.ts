// One connection to PostgreSQL that can never hang or leak: every wait is bounded by a timer that destroys the socket.
// pg's own time-outs are not used: query_timeout leaves a half-read connection open, and a postmaster that is stopped
// (SIGSTOP) still completes the TCP handshake, so only a bound over all steps together holds.

import pg from 'pg';
import type { Ms } from '../../core/time.ts';
import { ConnectionFault, type Phase } from './classify.ts';
import { ScreenedSocket } from './screened-socket.ts';

export type Target = {
  /** IP address, or the directory of the Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string | null;
  readonly applicationName: string;
};

export type Row = Readonly<Record<string, unknown>>;

export type Connection = {
  /** Where an error of the last step came from. */
  phase(): Phase;
  setPhase(phase: Phase): void;
  /** A simple or parametrised query; the rows of its last statement with rows. Throws; destroys the socket at the deadline. */
  query(text: string, values: readonly (string | number)[], deadlineMs: Ms): Promise<readonly Row[]>;
  /** Rows of each statement of a simple query. */
  script(text: string, deadlineMs: Ms): Promise<readonly (readonly Row[])[]>;
  /** Warnings of the server so far, its notices left out: V8 counts them around a commit. */
  warnings(): number;
  usable(): boolean;
  /** Says goodbye and is gone soon after; never waits. */
  close(): void;
  destroy(): void;
};

/** How long a goodbye may take before the socket is taken away. */
const goodbyeMs: Ms = 200;

export async function connect(target: Target, statementTimeoutMs: Ms, deadlineMs: Ms): Promise<Connection> {
  const socket = new ScreenedSocket();
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    ...(target.password === null ? {} : { password: target.password }),
    ssl: false,
    application_name: target.applicationName,
    statement_timeout: Math.max(1, Math.floor(statementTimeoutMs)),
    // V1: a commit of ours never waits for a standby. Given at start-up, so it costs no round trip.
    options: '-c synchronous_commit=local',
    stream: () => socket,
  });
  let phase: Phase = 'connect';
  let usable = false;
  socket.once('connect', () => {
    phase = 'login';
  });
  // Without a listener an error between two queries would end the process.
  client.on('error', () => {
    usable = false;
    socket.destroy();
  });
  client.on('end', () => {
    usable = false;
  });

  let warnings = 0;
  client.on('notice', (notice) => {
    // Class 01; texts and severities are translated.
    if (notice.code?.startsWith('01') === true) warnings += 1;
  });

  const bounded = async <T>(work: Promise<T>, limitMs: Ms): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          usable = false;
          reject(new ConnectionFault('deadline', `no answer within ${Math.round(limitMs)} ms (${phase})`));
          socket.destroy();
        },
        Math.max(0, limitMs),
      );
    });
    // The loser of the race must not become an unhandled rejection.
    work.catch(() => undefined);
    try {
      return await Promise.race([work, deadline]);
    } finally {
      clearTimeout(timer);
    }
  };

  try {
    await bounded(client.connect(), deadlineMs);
  } catch (error) {
    socket.destroy();
    throw withPhase(error, phase);
  }
  phase = 'read';
  usable = true;
  return {
    phase: () => phase,
    setPhase: (next) => {
      phase = next;
    },
    query: async (text, values, limitMs) => {
      const result = await bounded(client.query<Row>(text, [...values]), limitMs);
      return result.rows;
    },
    script: async (text, limitMs) => {
      const results: unknown = await bounded(client.query(text), limitMs);
      const list = Array.isArray(results) ? results : [results];
      return list.map((result: pg.QueryResult<Row>) => result.rows);
    },
    warnings: () => warnings,
    usable: () => usable,
    close: () => {
      usable = false;
      const timer = setTimeout(() => socket.destroy(), goodbyeMs);
      socket.once('close', () => clearTimeout(timer));
      client.end().catch(() => undefined);
    },
    destroy: () => {
      usable = false;
      socket.destroy();
    },
  };
}

const phases = new WeakMap<object, Phase>();

function withPhase(error: unknown, phase: Phase): unknown {
  if (typeof error === 'object' && error !== null) phases.set(error, phase);
  return error;
}

/** The step at which connecting failed. */
export function phaseOf(error: unknown): Phase {
  return (typeof error === 'object' && error !== null ? phases.get(error) : undefined) ?? 'connect';
}
