import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kit, kit, simulated } from './applications.kit.ts';
import { SiteBalancer } from './balancer.ts';
import { Request, type RequestEnd } from './request.ts';

function words(world: Kit): string {
  const { servers } = world.balancers.site1.report();
  return servers.map(({ status }) => status).join(' ');
}

/** Looks every tenth of a second until the states are as wanted; gives the seconds, at most `limit`. */
function until(world: Kit, wanted: string, limit: number): number {
  const begun = world.scheduler.now;
  while (words(world) !== wanted && world.scheduler.now - begun < limit * 1_000_000) world.run(0.1);
  return (world.scheduler.now - begun) / 1_000_000;
}

function ask(world: Kit, id: number) {
  const told: { end: RequestEnd | null } = { end: null };
  const request = new Request('write', id, 0, 'site1', world.scheduler.now);
  world.balancers.site1.take(request, (_request, end) => {
    told.end = end;
  });
  return { told, request };
}

const allUp = 'up up up up up up';

test(
  'requests go round robin to all six',
  simulated(() => {
    const world = kit();
    const asked = [1, 2, 3, 4, 5, 6].map((id) => ask(world, id));
    world.run(1);
    assert.deepEqual(
      asked.map(({ told }) => told.end),
      Array(6).fill('done'),
    );
    assert.equal(new Set(asked.map(({ request }) => request.instance)).size, 6);
  }),
);

test(
  'two failed checks take an instance out, one good one takes it in',
  simulated(() => {
    const world = kit();
    const [instance] = world.hosts.site1.instances;
    assert.ok(instance);
    assert.equal(words(world), allUp);
    instance.stopped = true;
    world.hosts.site1.crash(instance);
    const fell = until(world, 'down up up up up up', 5);
    assert.ok(fell >= 0.2 && fell <= 0.9, `${fell}`);
    instance.stopped = false;
    world.hosts.site1.startInstance(instance);
    const rose = until(world, allUp, 5);
    assert.ok(rose <= 0.7, `${rose}`);
  }),
);

test(
  'a silent host takes two time-outs to be out; meanwhile requests are tried elsewhere after a second',
  simulated(() => {
    const world = kit();
    assert.equal(words(world), allUp);
    world.network.path('site1', 'site2').cut = true;
    const asked = [1, 2, 3, 4, 5, 6].map((id) => ask(world, id));
    world.run(0.5);
    assert.equal(asked.filter(({ told }) => told.end === 'done').length, 3);
    const fell = until(world, 'up up up down down down', 10);
    assert.ok(fell >= 2.5 && fell <= 4, `${fell}`);
    assert.deepEqual(
      asked.map(({ told }) => told.end),
      Array(6).fill('done'),
    );
  }),
);

test(
  'a drained server takes no traffic; with all drained it is 503 at once; a restart forgets it',
  simulated(() => {
    const world = kit();
    const port = SiteBalancer.balancerOf(world.balancers, 'site1', world.agents.site1);
    const names = world.balancers.site1.report().servers.map(({ name }) => name);
    assert.deepEqual(world.outcome(port.set('site1-app-8001', 'drain', 1000)), { kind: 'done', value: undefined });
    assert.equal(words(world), 'drain up up up up up');
    for (let id = 1; id <= 12; id += 1) assert.notEqual(ask(world, id).request.instance, 'site1-app-8001');
    for (const name of names) world.outcome(port.set(name, 'drain', 1000));
    assert.equal(ask(world, 13).told.end, 'failed');
    assert.equal(world.outcome(port.set('site1-app-8009', 'ready', 1000))?.kind, 'rejected');
    world.balancers.site1.crash();
    world.run(2);
    assert.equal(words(world), allUp);
  }),
);

test(
  'a crash puts what is under way in doubt; a hang answers nobody',
  simulated(() => {
    const world = kit();
    const { site1 } = world.balancers;
    const probe = () =>
      world.outcome(SiteBalancer.balancerOf(world.balancers, 'site2', world.agents.site2).probe('site1', 800))?.class;
    world.databases.site1.commits = null;
    const { told } = ask(world, 1);
    world.run(0.1);
    assert.equal(site1.kill(), true);
    assert.equal(told.end, 'in-doubt');
    assert.equal(probe(), 'refused');
    assert.equal(ask(world, 2).told.end, 'failed');
    world.run(5);
    assert.equal(probe(), 'refused');
    site1.start();
    assert.equal(probe(), 'ok');
    const thaw = site1.freeze();
    assert.equal(probe(), 'timeout');
    thaw?.();
    assert.equal(probe(), 'ok');
  }),
);

test(
  'an instance that dies with a request loses nobody: another one gets it',
  simulated(() => {
    const world = kit();
    world.databases.site1.commits = null;
    const { told, request } = ask(world, 1);
    world.run(0.1);
    const first = request.instance;
    const host = first.startsWith('site1') ? world.hosts.site1 : world.hosts.site2;
    world.databases.site1.commits = 'acknowledged';
    for (const instance of host.instances) if (instance.name === first) host.crash(instance);
    world.run(0.5);
    assert.equal(told.end, 'done');
    assert.notEqual(request.instance, first);
  }),
);
