import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnvReport } from '../../../src/core/observe/observation.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { epoch, type Kit, kit, simulated, token } from './applications.kit.ts';
import { databaseIn } from './env-files.ts';

function refusal(outcome: Outcome<unknown> | undefined): string | undefined {
  return outcome?.kind === 'rejected' ? outcome.code : outcome?.kind;
}

function moveDatabase({ databases }: Kit): void {
  databases.site1.be({ kind: 'refused', session: 2 });
  databases.site2.be({ writable: true, epoch: epoch(2) });
}

function switchEnv(world: Kit, number: number, primary: 'site1' | 'site2'): Outcome<EnvReport> | undefined {
  return world.outcome(world.ssh.site1.switchEnv('site1', primary, token(number), 4000));
}

test(
  'the forced command reads and switches the .env, and the instances follow',
  simulated(() => {
    const world = kit();
    const host = world.hosts.site1;
    const before = world.outcome(world.ssh.site1.readEnv('site1', 4000));
    assert.deepEqual(before, { kind: 'done', value: { active: 'site1', staged: ['site1', 'site2'], token: null } });
    let seen = 0;
    host.onFiles = () => {
      seen += 1;
      assert.ok(host.files.complete);
    };
    moveDatabase(world);
    const after = switchEnv(world, 2, 'site2');
    assert.deepEqual(after, { kind: 'done', value: { active: 'site2', staged: ['site1', 'site2'], token: token(2) } });
    assert.equal(seen, 6);
    assert.deepEqual(
      host.instances.map((instance) => instance.report()),
      host.instances.map(({ name }) => ({
        name,
        class: 'ok',
        detail: '',
        ready: true,
        database: '172.21.1.30:5432',
        writable: true,
        epoch: epoch(2),
        holding: 0,
      })),
    );
  }),
);

test(
  'R1: a lower token, and another primary in the same epoch, change nothing',
  simulated(() => {
    const world = kit();
    assert.equal(switchEnv(world, 5, 'site2')?.kind, 'done');
    assert.equal(refusal(switchEnv(world, 4, 'site1')), 'lower-token');
    assert.equal(refusal(switchEnv(world, 5, 'site1')), 'other-primary');
    assert.equal(world.hosts.site1.files.active, world.hosts.site1.files.staged.site2);
  }),
);

for (let steps = 0; steps <= 6; steps += 1) {
  test(
    `I8: a command that dies after ${steps} of its steps leaves a complete .env, and the next order ends well`,
    simulated(() => {
      const world = kit(`dies ${steps}`);
      const { files, machine } = world.hosts.site1;
      const asked = world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000);
      world.run(0.03);
      for (const process of machine.processes) if (process.name === 'siteward-host') process.dieAtEffect(steps);
      assert.equal(world.outcome(asked)?.kind, 'unknown');
      assert.ok(files.complete);
      assert.equal(files.active, files.staged[steps < 3 ? 'site1' : 'site2']);
      const read = world.outcome(world.ssh.site2.readEnv('site1', 4000));
      // Noted and not told to the instances yet: the agent has to see a difference.
      const active = steps === 0 ? 'site1' : steps === 6 ? 'site2' : null;
      assert.equal(read?.kind === 'done' && read.value.active, active);
      assert.equal(switchEnv(world, 2, 'site2')?.kind, 'done');
      assert.equal(files.temporary, null);
      assert.equal(databaseIn(files.active), '172.21.1.30:5432');
    }),
  );
}

test(
  'negative control: a file written in place is once not one of the versions',
  simulated(() => {
    const world = kit();
    const { files, machine } = world.hosts.site1;
    files.inPlace = true;
    const asked = world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000);
    world.run(0.03);
    for (const process of machine.processes) if (process.name === 'siteward-host') process.dieAtEffect(2);
    assert.equal(world.outcome(asked)?.kind, 'unknown');
    assert.ok(!files.complete);
  }),
);

test(
  'a power loss leaves one of the versions; the instances come back with the boot',
  simulated(() => {
    for (let run = 0; run < 20; run += 1) {
      const world = kit(`power ${run}`);
      const host = world.hosts.site1;
      const asked = world.ssh.site1.switchEnv('site1', 'site2', token(2), 1000);
      world.run(0.05 + run * 0.008);
      world.powerOff(host.machine);
      assert.ok(host.files.complete);
      world.outcome(asked);
      host.machine.boot();
      host.start();
      moveDatabase(world);
      assert.equal(switchEnv(world, 2, 'site2')?.kind, 'done');
      world.run(1);
      assert.ok(host.instances.every((instance) => instance.report().writable));
    }
  }),
);

test(
  'an order that cannot be given is rejected; one whose answer is lost is unknown, and done',
  simulated(() => {
    const world = kit();
    const { command, machine, files } = world.hosts.site1;
    command.faults.down = true;
    assert.equal(refusal(switchEnv(world, 2, 'site2')), 'unreachable');
    command.heal();
    world.network.path('site2', 'site1').cut = true;
    assert.equal(refusal(world.outcome(world.ssh.site2.readEnv('site1', 1000))), 'unreachable');
    world.network.heal();
    command.faults.lostAnswerPerMille = 1000;
    assert.equal(refusal(switchEnv(world, 2, 'site2')), 'unknown');
    assert.equal(files.report().active, 'site2');
    command.heal();
    command.faults.extraDelay = 5_000_000;
    assert.equal(refusal(switchEnv(world, 3, 'site2')), 'unknown');
    world.run(6);
    assert.equal(files.note.token?.epoch, 3);
    machine.up = false;
    assert.equal(refusal(switchEnv(world, 4, 'site2')), 'unreachable');
  }),
);

test(
  'orders of two agents take turns',
  simulated(() => {
    const world = kit();
    const both = Promise.all([
      world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000),
      world.ssh.site2.switchEnv('site1', 'site2', token(2), 4000),
    ]);
    assert.deepEqual(
      world.outcome(both)?.map(({ kind }) => kind),
      ['done', 'done'],
    );
    assert.equal(world.hosts.site1.command.done, 2);
  }),
);

test(
  'fence kills a primary of a lower epoch only',
  simulated(() => {
    const world = kit();
    const fence = (number: number) => refusal(world.outcome(world.ssh.site1.fence('site1', token(number), 4000)));
    world.guardEpochs.site1 = epoch(3);
    assert.equal(fence(3), 'higher-epoch');
    assert.equal(world.fenced.site1, 'primary');
    assert.equal(fence(2), 'lower-token');
    assert.equal(fence(4), 'done');
    assert.equal(world.fenced.site1, 'none');
    assert.equal(refusal(world.outcome(world.ssh.site1.fence('site2', token(4), 4000))), 'done');
    assert.equal(world.fenced.site2, 'standby');
  }),
);

test(
  'R1: an order that a suspended host carries out late is refused by what came before it',
  simulated(() => {
    const world = kit();
    const { machine, files } = world.hosts.site1;
    assert.equal(world.outcome(world.ssh.site1.readEnv('site1', 4000))?.kind, 'done');
    machine.suspended = true;
    assert.equal(refusal(switchEnv(world, 2, 'site2')), 'unknown');
    assert.equal(refusal(switchEnv(world, 3, 'site1')), 'unreachable');
    machine.suspended = false;
    assert.equal(switchEnv(world, 3, 'site1')?.kind, 'done');
    for (const process of [...machine.processes]) process.flush();
    world.run(1);
    assert.equal(files.report().active, 'site1');
    assert.equal(files.note.token?.epoch, 3);
  }),
);
