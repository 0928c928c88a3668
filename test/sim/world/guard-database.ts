// The guard's database port over the model, by the steps, checks and deadlines of src/adapters/postgres.

import type { ServerReport } from '../../../src/core/observe/observation.ts';
import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import { compareEpochs } from '../../../src/core/quorum/record.ts';
import type { Ms } from '../../../src/core/time.ts';
import type { Database } from '../../../src/ports/database.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import { GuardFence } from './guard-fence.ts';
import { GuardSocket } from './guard-socket.ts';
import { startsOf } from './guard-starts.ts';
import { setWaits } from './guard-waiting.ts';
import type { Postgres } from './postgres.ts';
import { Process } from './process.ts';

/** Of one life of a guard. */
export function databasePort(pg: Postgres, process: Process): Database {
  const socket = new GuardSocket(pg, process);
  const fence = new GuardFence(socket);
  return {
    ...startsOf({ socket, fence }),
    look: () => look(socket),
    ask: (deadlineMs) => ask(socket, deadlineMs),
    stopFast: (deadlineMs) => stopFast(socket, deadlineMs),
    stop: (deadlineMs) => stop(socket, deadlineMs),
    kill: () => fence.kill(),
    setWaits: (on, deadlineMs) => setWaits(socket, on, deadlineMs),
    beat: (row, deadlineMs) => beat(socket, row, deadlineMs),
  };
}

/** Of the second that a look may take. Half of a guard's steps are looks: most of these take their time. */
const slowLook: Micros = 600 * milli;

function look({ pg, process }: GuardSocket): ReturnType<Database['look']> {
  if (!process.mayAffect()) return Process.never;
  const takes = pg.random.ratio(1, 8) ? pg.random.range(500, 4000) : pg.random.range(slowLook / 4, slowLook);
  return process.later(takes, () =>
    done({
      running: pg.processesLeft(),
      postmaster: pg.postmaster,
      signalFile: pg.data.signalFile,
      controlState: pg.data.controlState,
      systemId: pg.systemId,
      timeline: pg.data.flushed.timeline,
      full: pg.data.volume.full,
    }),
  );
}

function ask(socket: GuardSocket, deadlineMs: Ms): ReturnType<Database['ask']> {
  const { pg, process } = socket;
  if (!process.mayAffect()) return Process.never;
  return socket.question<ServerReport>(deadlineMs, () => {
    const { data, sender, receiver } = pg;
    const { row } = pg.visible();
    if (pg.inRecovery()) {
      // V8: long before a promotion.
      if (pg.alwaysWaits && receiver.streaming() && !data.volume.full) pg.setWaits(true);
      return done({ inRecovery: true, position: receiver.received(), row, sync: null });
    }
    const sync = { waits: data.waits, standby: sender.state(), flushed: sender.standbyFlushed() };
    return done({ inRecovery: false, position: data.flushed.lsn, row, sync });
  });
}

/** The row of siteward.cluster, with synchronous_commit = local. */
function beat(socket: GuardSocket, ...[row, deadlineMs]: Parameters<Database['beat']>): ReturnType<Database['beat']> {
  const { pg, process } = socket;
  const { data } = pg;
  if (!process.mayAffect()) return Process.never;
  return socket.asked(deadlineMs, (answer) => {
    if (pg.phase !== 'primary' || pg.faults.readOnly) return answer(rejected('read-only', 'a read-only transaction'));
    if (data.volume.full) return answer(rejected('disk-full', 'no space left on device'));
    // A promotion that ended after its deadline deleted it, or a person did: put back by the guard, while it lives.
    if (process.alive) data.putSignalFile();
    const before = data.inserted.row;
    if (before !== null && before.cluster === row.cluster && compareEpochs(before.epoch, row.epoch) > 0) {
      return answer(rejected('lower-epoch', 'siteward.cluster carries a later epoch'));
    }
    const node = data.append('row', { row });
    pg.onBeat(row);
    pg.sessions.look();
    pg.whenFlushed(node, () => answer(done({ position: node.lsn })));
  });
}

async function stopFast(socket: GuardSocket, deadlineMs: Ms): ReturnType<Database['stopFast']> {
  const { data } = socket.pg;
  const end = socket.end(deadlineMs);
  // CHECKPOINT, so that the stop has little left to write.
  await socket.asked<void>(deadlineMs / 2, (answer) => data.volume.when(() => answer(done(undefined))));
  const stopped = await stop(socket, socket.left(end));
  if (stopped.kind !== 'done') return stopped;
  if (data.controlState !== 'shut down') return rejected('not-clean', `pg_controldata says: ${data.controlState}`);
  return done({ checkpoint: data.checkpoint });
}

async function stop(socket: GuardSocket, deadlineMs: Ms): Promise<Outcome<void>> {
  const { pg, process } = socket;
  const end = socket.end(deadlineMs);
  if (!process.mayAffect()) return Process.never;
  if (!pg.data.signalFile) await socket.diskMoves();
  if (!pg.data.putSignalFile()) return unknown('standby.signal: no space left');
  if (!process.mayAffect()) return Process.never;
  pg.server?.run(() => pg.stopFast('its guard'));
  return socket.until(end, () => (pg.processesLeft() ? null : done(undefined)));
}
