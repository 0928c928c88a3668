// What ssh2's errors mean. Everything that ends a connection before it is ready has sent no order: `rejected`. Once an
// order may have left, only its answer says what became of it: without one it is `unknown`.

import { type Rejected, rejected } from '../../core/outcome.ts';

/** Besides the host's own refusals (wire/host-orders.ts), a closed list. */
export type SshRefusal =
  /** No connection: refused, no route, no answer in time, closed while it was made. */
  | 'unreachable'
  /** The host showed a key that is not pinned; nothing was sent to it. */
  | 'host-key'
  /** The host does not accept the agents' key. */
  | 'auth'
  /** The agents' own key file cannot be used. */
  | 'key-file'
  /** The two sides share no protocol or algorithm. */
  | 'protocol'
  /** sshd did not start the forced command. */
  | 'not-started'
  /** Orders before this one took all its time. */
  | 'busy'
  /** The adapter was closed. */
  | 'closed';

/** By ssh2's `level`; its messages and class names change. */
const byLevel: Readonly<Record<string, SshRefusal>> = {
  'client-socket': 'unreachable',
  'client-timeout': 'unreachable',
  'client-dns': 'unreachable',
  'client-authentication': 'auth',
  handshake: 'protocol',
  protocol: 'protocol',
};

/** An error before the connection was ready. `shown` is the key that was shown where it is not a pinned one. */
export function connectOutcome(error: unknown, shown: string | null): Rejected {
  const detail = describe(error);
  if (shown !== null) return rejected('host-key', `the host showed ${shown}, which is not pinned`);
  const level = field(error, 'level');
  const code: SshRefusal = (level === null ? undefined : byLevel[level]) ?? 'unreachable';
  return rejected(code, detail);
}

/** Whether sshd itself answered that it does not run the command; every other error of a request is no answer. */
export function wasNotStarted(error: Error): boolean {
  return 'reason' in error || error.message.startsWith('Unable to exec');
}

export function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = field(error, 'code');
  return code === null || message.includes(code) ? message : `${code}: ${message}`;
}

function field(error: unknown, name: 'level' | 'code'): string | null {
  if (!(error instanceof Error) || !(name in error)) return null;
  const value = (error as unknown as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}
