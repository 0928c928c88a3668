// The fence (L9): start inhibited, then every process of the data directory killed, and it waits for nothing. SIGQUIT
// gives the server a moment to end its sessions in an orderly way; SIGKILL also reaches stopped and stuck processes (one
// in the kernel answers nobody and dies before it returns).

import { setTimeout as pause } from 'node:timers/promises';
import { done, type Outcome, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import { detailOf } from './classify.ts';
import type { Processes } from './processes.ts';
import type { SignalFile } from './signal-file.ts';

/** From SIGQUIT to SIGKILL; well within fenceBudget less fuseBudget (0.5 s), after which the fuse kills anyway. */
const quitMs: Ms = 200;
/** Between two looks; with the pause a process in D state does not make it spin. */
const againMs: Ms = 15;
const slowAgainMs: Ms = 100;
/** After this the caller is told that somebody is left; the next fence begins anew. */
const giveUpMs: Ms = 10_000;
/**
 * From handing a start over to a postmaster that stands in its data directory. One that comes later still reads the
 * signal file, so this is for "none is left" only, not for safety.
 */
const birthMs: Ms = 300;

export type Fence = {
  kill(): Promise<Outcome<void>>;
  /** Grows with every fence; whoever acts compares it, so that nothing begun before goes on after it. */
  count(): number;
  running(): boolean;
  /** A start was handed over: its postmaster may be seen a little later only. */
  noteStart(): void;
};

export function createFence(processes: Processes, signalFile: SignalFile): Fence {
  let count = 0;
  let current: Promise<Outcome<void>> | null = null;
  let lastStart = Number.NEGATIVE_INFINITY;
  const expecting = () => performance.now() < lastStart + birthMs;

  return {
    kill: () => {
      count += 1;
      current ??= fence(processes, signalFile, expecting).finally(() => {
        current = null;
      });
      return current;
    },
    count: () => count,
    running: () => current !== null,
    noteStart: () => {
      lastStart = performance.now();
    },
  };
}

/** Synchronous up to the first signal. */
async function fence(processes: Processes, signalFile: SignalFile, expecting: () => boolean): Promise<Outcome<void>> {
  const began = performance.now();
  const first = listed(processes) ?? [];
  const [postmaster] = first;
  if (postmaster !== undefined) processes.signal(postmaster, 'SIGQUIT');

  // In the background: on a hung disk it never comes back, and the killing must not wait for it.
  let inhibited: 'not yet' | 'yes' | { readonly failed: string } = 'not yet';
  void signalFile.putSoon().then(
    () => {
      inhibited = 'yes';
    },
    (error: unknown) => {
      inhibited = { failed: detailOf(error) };
    },
  );
  const startIsInhibited = () => inhibited;

  const killed = new Set<number>(first);
  for (;;) {
    // Asked before the look: whatever starts after the file was there reads it, whatever started before is seen.
    const file = startIsInhibited();
    const complete = !expecting();
    const seen = listed(processes);
    const left = seen ?? [];
    for (const pid of left) killed.add(pid);
    const none = seen !== null && seen.length === 0 && complete;
    if (none && file === 'yes') return done(undefined);
    const elapsed = performance.now() - began;
    if (none && typeof file === 'object') {
      return unknown(
        `nothing is left of ${killed.size} processes, but standby.signal cannot be written: ${file.failed}`,
      );
    }
    // Before giving up, too: this process may have stood still since the SIGQUIT.
    if (elapsed >= quitMs) for (const pid of left) processes.signal(pid, 'SIGKILL');
    if (elapsed > giveUpMs) {
      const who = seen === null ? 'nobody can tell which' : `${left.length}`;
      return unknown(`${who} of ${killed.size} processes are left after ${Math.round(elapsed)} ms`);
    }
    await pause(elapsed < 1000 ? againMs : slowAgainMs);
  }
}

/** null: nobody can tell now. That is never "none is left". */
function listed(processes: Processes): readonly number[] | null {
  try {
    return processes.list();
  } catch {
    return null;
  }
}
