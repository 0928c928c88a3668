import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeClass } from '../../../src/core/observe/observation.ts';
import { type Bearing, bearingOnPrimary, canBeBlindness } from '../../../src/core/verdict/classes.ts';

/** Only what means that clients cannot write counts; what is the watcher's own trouble, or a want of a lease, never does. */
const rows: Readonly<Record<ProbeClass, readonly [bearing: Bearing, standbyMayTestify: boolean]>> = {
  ok: ['good', false],
  refused: ['bad', false],
  timeout: ['bad', true],
  unreachable: ['bad', true],
  auth: ['neutral', false],
  'too-many-connections': ['neutral', false],
  'starting-up': ['bad', false],
  'in-recovery': ['bad', false],
  'read-only': ['bad', false],
  'write-stalled': ['bad', false],
  'disk-full': ['bad', false],
  'wrong-system': ['bad', false],
  'wrong-timeline': ['bad', false],
  protocol: ['neutral', false],
  fenced: ['neutral', false],
};

for (const [probe, [bearing, testify]] of Object.entries(rows) as [ProbeClass, readonly [Bearing, boolean]][]) {
  test(`V1: ${probe} is ${bearing}${testify ? ', and the standby may testify against it (V2)' : ''}`, () => {
    assert.equal(bearingOnPrimary(probe), bearing);
    assert.equal(canBeBlindness(probe), testify);
  });
}
