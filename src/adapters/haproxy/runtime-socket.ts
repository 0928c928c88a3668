// HAProxy's runtime socket: one command, one answer, one connection.

import { connect } from 'node:net';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';

const maxAnswer = 4096;

/** Done means that HAProxy had nothing to say, which is how it says yes to `set`. */
export function setServerState(
  socketPath: string,
  server: string,
  state: 'ready' | 'drain',
  deadlineMs: Ms,
): Promise<Outcome<void>> {
  // The names come from the configuration; a blank or a line end in one would be another command.
  if (!/^[\w.:-]+\/[\w.:-]+$/.test(server)) return Promise.resolve(rejected('no-such-server', JSON.stringify(server)));
  return new Promise((resolve) => {
    let sent = false;
    let answer = '';
    const socket = connect({ path: socketPath });
    const settle = (outcome: Outcome<void>) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (detail: string) => settle(sent ? unknown(detail) : rejected('unreachable', detail));
    const timer = setTimeout(() => fail(`no answer within ${deadlineMs} ms`), deadlineMs);
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      sent = true;
      // Not end(): HAProxy takes a half-closed connection for a client that has gone.
      socket.write(`set server ${server} state ${state}\n`);
    });
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.length > maxAnswer) fail('too long an answer');
    });
    socket.on('end', () => settle(outcomeOf(answer.trim())));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.on('close', () => fail('the connection was closed'));
  });
}

function outcomeOf(answer: string): Outcome<void> {
  if (answer === '') return done(undefined);
  const code = /no such (backend|server)/i.test(answer)
    ? 'no-such-server'
    : /permission denied/i.test(answer)
      ? 'not-permitted'
      : 'refused';
  return rejected(code, answer.slice(0, 200));
}
