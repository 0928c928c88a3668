import assert from 'node:assert/strict';
import { test } from 'node:test';
import { second } from '../engine/scheduler.ts';
import { type Kit, kit, simulated } from './applications.kit.ts';

const deadlineMs = 1200;

function ports(world: Kit) {
  const register = world.route53.registerOf(world.agents.site1);
  const word = (outcome: { kind: string; code?: string } | undefined) => outcome?.code ?? outcome?.kind;
  return {
    read: () => world.outcome(register.read(deadlineMs)),
    swap: (expected: string | null, next: string) => word(world.outcome(register.swap(expected, next, deadlineMs))),
  };
}

test(
  'one exact string is swapped for another; a lost race is a conflict',
  simulated(() => {
    const world = kit();
    const { read, swap } = ports(world);
    assert.deepEqual(read(), { kind: 'done', value: null });
    assert.equal(swap('a', 'b'), 'conflict');
    assert.equal(swap(null, 'a'), 'done');
    assert.equal(swap(null, 'b'), 'conflict');
    assert.equal(swap('a', 'b'), 'done');
    assert.equal(swap('a', 'c'), 'conflict');
    assert.deepEqual(read(), { kind: 'done', value: 'b' });
  }),
);

test(
  'of two swaps at once one is done, the other is none',
  simulated(() => {
    const world = kit();
    const [one, other] = [world.agents.site1, world.agents.site2].map((agent) => world.route53.registerOf(agent));
    assert.ok(one && other);
    const ends = world.outcome(Promise.all([one.swap(null, 'a', deadlineMs), other.swap(null, 'b', deadlineMs)]));
    assert.deepEqual(ends?.map(({ kind }) => kind).sort(), ['done', 'unknown']);
    assert.equal(world.route53.register.writes, 1);
  }),
);

test(
  'down, throttled, without an answer: unknown; the last of these has happened',
  simulated(() => {
    const world = kit();
    const { faults, register } = world.route53;
    const { read, swap } = ports(world);
    faults.down = true;
    assert.equal(read()?.kind, 'unknown');
    assert.equal(swap(null, 'a'), 'unknown');
    world.route53.heal();
    faults.throttlePerMille = 1000;
    assert.equal(swap(null, 'a'), 'unknown');
    world.route53.heal();
    world.network.path('internet', 'site1').cut = true;
    assert.equal(register.value, null);
    assert.equal(swap(null, 'a'), 'unknown');
    world.network.heal();
    assert.equal(register.value, 'a');
    faults.lostAnswerPerMille = 1000;
    assert.equal(swap('a', 'b'), 'unknown');
    assert.equal(register.value, 'b');
    world.route53.heal();
    faults.failPerMille = 1000;
    const after = new Set<string | null>();
    for (let run = 0; run < 8; run += 1) {
      const before: string = String(register.value);
      assert.equal(swap(before, `${before}.`), 'unknown');
      after.add(register.value === before ? 'not made' : 'made');
    }
    assert.equal(after.size, 2);
  }),
);

test(
  'a change may land after whoever asked has given up, unless another one came before it',
  simulated(() => {
    for (const between of [false, true]) {
      const world = kit();
      const { swap } = ports(world);
      assert.equal(swap(null, 'a'), 'done');
      world.route53.faults.latePerMille = 1000;
      assert.equal(swap('a', 'late'), 'unknown');
      assert.equal(world.route53.register.value, 'a');
      world.route53.heal();
      if (between) assert.equal(swap('a', 'b'), 'done');
      world.run(13);
      assert.equal(world.route53.register.value, between ? 'b' : 'late');
    }
  }),
);

test(
  'people delete the record or put an older value back; a read may be of a moment ago',
  simulated(() => {
    const world = kit();
    const { register, faults } = world.route53;
    const { read, swap } = ports(world);
    for (const [before, next] of [
      [null, 'a'],
      ['a', 'b'],
      ['b', 'c'],
    ] as const)
      assert.equal(swap(before, next), 'done');
    assert.ok(register.putBack(2, world.scheduler.now));
    assert.equal(register.value, 'a');
    assert.ok(!register.putBack(10, world.scheduler.now));
    faults.stalePerMille = 1000;
    assert.deepEqual(read(), { kind: 'done', value: 'c' });
    world.run(6);
    assert.deepEqual(read(), { kind: 'done', value: 'a' });
    register.delete(world.scheduler.now);
    faults.stalePerMille = 0;
    assert.deepEqual(read(), { kind: 'done', value: null });
  }),
);

test(
  'a change of the name is accepted, INSYNC later, and seen by clients when their TTL is over',
  simulated(() => {
    const world = kit();
    const { name } = world.route53;
    const dns = world.route53.dnsOf(world.agents.site2);
    const { site1, site2 } = world.addresses;
    assert.equal(name.addressFor(0), site1);
    name.extraSyncDelay = 5 * second;
    const asked = world.scheduler.now;
    const change = world.outcome(dns.point(site2, 'moved', 3000));
    assert.equal(change?.kind, 'done');
    if (change?.kind !== 'done') return;
    const { id } = change.value;
    assert.deepEqual(world.outcome(dns.read(3000)), { kind: 'done', value: site2 });
    assert.deepEqual(world.outcome(dns.inSync(id, 3000)), { kind: 'done', value: false });
    assert.equal(name.addressFor(1), site1);
    while (!name.isInSync(id)) world.run(0.1);
    const took = world.scheduler.now - asked;
    assert.ok(took > 6 * second && took < 15 * second, `${took}`);
    assert.equal(name.answer(), site2);
    assert.equal(name.addressFor(1), site1);
    world.run(10);
    assert.deepEqual([name.addressFor(0), name.addressFor(1), name.addressFor(2)], [site2, site2, site2]);
  }),
);
