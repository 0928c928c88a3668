// Tells the supervisor that this process is ready and alive. systemd listens on NOTIFY_SOCKET, a datagram socket that
// Node cannot speak, so `systemd-notify` is spawned (about 5 ms a call on systemd 252); the lab's init looks at the age
// of WATCHDOG_FILE. Both give their patience in WATCHDOG_USEC. Without either nothing is done.

import { spawn } from 'node:child_process';
import { closeSync, openSync, utimesSync } from 'node:fs';
import type { Clock } from '../../ports/clock.ts';
import type { Supervisor } from '../../ports/supervisor.ts';

type Word = '--ready' | 'WATCHDOG=1' | '--stopping';

export function createSupervisor(environment: Readonly<Record<string, string | undefined>>, clock: Clock): Supervisor {
  const file = environment['WATCHDOG_FILE'];
  const socket = environment['NOTIFY_SOCKET'];
  const patienceMs = Number(environment['WATCHDOG_USEC'] ?? '0') / 1000;
  const everyMs = patienceMs > 0 ? Math.max(200, patienceMs / 4) : Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let speaking = false;
  let next: Word | null = null;

  /** One at a time, in order. */
  function notify(word: Word): void {
    if (socket === undefined) return;
    if (speaking) {
      next = word;
      return;
    }
    speaking = true;
    const child = spawn('systemd-notify', [word], { stdio: 'ignore' });
    const over = (): void => {
      if (!speaking) return;
      speaking = false;
      if (next === null) return;
      const word = next;
      next = null;
      notify(word);
    };
    child.on('error', over);
    child.on('exit', over);
  }

  /** While something else is being said, a sign of life that is due stays due. */
  function alive(): void {
    const now = clock.now();
    if (now - last < everyMs || speaking) return;
    last = now;
    if (file !== undefined) touch(file);
    notify('WATCHDOG=1');
  }

  return { ready: () => notify('--ready'), alive, stopping: () => notify('--stopping') };
}

function touch(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch {
    try {
      closeSync(openSync(file, 'a'));
    } catch {
      // The supervisor will see no sign of life and restart this process: the right end for one that cannot write there.
    }
  }
}
