import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChecks, type ScheduledCheck, scheduleProblem } from '../../../src/adapters/cron/checks.ts';

function checksOf(checks: readonly ScheduledCheck[], deadlineMs = 1000) {
  const values = new Map<string, number>();
  const lines: unknown[] = [];
  const made = createChecks({
    schedule: '*/5 * * * *',
    checks,
    deadlineMs,
    clock: { wall: () => 1_790_000_000_500 },
    log: { event: (level, event, fields) => void lines.push([level, event, fields]), flush: () => {} },
    metrics: {
      set: (name, value, labels) => void values.set(`${name} ${labels?.['check'] ?? ''}`, value),
      count: () => {},
      observe: () => {},
    },
  });
  return { made, values, lines };
}

const fine: ScheduledCheck = { name: 'disk', run: () => Promise.resolve({ ok: true, why: '' }) };
const bad: ScheduledCheck = { name: 'ssh', run: () => Promise.resolve({ ok: false, why: 'no route' }) };
const broken: ScheduledCheck = { name: 'dns', run: () => Promise.reject(new Error('bug')) };
const slow: ScheduledCheck = { name: 'slow', run: () => new Promise(() => {}) };

test('all checks run at the start; each is a metric, a failure a line of the log', async () => {
  const { made, values, lines } = checksOf([fine, bad, broken, slow], 50);
  await made.start();
  await made.stop();
  assert.deepEqual(
    [...values.entries()].filter(([name]) => name.startsWith('siteward_check_ok')),
    [
      ['siteward_check_ok disk', 1],
      ['siteward_check_ok ssh', 0],
      ['siteward_check_ok dns', 0],
      ['siteward_check_ok slow', 0],
    ],
  );
  assert.equal(values.get('siteward_check_timestamp_seconds disk'), 1_790_000_000);
  assert.deepEqual(lines.slice(0, 2), [
    ['debug', 'check.passed', { check: 'disk' }],
    ['warn', 'check.failed', { check: 'ssh', why: 'no route' }],
  ]);
  assert.deepEqual(made.results()['slow'], { ok: false, why: 'took longer than 50 ms' });
});

test('a schedule that is none is said to be none', () => {
  assert.equal(scheduleProblem('*/5 * * * *'), null);
  assert.match(scheduleProblem('61 * * * *') ?? '', /no cron/);
});
