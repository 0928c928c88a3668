import type { IncomingMessage } from 'node:http';
import { messageBytes } from '../../wire/limits.ts';

export type Body =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'too-large' }
  /** The sender went away in the middle. */
  | { readonly kind: 'gone' };

/** Reads no more than one message may hold, however much is announced or sent. */
export function readBody(request: IncomingMessage): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > messageBytes) return Promise.resolve({ kind: 'too-large' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > messageBytes) {
        request.pause();
        resolve({ kind: 'too-large' });
      } else chunks.push(chunk);
    });
    request.once('end', () => resolve({ kind: 'read', text: Buffer.concat(chunks).toString('utf8') }));
    request.once('error', () => resolve({ kind: 'gone' }));
    request.once('close', () => resolve({ kind: 'gone' }));
  });
}
