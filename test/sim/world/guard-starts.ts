// Start and promotion by the guard, as src/adapters/postgres/start.ts: the same side effects in the same order, each
// after the same question, and a guard may die before any of them.

import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import type { Ms } from '../../../src/core/time.ts';
import type { Database } from '../../../src/ports/database.ts';
import { type Micros, milli } from '../engine/scheduler.ts';
import type { GuardFence, Leave } from './guard-fence.ts';
import type { GuardSocket } from './guard-socket.ts';
import { writeWaits } from './guard-waiting.ts';
import { Process } from './process.ts';

/** As under systemd: a job, then a script, then pg_ctl. */
const nothingCameMs: Ms = 3000;

const notAllowed = () => rejected('not-allowed', 'the lease no longer allows it');
const endedMeanwhile = () => unknown('a fence began while it was coming up');

type Starts = Pick<Database, 'startPrimary' | 'startStandby' | 'promote'>;
type Parts = { readonly socket: GuardSocket; readonly fence: GuardFence };

export function startsOf(parts: Parts): Starts {
  const { socket, fence } = parts;
  return {
    startPrimary: (waits, deadlineMs, mayGoOn) =>
      guarded(parts, () => startPrimary(parts, waits, socket.end(deadlineMs), fence.leave(mayGoOn))),
    startStandby: (deadlineMs) => guarded(parts, () => startStandby(parts, socket.end(deadlineMs))),
    promote: (waits, deadlineMs, mayGoOn) =>
      guarded(parts, () => promote(parts, waits, socket.end(deadlineMs), fence.leave(mayGoOn))),
  };
}

/** Never ends without the signal file, unless its process does. */
async function guarded({ socket }: Parts, work: () => Promise<Outcome<void>>): Promise<Outcome<void>> {
  const { pg, process } = socket;
  if (!process.mayAffect()) return Process.never;
  pg.onWork();
  const outcome = await work();
  if (pg.data.signalFile) return outcome;
  await socket.diskMoves();
  if (!process.mayAffect()) return Process.never;
  return pg.data.putSignalFile() ? outcome : unknown('standby.signal cannot be put back: no space left');
}

async function startPrimary(parts: Parts, waits: boolean, end: Micros, leave: Leave): Promise<Outcome<void>> {
  const { pg, process } = parts.socket;
  const { data } = pg;
  if (pg.processesLeft()) return rejected('running', 'processes of the data directory are running');
  await parts.socket.diskMoves();
  if (waits && data.volume.full) return unknown('postgresql.auto.conf: no space left');
  if (!data.volume.full) data.waits = waits;
  await parts.socket.pause(pg.random.range(1, 25));
  const before = data.controlVersion;
  if (!leave.given()) return notAllowed();
  pg.onBegun('takes the signal file away');
  if (data.volume.hung) await parts.socket.diskMoves();
  if (!process.mayAffect()) return Process.never;
  pg.removeSignalFile();
  if (!leave.given()) return notAllowed();
  if (!process.mayAffect()) return Process.never;
  pg.onBegun('starts it');
  return handOver(parts) ?? comesUp(parts, end, leave, before);
}

/** A job of systemd's, which no longer depends on the guard. Null: whether it comes up is asked through the socket. */
function handOver({ socket, fence }: Parts): Outcome<void> | null {
  const { pg } = socket;
  const isMisreported = pg.faults.nextStart === 'reports-failure-but-works';
  fence.noteStart();
  const lateMs = pg.random.pick([0, 20, 60, pg.random.range(60, 250), pg.random.range(0, 1500)]);
  pg.scheduler.after(lateMs * milli, () => pg.start('its guard'));
  return isMisreported ? rejected('control', 'systemctl ended with 1') : null;
}

function comesUp({ socket }: Parts, end: Micros, leave: Leave, before: number): Promise<Outcome<void>> {
  const { data } = socket.pg;
  const began = socket.pg.scheduler.now;
  return socket.until(end, async () => {
    if (leave.fenced()) return endedMeanwhile();
    if (!data.signalFile && data.controlState === 'in crash recovery' && data.controlVersion !== before) {
      await socket.diskMoves();
      if (!socket.process.mayAffect()) return Process.never;
      data.putSignalFile();
    }
    const answer = await socket.isRecovering(end);
    if (answer.kind === 'done')
      return answer.value ? rejected('in-recovery', 'it came up in recovery') : done(undefined);
    return nothingCame(socket, began);
  });
}

function nothingCame({ pg }: GuardSocket, began: Micros): Outcome<void> | null {
  const isLate = pg.scheduler.now - began > nothingCameMs * milli;
  return isLate && !pg.processesLeft() ? rejected('not-started', 'no process runs') : null;
}

async function startStandby(parts: Parts, end: Micros): Promise<Outcome<void>> {
  const { socket, fence } = parts;
  const { pg, process } = socket;
  if (pg.postmaster) return done(undefined);
  if (pg.processesLeft()) return rejected('running', 'processes without a postmaster are running');
  const leave = fence.leave(() => true);
  await socket.diskMoves();
  if (!process.mayAffect()) return Process.never;
  if (!pg.data.putSignalFile()) return unknown('standby.signal: no space left');
  pg.data.waits = pg.alwaysWaits;
  await socket.pause(pg.random.range(1, 25));
  if (!leave.given()) return notAllowed();
  if (!process.mayAffect()) return Process.never;
  const failed = handOver(parts);
  if (failed !== null) return failed;
  const began = pg.scheduler.now;
  return socket.until(end, async () => {
    const answer = await socket.isRecovering(end);
    if (answer.kind === 'done' || (answer.kind === 'rejected' && answer.code === 'starting-up')) return done(undefined);
    return nothingCame(socket, began);
  });
}

async function promote(parts: Parts, waits: boolean, end: Micros, leave: Leave): Promise<Outcome<void>> {
  const { socket } = parts;
  const { pg, process } = socket;
  const set = await writeWaits(socket, waits, end);
  if (waits && set.kind !== 'done') return set;
  const recovering = await socket.isRecovering(end, socket.left(end));
  if (recovering.kind === 'rejected') return recovering;
  if (recovering.kind === 'done') {
    if (!recovering.value) return done(undefined);
    if (!leave.given()) return notAllowed();
    if (!process.mayAffect()) return Process.never;
    const isMisreported = pg.faults.nextPromote === 'reports-failure-but-works';
    const asked = await socket.question<void>(socket.left(end), () => {
      pg.onBegun('promotes it');
      pg.promote();
      return isMisreported ? rejected('XX000', 'could not promote') : done(undefined);
    });
    if (asked.kind === 'rejected') return asked;
  }
  return socket.until(end, async () => {
    if (leave.fenced()) return endedMeanwhile();
    const answer = await socket.isRecovering(end);
    if (answer.kind === 'done' && !answer.value) return done(undefined);
    return answer.kind !== 'done' && !pg.postmaster ? rejected('not-running', 'it died') : null;
  });
}
