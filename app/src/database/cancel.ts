// Cancels what a connection is doing, by the protocol's own request: a connection that asks for nothing else, so it also gets through when
// the server has none left. Whether it did anything shows at the connection that was cancelled.
import { createConnection } from 'node:net';
import type { Client } from 'pg';

const CANCEL_CODE = 80_877_102;
const CANCEL_MS = 1000;

/** What the server gave this connection at its start; the driver keeps it but has no type for it. */
interface Secret {
  readonly processID: number | null;
  readonly secretKey: number | null;
}

export function cancelStatement(client: Client): void {
  const { processID, secretKey } = client as unknown as Secret;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const { host, port } = client;
  const socket = createConnection(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  const message = Buffer.alloc(16);
  for (const [index, value] of [16, CANCEL_CODE, processID, secretKey].entries())
    message.writeInt32BE(value, 4 * index);
  socket.setTimeout(CANCEL_MS, () => socket.destroy());
  socket.on('error', () => {});
  socket.on('connect', () => socket.end(message));
  // The server says nothing and closes.
  socket.resume();
  socket.unref();
}
