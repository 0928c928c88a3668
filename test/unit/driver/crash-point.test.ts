import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashVariable, labVariable, readCrashPoint } from '../../../src/driver/crash-point.ts';

function read(text: string | undefined, lab = '1') {
  let kills = 0;
  const point = readCrashPoint({ [crashVariable]: text, [labVariable]: lab }, () => {
    kills += 1;
  });
  const after = (...names: string[]) => {
    for (const name of names) if (point.kind === 'armed') point.afterEffect(name);
    return kills;
  };
  return { kind: point.kind, after };
}

test('without the variable nothing is armed', () => {
  assert.equal(read(undefined).kind, 'none');
  assert.equal(read('').kind, 'none');
});

test('production refuses the variable', () => {
  assert.equal(read('persist', '0').kind, 'refused');
  assert.equal(read('persist', '').kind, 'refused');
});

for (const name of ['persist', 'persist:accepted', 'send:accept', 'reply:promise', 'register-swap', 'act:switch-env']) {
  test(`${name} kills once, exactly after that effect`, () => {
    const point = read(name);
    assert.equal(point.after('register-read', 'act:other', 'send:other'), 0);
    assert.equal(point.after(name), 1);
    assert.equal(point.after(name), 1);
  });
}

test('#3 is the third time', () => {
  const point = read('send:state#3');
  assert.equal(point.after('send:state', 'send:state'), 0);
  assert.equal(point.after('send:state'), 1);
});

for (const text of ['nonsense', 'send', 'act:', 'persist#0', 'send:accept#x', 'act:Up']) {
  test(`${text} is refused: a crash that never comes would prove nothing`, () => {
    assert.equal(read(text).kind, 'refused');
  });
}

test('armed by another effect: only what comes after that one counts', () => {
  let killed = 0;
  const environment = { SITEWARD_LAB: '1', SITEWARD_CRASH_AFTER: 'persist:promised>send:chosen' };
  const point = readCrashPoint(environment, () => {
    killed += 1;
  });
  assert.equal(point.kind, 'armed');
  if (point.kind !== 'armed') return;
  for (const name of ['send:chosen', 'persist:promised']) point.afterEffect(name);
  assert.equal(killed, 0);
  point.afterEffect('send:chosen');
  assert.equal(killed, 1);
});
