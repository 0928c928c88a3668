// The DNS adapter against the double of Route 53, and what resolvers see of it.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { after, before, describe, it } from 'node:test';
import { createDns, type Route53Dns } from '../../src/adapters/route53/dns.ts';
import { entryZone, type RunningZone, startZone } from '../lab/zone/start.ts';

const name = 'birthday.siteward.test';
const deadlineMs = 2000;

describe('route53 dns', () => {
  let zone: RunningZone;
  let dns: Route53Dns;
  const resolver = new Resolver({ timeout: 1000, tries: 1 });

  before(async () => {
    zone = await startZone(['--insync-ms', '300']);
    resolver.setServers([`${zone.dns.host}:${zone.dns.port}`]);
    const { endpoint, credentialsFile } = zone;
    dns = createDns({ hostedZoneId: entryZone.id, name, ttlSeconds: 10, endpoint, credentialsFile });
  });
  after(async () => {
    dns.close();
    await zone[Symbol.asyncDispose]();
  });

  it('has no address at first', async () => {
    assert.deepEqual(await dns.read(deadlineMs), { kind: 'done', value: null });
  });

  it('points the name, PENDING until all servers answer so', async () => {
    for (const address of ['172.20.1.10', '172.21.1.10', '172.21.1.10']) {
      const outcome = await dns.point(address, `epoch 2 to ${address}`, deadlineMs);
      assert.equal(outcome.kind, 'done');
      const id = outcome.kind === 'done' ? outcome.value.id : '';
      assert.deepEqual(await dns.inSync(id, deadlineMs), { kind: 'done', value: false });
      assert.deepEqual(await dns.read(deadlineMs), { kind: 'done', value: address });
      await new Promise((resolve) => setTimeout(resolve, 350));
      assert.deepEqual(await dns.inSync(id, deadlineMs), { kind: 'done', value: true });
      assert.deepEqual(await resolver.resolve4(name, { ttl: true }), [{ address, ttl: 10 }]);
    }
  });

  it('overwrites what a person put there', async () => {
    const values = ['192.0.2.1', '192.0.2.2'];
    await zone.control.putRecord(entryZone.id, { name, type: 'A', ttl: 300, values });
    assert.deepEqual(await dns.read(deadlineMs), { kind: 'done', value: '192.0.2.1 192.0.2.2' });
    assert.equal((await dns.point('172.20.1.10', 'back', deadlineMs)).kind, 'done');
    assert.deepEqual(await dns.read(deadlineMs), { kind: 'done', value: '172.20.1.10' });
  });

  it('is rejected for an address that is none, and for a change that is not known', async () => {
    const bad = await dns.point('site1', 'x', deadlineMs);
    assert.equal(bad.kind === 'rejected' && bad.code, 'invalid');
    const gone = await dns.inSync('CNOSUCHCHANGE', deadlineMs);
    assert.equal(gone.kind === 'rejected' && gone.code, 'missing');
  });

  it('gets no answer while throttled', async () => {
    await zone.control.setMode(entryZone.id, { throttle: 'all' });
    assert.equal((await dns.point('172.20.1.10', 'x', deadlineMs)).kind, 'unknown');
    assert.equal((await dns.read(deadlineMs)).kind, 'unknown');
    await zone.control.clearMode(entryZone.id);
  });
});
