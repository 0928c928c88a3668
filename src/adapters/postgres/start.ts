// Start and promotion (L9, L10). The signal file is away only between the lease's last check and the moment the server
// has read past it; whatever happens in between, it goes back. "Past it" is when the control file, written by this very
// start, says `in crash recovery`, or when the server answers that it is not in recovery: put back earlier it comes up
// read-only (lab-notes.md).

import { setTimeout as pause } from 'node:timers/promises';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import type { Database } from '../../ports/database.ts';
import { type Budget, budgetOf } from './budget.ts';
import { detailOf } from './classify.ts';
import type { Parts } from './parts.ts';
import { writeStandbyConfig } from './standby-config.ts';
import { writeWaits } from './waiting.ts';

const pollMs: Ms = 20;
/** One question while waiting for a server that is coming up. */
const questionMs: Ms = 500;
/** Turning waiting off before a promotion; as a rule it is off, and one question says so. */
const settingMs: Ms = 1000;

type Starts = Pick<Database, 'startPrimary' | 'startStandby' | 'promote'>;

export function createStarts(parts: Parts): Starts {
  return {
    startPrimary: (waits, deadlineMs, mayGoOn) =>
      guarded(parts, () => startPrimary(parts, waits, budgetOf(deadlineMs), withFence(parts, mayGoOn))),
    startStandby: (deadlineMs) => guarded(parts, () => startStandby(parts, budgetOf(deadlineMs))),
    promote: (waits, deadlineMs, mayGoOn) =>
      guarded(parts, () => promote(parts, waits, budgetOf(deadlineMs), withFence(parts, mayGoOn))),
  };
}

type Leave = {
  /** Asked right before each side effect: the caller's leave, and no fence since the act began. */
  readonly given: () => boolean;
  /** While waiting: a lease renewed meanwhile is a new one, but a fence ends it all. */
  readonly fenced: () => boolean;
};

function withFence(parts: Parts, mayGoOn: () => boolean): Leave {
  const before = parts.fence.count();
  const fenced = () => parts.fence.running() || parts.fence.count() !== before;
  return { given: () => mayGoOn() && !fenced(), fenced };
}

/** Never throws, and never ends without the signal file. */
async function guarded(parts: Parts, work: () => Promise<Outcome<void>>): Promise<Outcome<void>> {
  let outcome: Outcome<void>;
  try {
    outcome = await work();
  } catch (error) {
    outcome = unknown(detailOf(error));
  }
  try {
    if (!parts.signalFile.present()) parts.signalFile.put();
  } catch (error) {
    return unknown(`standby.signal cannot be put back: ${detailOf(error)}`);
  }
  return outcome;
}

const notAllowed = () => rejected('not-allowed', 'the lease no longer allows it');
const endedMeanwhile = () => unknown('a fence began while it was coming up');

async function startPrimary(parts: Parts, waits: boolean, budget: Budget, leave: Leave): Promise<Outcome<void>> {
  if (parts.processes.list().length > 0) return rejected('running', 'processes of the data directory are running');
  // V8: unlike the rest of the settings a start without this one could acknowledge what the standby never gets.
  const prepared = prepareForRecovery(parts, waits);
  if (waits && prepared.kind !== 'done') return prepared;
  await parts.control.prepare(budget.left());
  const before = await parts.controlFile.read(0);
  // From here to the start there is nothing to wait for: no fence can come in between.
  if (!leave.given()) return notAllowed();
  parts.signalFile.take();
  if (!leave.given()) return notAllowed();
  const started = await handOver(parts, budget);
  if (started.kind === 'rejected') return started;
  return comesUp(parts, budget, leave, before?.version ?? '');
}

async function handOver(parts: Parts, budget: Budget): Promise<Outcome<void>> {
  parts.fence.noteStart();
  const started = await parts.control.start(budget.left());
  parts.fence.noteStart();
  return started;
}

/** Waits until it accepts connections and is not in recovery; puts the signal file back as soon as that is safe. */
async function comesUp(parts: Parts, budget: Budget, leave: Leave, before: string): Promise<Outcome<void>> {
  const { signalFile, controlFile } = parts;
  const began = performance.now();
  let last = 'not asked yet';
  while (budget.left() > 0) {
    if (leave.fenced()) return endedMeanwhile();
    if (!signalFile.present()) {
      const control = await controlFile.read(0);
      if (control?.state === 'in crash recovery' && control.version !== before) signalFile.put();
    }
    const recovering = await isRecovering(parts, budget);
    if (recovering.kind === 'done') {
      return recovering.value ? rejected('in-recovery', 'it came up in recovery') : done(undefined);
    }
    last = recovering.detail;
    if (performance.now() - began > parts.control.nothingCameMs && parts.processes.list().length === 0) {
      return rejected('not-started', `no process runs: ${last}`);
    }
    await pause(pollMs);
  }
  return unknown(`it does not accept connections yet: ${last}`);
}

