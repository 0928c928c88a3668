import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trace } from '../engine/trace.ts';
import { epoch, kit, simulated, token } from '../world/applications.kit.ts';
import { Instances } from './instances.ts';
import { Violations } from './violations.ts';

function watched() {
  const world = kit();
  const violations = new Violations(new Trace(world.scheduler, null));
  const record = {
    cluster: 'c-1',
    ...epoch(2),
    primary: 'site2' as const,
    entry: 'site1' as const,
    mode: 'auto' as const,
    sync: false,
    voters: 'three',
    by: 'site2-agent',
    at: '',
    reason: '',
  };
  const instances = new Instances(violations, {
    newest: () => ({ ballot: { counter: 2, voter: 'site2' as const }, record }),
  });
  for (const site of ['site1', 'site2'] as const) instances.watch(world.hosts[site]);
  return { world, violations, instances };
}

test(
  'I8: all is well while instances follow their .env',
  simulated(() => {
    const { world, violations, instances } = watched();
    world.clients.start();
    world.run(5);
    world.databases.site1.be({ kind: 'refused', session: 2 });
    world.databases.site2.be({ writable: true, epoch: epoch(2) });
    for (const site of ['site1', 'site2'] as const)
      world.outcome(world.ssh[site].switchEnv(site, 'site2', token(2), 4000));
    world.run(20);
    assert.deepEqual(violations.all, []);
    assert.ok(instances.served > 30);
  }),
);

test(
  'I8: an instance that writes to the old database after its host was told is caught',
  simulated(() => {
    const { world, violations } = watched();
    world.clients.start();
    world.run(5);
    for (const site of ['site1', 'site2'] as const)
      world.outcome(world.ssh[site].switchEnv(site, 'site2', token(2), 4000));
    assert.equal(violations.all.length, 0);
    const host = world.hosts.site1;
    host.files.active = host.files.staged.site1;
    for (const instance of host.instances) instance.reload();
    world.run(10);
    assert.equal(violations.all[0]?.id, 'I8');
  }),
);

test(
  'I8: a file written in place is caught at once',
  simulated(() => {
    const { world, violations } = watched();
    world.hosts.site1.files.inPlace = true;
    world.outcome(world.ssh.site1.switchEnv('site1', 'site2', token(2), 4000));
    assert.equal(violations.all[0]?.id, 'I8');
  }),
);
