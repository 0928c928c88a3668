// What a server sends is looked at before pg's reader sees it. The reader waits for whatever length is announced, reads
// past the end of a message that is not whole, throws from within an event, and for an error without its end (a zero
// byte) it loops for ever: any of these would take the process with it (pg-protocol 1.16). So what is no message of the
// protocol, frame by frame, ends the connection here.

import { Socket } from 'node:net';
import { ConnectionFault } from './classify.ts';

const headBytes = 5;
const [zero, error, notice] = [0, 'E'.charCodeAt(0), 'N'.charCodeAt(0)];
/** A server's first message is one of these, and short; anything else on this port is not PostgreSQL. */
const firstMessages = new Set(['R', 'E', 'N', 'v'].map((letter) => letter.charCodeAt(0)));
const longestFirst = 64 * 1024;
/** Rows of ours are a few hundred bytes; an error may quote a statement. */
const longest = 1024 * 1024;

export class ScreenedSocket extends Socket {
  readonly #screen = createScreen();

  override emit(event: string | symbol, ...given: unknown[]): boolean {
    const emit = super.emit.bind(this) as (event: string | symbol, ...given: unknown[]) => boolean;
    if (event !== 'data') return emit(event, ...given);
    try {
      if (this.#screen(given[0] as Buffer)) return emit(event, ...given);
    } catch {
      // Whole frames, and still not what the reader can read.
    }
    this.destroy(new ConnectionFault('garbage', 'what listens there does not speak the PostgreSQL protocol'));
    return false;
  }
}

/** Takes the bytes as they come; false as soon as they cannot be the protocol. */
export function createScreen(): (chunk: Buffer) => boolean {
  let isFirst = true;
  /** The head of a message, and of an error or notice the whole: until it is complete. */
  let held = Buffer.alloc(0);
  /** Of a message whose content need not be looked at. */
  let toSkip = 0;

  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      const skipped = Math.min(toSkip, rest.length);
      toSkip -= skipped;
      rest = rest.subarray(skipped);
      const wanted = held.length < headBytes ? headBytes : lengthOf(held);
      const taken = rest.subarray(0, wanted - held.length);
      held = Buffer.concat([held, taken]);
      rest = rest.subarray(taken.length);
      if (held.length < headBytes) return true;
      if (!isHead(held, isFirst)) return false;
      const isError = held[0] === error || held[0] === notice;
      if (isError && held.length < lengthOf(held)) continue;
      if (isError && !endsWell(held)) return false;
      toSkip = lengthOf(held) - held.length;
      held = Buffer.alloc(0);
      isFirst = false;
    }
    return true;
  };
}

/** The length counts itself, not the letter before it. */
function lengthOf(message: Buffer): number {
  return 1 + message.readUInt32BE(1);
}

function isHead(message: Buffer, isFirst: boolean): boolean {
  const length = lengthOf(message);
  if (length < headBytes || length > longest) return false;
  return !isFirst || (firstMessages.has(message[0] ?? zero) && length <= longestFirst);
}

/** Fields of a letter and a text that ends with a zero, and after the last of them one more zero, which ends it all. */
function endsWell(message: Buffer): boolean {
  let at = headBytes;
  while (at < message.length && message[at] !== zero) {
    const end = message.indexOf(zero, at + 1);
    if (end < 0) return false;
    at = end + 1;
  }
  return at === message.length - 1;
}
