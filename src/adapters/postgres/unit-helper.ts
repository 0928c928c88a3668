// Asks siteward-postgresql (systemd/), which is root's, to have systemd start or stop the guarded database: the guard
// runs as PostgreSQL's account, and this socket is all that it may ask of root. One line each way.

import { connect } from 'node:net';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import { detailOf } from './classify.ts';

const answerBytes = 1000;

/** Synchronous up to the connection itself. */
export function askHelper(socket: string, verb: string, unit: string, deadlineMs: Ms): Promise<Outcome<void>> {
  return new Promise((resolve) => {
    let said = '';
    let connected = false;
    const connection = connect(socket);
    const end = (outcome: Outcome<void>): void => {
      clearTimeout(timer);
      connection.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(
      () => end(unknown(`${socket} did not answer within ${Math.round(deadlineMs)} ms`)),
      deadlineMs,
    );
    connection.setEncoding('utf8');
    connection.once('connect', () => {
      connected = true;
    });
    connection.once('error', (error) =>
      end(connected ? unknown(detailOf(error)) : rejected('control', `${socket}: ${detailOf(error)}`)),
    );
    connection.on('data', (text: string) => {
      said = `${said}${text}`.slice(0, answerBytes);
    });
    connection.once('end', () => {
      if (said === 'done\n') end(done(undefined));
      else end(said === '' ? unknown(`${socket} ended without an answer`) : rejected('control', said.trim()));
    });
    connection.write(`${verb} ${unit}\n`);
  });
}
