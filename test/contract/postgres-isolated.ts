// Run by postgres-isolated.test.ts in network and mount namespaces of its own, where it can have routes that lead
// nowhere and a volume that is full. Prints what the probes and the guard said as JSON.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabaseProbes } from '../../src/adapters/postgres/probes.ts';
import { becomePostgres, createBed, row, value } from './postgres-bed.ts';

const ip = (...args: readonly string[]) => execFileSync('ip', args);
ip('link', 'set', 'lo', 'up');
// A host that is dead behind a live network: frames to an address nobody has.
ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
ip('addr', 'add', '10.99.0.1/24', 'dev', 'near');
ip('link', 'set', 'far', 'up');
ip('link', 'set', 'near', 'up');
ip('neigh', 'add', '10.99.0.2', 'lladdr', '02:00:00:00:00:99', 'dev', 'near');
ip('route', 'add', 'unreachable', '10.98.0.0/16');
ip('route', 'add', 'prohibit', '10.97.0.0/16');

// Seen in this mount namespace only.
const small = '/mnt';
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=777', 'siteward-small', small]);
const root = becomePostgres();
const bed = await createBed(root);

const at = (host: string) =>
  createDatabaseProbes({
    agent: 'site1-agent',
    addresses: { site1: { host, port: 5432 }, site2: { host, port: 5432 } },
    user: 'siteward_probe',
    passwordFile: null,
    database: 'revolutdb',
    systemId: () => null,
  }).primary('site1', 400);

try {
  const network = {
    unreachableHost: (await at('10.98.0.1')).class,
    prohibited: (await at('10.97.0.1')).class,
    noRoute: (await at('10.1.2.3')).class,
    silent: (await at('10.99.0.2')).class,
  };
  await bed.startPrimary();
  const before = await bed.probes.primary('site1', 800);
  const tablespace = join(small, 'space');
  execFileSync('mkdir', [tablespace]);
  await bed.site1.sql(`CREATE TABLESPACE small LOCATION '${tablespace}'`);
  for (const table of ['cluster', 'probe']) {
    await bed.site1.sql(`ALTER TABLE siteward.${table} SET TABLESPACE small`);
    await bed.site1.sql(`TRUNCATE siteward.${table}`);
  }
  fill(join(small, 'filler'));
  const full = await bed.probes.primary('site1', 800);
  const beaten = await bed.site1.db.beat(row(2, 1), 1000);
  const disk = {
    before: before.class,
    full: full.class,
    beaten: beaten.kind === 'rejected' ? beaten.code : beaten.kind,
  };
  value(await bed.site1.db.kill());
  console.log(JSON.stringify({ network, disk }));
} finally {
  await bed.down();
}

function fill(path: string): void {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
