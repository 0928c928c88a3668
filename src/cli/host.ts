#!/usr/bin/env node
// siteward-host: the one command that the agents' SSH key is bound to (authorized_keys: `command="...",restrict`). It
// obeys the order in SSH_ORIGINAL_COMMAND if it is one of wire/host-orders.ts, answers with one line of JSON, and
// leaves a line in the host's own log. Started anew for each order, so it loads nothing but itself.

import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { encodeAnswer, type HostAnswer } from '../wire/host-orders.ts';
import { parseHostArguments } from './host/arguments.ts';
import { largestFile } from './host/files.ts';
import { Refusal } from './host/refusal.ts';
import { runOrder } from './host/run.ts';

const inputDeadlineMs = 5000;

async function main(): Promise<void> {
  const order = process.env['SSH_ORIGINAL_COMMAND'] ?? '';
  // Whatever else the other end set (AcceptEnv) or the account has is not handed on to flock, logger or a reload.
  process.env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const answer = await runOrder(parseHostArguments(process.argv.slice(2)), order, readInput);
  writeAll(`${encodeAnswer(answer)}\n`);
  if (order !== 'read' || !answer.ok) log(order, answer);
  process.exitCode = answer.ok ? 0 : 1;
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(
    () => process.stdin.destroy(new Refusal('invalid-env', 'no end of the input')),
    inputDeadlineMs,
  );
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > largestFile) throw new Refusal('invalid-env', `more than ${largestFile} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) written += writeSync(1, bytes, written);
}

/** To syslog, for the host's own administrator; the order itself quoted, since anybody with the key can write it. */
function log(order: string, answer: HostAnswer): void {
  const what = answer.ok ? 'done' : `refused ${answer.code} (${JSON.stringify(answer.detail)})`;
  const line = `order ${JSON.stringify(order.slice(0, 160))} ${what}`;
  const logger = spawn('logger', ['-t', 'siteward-host', '-p', answer.ok ? 'auth.info' : 'auth.warning', '--', line], {
    stdio: 'ignore',
    detached: true,
  });
  logger.on('error', () => {});
  logger.unref();
}

main().catch((error: unknown) => {
  // Only a mistake in authorized_keys comes here.
  process.stderr.write(`siteward-host: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
