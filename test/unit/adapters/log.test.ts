import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/adapters/log/log.ts';

function logged(level: 'info' | 'debug', write: (log: ReturnType<typeof createLog>) => void) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  write(createLog({ level, base: { role: 'agent', site: 'site1' }, destination }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line is one JSON object: level in words, constant message, fields beside it', () => {
  const [line] = logged('info', (log) => log.event('info', 'record.chosen', { epoch: 4 }));
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(
    { ...line, time: '' },
    {
      level: 'info',
      time: '',
      role: 'agent',
      site: 'site1',
      event: 'record.chosen',
      epoch: 4,
      message: 'record chosen',
    },
  );
});

test('lines below the level are not written; a name that is not listed stands for its message', () => {
  const lines = logged('info', (log) => {
    log.event('debug', 'decide.hold', {});
    log.event('warn', 'something.new', {});
  });
  assert.deepEqual(
    lines.map((line) => line['message']),
    ['something.new'],
  );
});

test('secrets are censored, on top and one level down', () => {
  const lines = logged('info', (log) => {
    log.event('info', 'process.started', { password: 'hunter2', database: { dbpass: 'hunter2', host: 'x' } });
  });
  assert.ok(!JSON.stringify(lines).includes('hunter2'));
  assert.deepEqual(lines[0]?.['database'], { dbpass: '[secret]', host: 'x' });
});

test('a flood of one event is cut off and hides no other', (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const lines = logged('info', (log) => {
    for (let line = 0; line < 1000; line += 1) log.event('warn', 'peer.refused', {});
    log.event('info', 'record.chosen', {});
    now = 20_000;
    log.event('info', 'record.chosen', {});
  });
  assert.deepEqual(
    lines.slice(199).map((line) => [line['event'], line['dropped']]),
    [
      ['peer.refused', undefined],
      ['record.chosen', undefined],
      ['log.dropped', 800],
      ['record.chosen', undefined],
    ],
  );
});
