// V8 by the guard, as src/adapters/postgres/waiting.ts: the setting, and the canary commits that prove that the server
// obeys it and that all that was acknowledged before is on the standby.

import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import type { Ms } from '../../../src/core/time.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import type { GuardSocket } from './guard-socket.ts';
import { Process } from './process.ts';

const takeBackMs: Ms = 200;

/** Done once a fresh session has it; also in recovery. */
export function writeWaits(socket: GuardSocket, on: boolean, end: Micros): Promise<Outcome<void>> {
  const { pg } = socket;
  const { volume } = pg.data;
  return socket.asked(socket.left(end), (answer) => {
    if (on !== pg.data.waits && volume.full) return answer(rejected('disk-full', 'no space left on device'));
    volume.when(() => {
      pg.setWaits(on);
      answer(done(undefined));
    });
  });
}

export async function setWaits(socket: GuardSocket, on: boolean, deadlineMs: Ms): Promise<Outcome<void>> {
  const { pg, process } = socket;
  if (!process.mayAffect()) return Process.never;
  const end = socket.end(deadlineMs);
  const set = await writeWaits(socket, on, end);
  if (set.kind !== 'done' || !on) return set;
  // The first canary: seen to wait. The second, begun after that: it came back.
  const { life } = pg;
  const isSame = (): boolean => pg.life === life && pg.phase === 'primary';
  const waited = await socket.until(end - takeBackMs * milli, () => {
    if (!isSame()) return unknown('the server is gone');
    return pg.waitsNow ? done(undefined) : null;
  });
  if (waited.kind !== 'done') return unknown('no commit was seen to wait');
  const canary = await socket.asked<void>(socket.left(end), (answer) => {
    const node = pg.data.append('noise');
    pg.whenFlushed(node, () => pg.sessions.whenReplicated(node, () => answer(done(undefined))));
  });
  return canary.kind === 'done' ? canary : rejected('not-replicated', 'the standby did not confirm a commit in time');
}
