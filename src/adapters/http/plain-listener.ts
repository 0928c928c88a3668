// The plain listener: /metrics for Prometheus, /health for people and supervisors, /entry for whoever wants to know
// whether clients should come here. Read-only, no secrets, never anything that the protocol depends on.

import { createServer, type ServerResponse } from 'node:http';

/** `ok: false` is served as 503. */
export type PlainReport = { readonly ok: boolean; readonly body: Readonly<Record<string, unknown>> };

export type PlainListenerOptions = {
  /** Null: every address of the host. */
  readonly address: string | null;
  readonly port: number;
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly health: () => PlainReport;
  readonly entry: () => PlainReport;
};

export type PlainListener = { listen(): Promise<void>; close(): Promise<void>; port(): number };

export function createPlainListener(options: PlainListenerOptions): PlainListener {
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 2000, maxHeaderSize: 8192 },
    (request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'text/plain', 'only GET\n');
      const path = request.url?.split('?')[0];
      if (path === '/metrics') void metrics(response, options);
      else if (path === '/health') report(response, options.health());
      else if (path === '/entry') report(response, options.entry());
      else end(response, 404, 'text/plain', 'only /metrics, /health and /entry\n');
    },
  );
  server.maxConnections = 64;

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port: options.port, host: options.address ?? undefined }, () => {
          server.off('error', reject);
          resolve();
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    port: () => (server.address() as { port: number }).port,
  };
}

async function metrics(response: ServerResponse, options: PlainListenerOptions): Promise<void> {
  try {
    const { type, text } = await options.metrics();
    end(response, 200, type, text);
  } catch (error) {
    end(response, 500, 'text/plain', `${String(error)}\n`);
  }
}

function report(response: ServerResponse, { ok, body }: PlainReport): void {
  end(response, ok ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`);
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
