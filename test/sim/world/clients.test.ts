import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch, type Kit, kit, simulated, token } from './applications.kit.ts';

function ends(world: Kit): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { end } of world.told) count[end] = (count[end] ?? 0) + 1;
  return count;
}

test(
  'in quiet times every write is acknowledged by the primary, and read',
  simulated(() => {
    const world = kit();
    world.clients.start();
    world.run(60);
    world.clients.stop();
    world.run(1);
    assert.deepEqual(ends(world), { done: world.clients.lastWrite });
    assert.ok(world.clients.lastWrite > 90 && world.clients.lastWrite < 150);
    assert.ok(world.told.every(({ id, database }) => database === 'site1' && world.databases.site1.written.has(id)));
    assert.ok(world.reads.length > 25);
    assert.deepEqual(
      world.reads,
      world.reads.toSorted((a, b) => a - b),
    );
    assert.equal(world.clients.waiting, 0);
  }),
);

test(
  'a failover of the database is a pause: what was held is written to the new primary',
  simulated(() => {
    const world = kit();
    world.clients.start();
    world.run(10);
    world.databases.site1.be({ kind: 'refused', session: 2 });
    world.run(6);
    world.databases.site2.be({ writable: true, epoch: epoch(2) });
    for (const site of ['site1', 'site2'] as const)
      assert.equal(world.outcome(world.ssh[site].switchEnv(site, 'site2', token(2), 4000))?.kind, 'done');
    world.run(10);
    world.clients.stop();
    world.run(1);
    assert.equal(ends(world)['failed'], undefined);
    assert.equal(world.told.length, world.clients.lastWrite);
    assert.ok(world.told.slice(-20).every(({ database }) => database === 'site2'));
  }),
);

test(
  'a move of the name takes the clients along when their TTL is over',
  simulated(() => {
    const world = kit();
    world.clients.start();
    world.run(5);
    world.outcome(world.route53.dnsOf(world.agents.site1).point(world.addresses.site2, 'moved', 3000));
    world.run(20);
    world.powerOff(world.balancers.site1.machine);
    world.run(10);
    assert.deepEqual(Object.keys(ends(world)), ['done']);
  }),
);

test(
  'a client that hears nothing gives up in doubt; one that reaches nobody waits',
  simulated(() => {
    const world = kit();
    world.clients.start();
    world.run(5);
    world.network.path('site1', 'internet').cut = true;
    world.run(60);
    world.network.heal();
    world.run(30);
    const count = ends(world);
    assert.ok((count['in-doubt'] ?? 0) > 50);
    assert.ok((count['done'] ?? 0) > 10);
    assert.ok(world.clients.waiting < 5);
  }),
);

test(
  'one seed is one run',
  simulated(() => {
    const told = [1, 2].map(() => {
      const world = kit('again');
      world.clients.start();
      world.run(5);
      for (const instance of world.hosts.site1.instances) world.hosts.site1.crash(instance);
      world.network.path('site1', 'site2').lossPerMille = 300;
      world.run(20);
      return JSON.stringify([world.told, world.reads, world.scheduler.events]);
    });
    assert.equal(told[0], told[1]);
  }),
);

test(
  'nothing is left behind: what waits does not grow with time',
  simulated(() => {
    const world = kit();
    world.clients.load = { clients: 5, writesPerSecond: 50, readEvery: 2 };
    world.clients.start();
    world.run(100);
    const before = world.scheduler.waiting;
    world.run(400);
    assert.ok(world.scheduler.waiting <= before + 50, `${before} ${world.scheduler.waiting}`);
  }),
);
