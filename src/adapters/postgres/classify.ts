// What an error of a PostgreSQL connection means, in one table (V1). By errno and SQLSTATE only: texts are translated
// (lc_messages) and change between versions. What a class means for a failover is decided in `core/verdict`, not here.
// A class never claims more than was seen: whatever is not in the table is `protocol`, which alerts and never counts
// towards a failed primary.

import type { ProbeClass } from '../../core/observe/observation.ts';

/** The step of a probe that was under way. `commit` begins when the read part has answered. */
export type Phase = 'connect' | 'login' | 'read' | 'commit';

type Row = { readonly code: string; readonly class: ProbeClass; readonly why: string };

/** Errors of the operating system, by errno. */
const byErrno: readonly Row[] = [
  { code: 'ECONNREFUSED', class: 'refused', why: 'the host answers, nothing listens' },
  { code: 'ENOENT', class: 'refused', why: 'no such Unix socket: no postmaster made one' },
  { code: 'ECONNRESET', class: 'refused', why: 'the kernel closed it for a process that died' },
  { code: 'EPIPE', class: 'refused', why: 'as ECONNRESET, seen while sending' },
  { code: 'EHOSTUNREACH', class: 'unreachable', why: 'a router or the neighbour cache says so' },
  { code: 'ENETUNREACH', class: 'unreachable', why: 'no route from here' },
  { code: 'EHOSTDOWN', class: 'unreachable', why: 'the neighbour does not answer' },
  { code: 'ENETDOWN', class: 'unreachable', why: 'own interface is down' },
  { code: 'EADDRNOTAVAIL', class: 'unreachable', why: 'own address is gone' },
  { code: 'EACCES', class: 'unreachable', why: 'an own packet filter refuses to send (also EPERM)' },
  { code: 'EPERM', class: 'unreachable', why: 'as EACCES' },
  { code: 'ETIMEDOUT', class: 'timeout', why: 'silence: slow, frozen or dropped; nobody said unreachable' },
];

/** SQLSTATE, the longest prefix counts. PostgreSQL 15 manual, appendix A. */
const byState: readonly Row[] = [
  { code: '08', class: 'protocol', why: 'connection exceptions that PostgreSQL itself reports (08P01)' },
  {
    code: '25006',
    class: 'read-only',
    why: 'a write in a read-only transaction (in recovery is asked before, by name)',
  },
  { code: '28', class: 'auth', why: 'no pg_hba.conf line, wrong password, role missing or not allowed to log in' },
  { code: '3D000', class: 'auth', why: 'the database named in the configuration does not exist' },
  { code: '42501', class: 'auth', why: 'the role lacks a right' },
  { code: '53100', class: 'disk-full', why: 'no space left' },
  { code: '53300', class: 'too-many-connections', why: 'max_connections, or the limit of role or database' },
  { code: '55P03', class: 'write-stalled', why: 'lock_timeout: something holds the row or the table' },
  { code: '57014', class: 'timeout', why: 'statement_timeout; after the read part answered it becomes write-stalled' },
  { code: '57P01', class: 'refused', why: 'session ended by a stop of the server' },
  { code: '57P02', class: 'refused', why: 'session ended by the crash of another backend' },
  // 57P03 is also "shutting down" and "hot standby mode is disabled"; only the text tells, and to a client it is one.
  { code: '57P03', class: 'starting-up', why: 'the postmaster answers but takes no sessions now' },
  { code: '58030', class: 'write-stalled', why: 'I/O error: what was written is not on disk' },
];

type Fault = 'deadline' | 'garbage' | 'no-password';
const byFault: Readonly<Record<Fault, ProbeClass>> = {
  deadline: 'timeout',
  garbage: 'protocol',
  'no-password': 'auth',
};

/** What the connection layer itself finds. */
export class ConnectionFault extends Error {
  readonly fault: Fault;
  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The SQLSTATE of a server's error, or the errno of the operating system's. */
export function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

export function detailOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return code === null || text.includes(code) ? text : `${text} (${code})`;
}

function find(code: string): ProbeClass | null {
  const errno = byErrno.find((row) => row.code === code);
  if (errno !== undefined) return errno.class;
  const rows = byState.filter((row) => code.startsWith(row.code));
  return rows.sort((a, b) => b.code.length - a.code.length)[0]?.class ?? null;
}

export function classify(error: unknown, phase: Phase): ProbeClass {
  const found = classifyPlain(error);
  // Reads still answer and writes do not: a stalled disk, a lock, a full WAL volume.
  return found === 'timeout' && phase === 'commit' ? 'write-stalled' : found;
}

function classifyPlain(error: unknown): ProbeClass {
  if (error instanceof ConnectionFault) return byFault[error.fault];
  // Several addresses or families tried at once: every one failed, the first speaks for all.
  if (error instanceof AggregateError && error.errors.length > 0) return classifyPlain(error.errors[0]);
  const code = codeOf(error);
  if (code !== null) return find(code) ?? 'protocol';
  // pg's own words for a connection that ended without an error message: its process died.
  if (error instanceof Error && error.message.startsWith('Connection terminated')) return 'refused';
  return 'protocol';
}

/**
 * Whether the server, or the operating system on its behalf, said no before anything was done. Else the outcome is
 * unknown: what was sent may have been carried out.
 */
export function isRefusal(error: unknown, phase: Phase): boolean {
  if (phase === 'connect' || phase === 'login')
    return !(error instanceof ConnectionFault && error.fault === 'deadline');
  const code = codeOf(error);
  // A SQLSTATE has five characters; 57P01 and 57P02 end a session whatever became of its commit.
  return (
    code !== null && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57P0') && !byErrno.some((row) => row.code === code)
  );
}
