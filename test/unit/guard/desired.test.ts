// What a guard wants of its database, as a table: one row a situation, and the next deed or none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NextDeed, nextDeed } from '../../../src/core/guard/desired.ts';
import type { GuardDurable, GuardState, Role } from '../../../src/core/guard/state.ts';
import { startGuard } from '../../../src/core/guard/state.ts';
import type { ProcessReport } from '../../../src/core/observe/observation.ts';
import { chosenAt, settings } from './voters.ts';

const now = 100_000;
const epoch = (number: number) => ({ era: { number: 0, site: 'site1' as const }, epoch: number });

type Row = {
  readonly name: string;
  readonly role: Role;
  readonly deed: NextDeed | null;
  readonly epoch?: number;
  readonly primary?: 'site1' | 'site2';
  readonly noted?: number;
  readonly ranIn?: number | null;
  readonly beatenIn?: number | null;
  /** Ms left of the lease; null for none. */
  readonly lease?: number | null;
  readonly quarantineMs?: number;
  readonly promisedMs?: number;
  readonly control?: string;
  readonly change?: Partial<GuardState>;
  readonly durable?: Partial<GuardDurable>;
};

const rows: readonly Row[] = [
  { name: 'primary, lease: it serves', role: 'primary', deed: null },
  { name: 'a crashed primary under its lease starts in place', role: 'none', deed: 'start-primary' },
  { name: 'stopped, without a lease: it stays stopped', role: 'none', lease: null, deed: null },
  { name: 'stopped, with F left of the lease: nothing is begun any more', role: 'none', lease: 905, deed: null },
  {
    name: 'found in recovery in an epoch in which it was a primary: stopped, never promoted',
    role: 'standby',
    deed: 'stop',
  },
  {
    name: 'a standby in an epoch in which it never ran: promoted',
    role: 'standby',
    ranIn: 1,
    beatenIn: 1,
    deed: 'promote',
  },
  {
    name: 'asked to promote but never seen to write: promoted again',
    role: 'standby',
    ranIn: 3,
    beatenIn: 1,
    deed: 'promote',
  },
  {
    name: 'a stopped standby is started as one before its promotion',
    role: 'none',
    ranIn: 1,
    beatenIn: 1,
    deed: 'start-standby',
  },
  {
    name: 'a standby within the wait after the start of its guard (L8, C5)',
    role: 'standby',
    ranIn: 1,
    beatenIn: 1,
    quarantineMs: 5,
    deed: null,
  },
  {
    name: 'a start in an epoch in which it ran needs no such wait',
    role: 'none',
    quarantineMs: 5000,
    deed: 'start-primary',
  },
  {
    name: 'a failsafe promise given stands against a promotion',
    role: 'standby',
    ranIn: 1,
    beatenIn: 1,
    promisedMs: 5,
    deed: null,
  },
  { name: 'a failsafe promise given stands against a start', role: 'none', promisedMs: 5, deed: null },
  { name: 'a standby without a lease keeps following', role: 'standby', lease: null, ranIn: 1, deed: null },
  { name: 'not what it was told: no deed on what is unknown', role: 'unknown', deed: null },
  { name: 'a later epoch noted than the lease is of: nothing (L10)', role: 'none', noted: 4, deed: null },
  {
    name: 'the other site is the primary: stopped becomes a standby',
    role: 'none',
    primary: 'site2',
    lease: null,
    deed: 'start-standby',
  },
  {
    name: 'the other site is the primary: a standby is what it should be',
    role: 'standby',
    primary: 'site2',
    lease: null,
    deed: null,
  },
  {
    name: 'the founding database, stopped: started as the primary it was',
    role: 'none',
    epoch: 1,
    ranIn: null,
    beatenIn: null,
    quarantineMs: 5000,
    control: 'shut down',
    deed: 'start-primary',
  },
  {
    name: 'the founding database, found to be a standby: promoted',
    role: 'standby',
    epoch: 1,
    ranIn: null,
    beatenIn: null,
    deed: 'promote',
  },
  {
    name: 'before the first lease nothing is started (Q0)',
    role: 'none',
    epoch: 1,
    ranIn: null,
    beatenIn: null,
    lease: null,
    durable: { heldFirstLease: false },
    deed: null,
  },
  {
    name: 'while it is fenced',
    role: 'none',
    change: { fencing: { cause: 'crash', since: now, retryAt: null } },
    deed: null,
  },
  {
    name: 'while it gives up',
    role: 'none',
    change: { leaving: { cause: 'crash', gone: true, position: null, holdMs: 0, orderUntil: null } },
    deed: null,
  },
  {
    name: 'while an order stops it',
    role: 'none',
    change: { order: { kind: 'restart', epoch: epoch(3), until: now + 9, phase: 'stopping' } },
    deed: null,
  },
  {
    name: 'once a restart has stopped it',
    role: 'none',
    change: { order: { kind: 'restart', epoch: epoch(3), until: now + 9, phase: 'starting' } },
    deed: 'start-primary',
  },
  { name: 'before it knows what its start found (L11)', role: 'none', change: { startup: 'looking' }, deed: null },
];

function stateOf(row: Row): GuardState {
  const number = row.epoch ?? 3;
  const id = (value: number | null) => (value === null ? null : epoch(value));
  const disk: GuardDurable = {
    cluster: 'test-1',
    noted: epoch(row.noted ?? number),
    chosen: chosenAt(5, { epoch: number, primary: row.primary ?? 'site1' }),
    roundStart: 1,
    ranIn: id(row.ranIn === undefined ? number : row.ranIn),
    beatenIn: id(row.beatenIn === undefined ? number : row.beatenIn),
    heldFirstLease: true,
    longestTtlMs: 3000,
    waits: false,
    failsafeOf: null,
    ...row.durable,
  };
  const lease = row.lease === undefined ? 2500 : row.lease;
  const process: ProcessReport = {
    running: row.role !== 'none',
    postmaster: row.role !== 'none',
    signalFile: true,
    controlState: row.control ?? 'in production',
    systemId: '7',
    timeline: 1,
    full: false,
  };
  const fresh = startGuard('site1', settings, disk, now - 60_000, 1);
  return {
    ...fresh,
    startup: 'over',
    quarantinedUntil: now + (row.quarantineMs ?? 0),
    promisedUntil: now + (row.promisedMs ?? 0),
    lease: lease === null ? null : { epoch: epoch(number), until: now + lease, round: { start: 1, seq: 1 } },
    db: { ...fresh.db, role: row.role, process: { at: now, value: process } },
    ...row.change,
  };
}

for (const row of rows) {
  test(`${row.name}: ${row.deed ?? 'nothing'}`, () => {
    assert.equal(nextDeed(stateOf(row), now), row.deed);
  });
}
