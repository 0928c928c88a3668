import assert from 'node:assert/strict';
import { test } from 'node:test';
import { second } from '../engine/scheduler.ts';
import { ApplicationHost } from './application-host.ts';
import { epoch, type Kit, kit, simulated, token } from './applications.kit.ts';
import type { Instance } from './instance.ts';
import { Request, type RequestEnd } from './request.ts';

function first(world: Kit): Instance {
  const [instance] = world.hosts.site1.instances;
  assert.ok(instance);
  return instance;
}

/** Gives an instance one write, past HAProxy. */
function write(world: Kit, instance: Instance, id: number) {
  const request = new Request('write', id, 0, 'site1', world.scheduler.now);
  const told: { end: RequestEnd | 'broken' | null; at: number } = { end: null, at: 0 };
  const tell = (end: RequestEnd | 'broken'): void => {
    told.end = end;
    told.at = world.scheduler.now;
  };
  instance.take(request, { answer: (_request, end) => tell(end), broken: () => tell('broken') });
  return told;
}

function probe(world: Kit) {
  const port = ApplicationHost.applicationsOf(world.hosts, world.agents.site1);
  return world.outcome(port.probe('site1', 800))?.map((report) => report.class);
}

test(
  'a request is held while the database is not writable, and carried out once it is',
  simulated(() => {
    const world = kit();
    world.databases.site1.be({ writable: false });
    const told = write(world, first(world), 1);
    world.run(5);
    assert.equal(told.end, null);
    const report = first(world).report();
    assert.deepEqual([report.holding, report.writable, report.ready], [1, false, false]);
    world.databases.site1.be({ writable: true });
    world.run(0.5);
    assert.equal(told.end, 'done');
    assert.ok(world.databases.site1.written.has(1));
    assert.equal(first(world).report().ready, true);
  }),
);

test(
  'a request is held for 15 s: then it has failed, or is in doubt where a database had it',
  simulated(() => {
    const world = kit();
    world.databases.site1.be({ kind: 'refused', session: 2 });
    const failed = write(world, first(world), 1);
    const [, other] = world.hosts.site1.instances;
    assert.ok(other);
    world.run(16);
    assert.equal(failed.end, 'failed');
    world.databases.site1.be({ kind: 'welcome' });
    world.databases.site1.commits = null;
    const doubt = write(world, other, 2);
    world.run(18);
    assert.equal(doubt.end, 'in-doubt');
  }),
);

test(
  'an instance that only holds stays ready for 30 s',
  simulated(() => {
    const world = kit();
    const instance = first(world);
    assert.ok(instance.isReady());
    world.databases.site1.be({ kind: 'refused', session: 2 });
    world.run(1);
    assert.deepEqual([instance.isReady(), instance.report().writable], [true, null]);
    world.run(31);
    assert.equal(instance.isReady(), false);
  }),
);

test(
  'I8: a database of a lower epoch is not served from, not even after a restart',
  simulated(() => {
    const world = kit();
    const host = world.hosts.site1;
    world.databases.site2.be({ writable: true, epoch: epoch(2) });
    assert.equal(world.outcome(world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000))?.kind, 'done');
    assert.ok(first(world).isReady());
    // A person puts the old file back by hand, and the old primary is still there.
    host.files.active = host.files.staged.site1;
    for (const instance of host.instances) host.crash(instance);
    world.run(3);
    const told = write(world, first(world), 1);
    world.run(16);
    assert.equal(told.end, 'failed');
    assert.equal(world.databases.site1.written.size, 0);
  }),
);

test(
  'a change of the epoch is seen by the next round of the watch, a broken connection at once',
  simulated(() => {
    const world = kit();
    const instance = first(world);
    assert.ok(instance.isReady());
    world.databases.site1.be({ writable: false });
    world.run(0.26);
    assert.equal(instance.report().writable, null);
    world.databases.site1.be({ writable: true });
    world.run(0.2);
    assert.equal(instance.report().writable, true);
    world.databases.site1.be({ session: 2 });
    assert.equal(instance.report().writable, null);
  }),
);

test(
  'a database that does not answer is given up after a second, and the write sent to another connection',
  simulated(() => {
    const world = kit();
    const instance = first(world);
    assert.ok(instance.isReady());
    world.databases.site1.be({ kind: 'silent' });
    const told = write(world, instance, 1);
    world.run(4);
    assert.deepEqual([told.end, instance.report().holding], [null, 1]);
    world.databases.site1.be({ kind: 'welcome' });
    world.run(1.5);
    assert.equal(told.end, 'done');
  }),
);

test(
  'crash, hang, an ignored reload',
  simulated(() => {
    const world = kit();
    const instance = first(world);
    const host = world.hosts.site1;
    assert.deepEqual(probe(world), ['ok', 'ok', 'ok']);
    instance.process?.freeze();
    const late = write(world, instance, 1);
    assert.deepEqual(probe(world), ['timeout', 'ok', 'ok']);
    assert.equal(late.end, null);
    instance.process?.thaw();
    world.run(0.1);
    assert.equal(late.end, 'done');
    host.crash(instance);
    assert.equal(write(world, instance, 2).end, 'broken');
    assert.deepEqual(probe(world), ['refused', 'ok', 'ok']);
    world.run(2.5);
    assert.deepEqual(probe(world), ['ok', 'ok', 'ok']);
    instance.ignoresReload = true;
    world.outcome(world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000));
    assert.deepEqual(
      host.instances.map((each) => each.database),
      ['site1', 'site2', 'site2'],
    );
    world.powerOff(host.machine);
    assert.deepEqual(probe(world), ['timeout', 'timeout', 'timeout']);
  }),
);

test(
  'what is in flight on the old database at a switch gets a grace, then goes to the new one',
  simulated(() => {
    const world = kit();
    const instance = first(world);
    assert.ok(instance.isReady());
    world.databases.site1.commits = null;
    const told = write(world, instance, 1);
    world.run(0.1);
    world.databases.site2.be({ writable: true, epoch: epoch(2) });
    world.outcome(world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000));
    const switched = world.scheduler.now;
    world.run(1);
    assert.equal(told.end, 'done');
    assert.ok(told.at - switched < second);
    assert.ok(world.databases.site2.written.has(1));
  }),
);