async function startStandby(parts: Parts, budget: Budget): Promise<Outcome<void>> {
  if (parts.processes.postmaster() !== null) return done(undefined);
  if (parts.processes.list().length > 0) return rejected('running', 'processes without a postmaster are running');
  const leave = withFence(parts, () => true);
  parts.signalFile.put();
  prepareForRecovery(parts, parts.settings.alwaysWaits);
  await parts.control.prepare(budget.left());
  if (!leave.given()) return notAllowed();
  const started = await handOver(parts, budget);
  if (started.kind === 'rejected') return started;
  const began = performance.now();
  let last = 'not asked yet';
  while (budget.left() > 0) {
    const answer = await isRecovering(parts, budget);
    // Recovery from far back takes its time; the postmaster that says so runs.
    if (answer.kind === 'done' || (answer.kind === 'rejected' && answer.code === 'starting-up')) return done(undefined);
    last = answer.detail;
    if (performance.now() - began > parts.control.nothingCameMs && parts.processes.list().length === 0) {
      return rejected('not-started', `no process runs: ${last}`);
    }
    await pause(pollMs);
  }
  return unknown(`it does not answer yet: ${last}`);
}

async function promote(parts: Parts, waits: boolean, budget: Budget, leave: Leave): Promise<Outcome<void>> {
  // Without waiting a promotion loses nothing, so nothing about it may keep one from being begun.
  const set = await writeWaits(parts, waits, waits ? budget : budgetOf(Math.min(settingMs, budget.left())));
  if (waits && set.kind !== 'done') return set;
  if (set.kind !== 'done') parts.report(`waiting for the standby cannot be turned off: ${set.detail}`);
  const asked = await parts.roles.run(budget.left(), async (connection, left): Promise<Outcome<void>> => {
    const rows = await connection.query(recoveryQuery, [], left.left());
    if (rows[0]?.['in_recovery'] !== true) return done(undefined);
    // Sent in the same turn as it is allowed. Not waiting: the server would look every 100 ms only.
    if (!leave.given()) return notAllowed();
    await connection.query('SELECT pg_promote(false)', [], left.left());
    return done(undefined);
  });
  if (asked.kind === 'rejected') return asked;
  let last = 'not asked yet';
  while (budget.left() > 0) {
    if (leave.fenced()) return endedMeanwhile();
    const recovering = await isRecovering(parts, budget);
    if (recovering.kind === 'done' && !recovering.value) return beginSegment(parts, budget);
    last = recovering.kind === 'done' ? 'still in recovery' : recovering.detail;
    // It died of it: the guard must not wait for the end of its deadline to see that.
    if (recovering.kind !== 'done' && parts.processes.postmaster() === null) return rejected('not-running', last);
    await pause(pollMs);
  }
  return unknown(`not promoted yet: ${last}`);
}

/**
 * V8: a diverged old primary asks for its old timeline from the beginning of the segment, is served up to the fork, and says that it
 * has flushed all of its own tail. Nothing written from here on lies that low; where its tail ends in a later segment it is not served.
 */
async function beginSegment(parts: Parts, budget: Budget): Promise<Outcome<void>> {
  const switched = await parts.roles.run(budget.left(), async (connection, left) => {
    await connection.query('SELECT pg_switch_wal()', [], left.left());
    return done(undefined);
  });
  if (switched.kind !== 'done') parts.report(`a new WAL segment: ${switched.detail}`);
  return done(undefined);
}

const recoveryQuery = 'SELECT pg_is_in_recovery() AS in_recovery';

function isRecovering(parts: Parts, budget: Budget): Promise<Outcome<boolean>> {
  return parts.roles.run(Math.min(questionMs, budget.left()), async (connection, left) => {
    const rows = await connection.query(recoveryQuery, [], left.left());
    return done(rows[0]?.['in_recovery'] === true);
  });
}

/** Best effort: a database runs without it, and follows nobody once it is a standby. */
function prepareForRecovery(parts: Parts, waits: boolean): Outcome<void> {
  try {
    writeStandbyConfig(parts.settings, waits);
    return done(undefined);
  } catch (error) {
    parts.report(`standby settings: ${detailOf(error)}`);
    return unknown(detailOf(error));
  }
}
