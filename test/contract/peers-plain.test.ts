import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createPlainListener } from '../../src/adapters/http/plain-listener.ts';

let broken = false;
const listener = createPlainListener({
  address: '127.0.0.1',
  port: 0,
  metrics: () => (broken ? Promise.reject(new Error('bug')) : Promise.resolve({ type: 'text/plain', text: 'up 1\n' })),
  health: () => ({ ok: true, body: { role: 'agent' } }),
  entry: () => ({ ok: false, body: { entry: 'site2' } }),
});
await listener.listen();
after(() => listener.close());

async function get(path: string, method = 'GET') {
  const response = await fetch(`http://127.0.0.1:${listener.port()}${path}`, { method });
  return [response.status, (await response.text()).trim()] as const;
}

test('metrics, health and entry; what is not well is 503', async () => {
  assert.deepEqual(await get('/metrics'), [200, 'up 1']);
  assert.deepEqual(await get('/health'), [200, '{"role":"agent"}']);
  assert.deepEqual(await get('/entry?x=1'), [503, '{"entry":"site2"}']);
});

test('nothing else is served, and a metric that throws is an error of that request only', async () => {
  assert.equal((await get('/v1'))[0], 404);
  assert.equal((await get('/metrics', 'POST'))[0], 405);
  broken = true;
  assert.equal((await get('/metrics'))[0], 500);
  broken = false;
  assert.equal((await get('/metrics'))[0], 200);
});
