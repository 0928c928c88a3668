// `siteward init --dry-run`: what a running database is told that it lacks.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lacksOf, showLacks } from '../../src/cli/init/adoption.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { DatabaseAccount } from '../../src/wire/database-account.ts';

const loaded = loadConfig(join(import.meta.dirname, '../../docs/cluster.example.yaml'));
assert.ok(loaded.kind !== 'bad');
const { config } = loaded;

const complete: DatabaseAccount = {
  recovery: false,
  databases: ['postgres', 'revolutdb'],
  roles: [
    { name: 'siteward_probe', replication: false },
    { name: 'siteward_replication', replication: true },
  ],
  slots: ['siteward_site2'],
  schema: true,
  settings: {
    wal_level: 'replica',
    listen_addresses: '*',
    max_wal_senders: '10',
    max_replication_slots: '10',
    max_slot_wal_keep_size: '4096',
    tcp_keepalives_idle: '5',
    tcp_keepalives_interval: '2',
    tcp_keepalives_count: '3',
    tcp_user_timeout: '10000',
  },
  hba: [
    { type: 'host', databases: ['revolutdb'], users: ['siteward_probe'], method: 'scram-sha-256' },
    { type: 'hostssl', databases: ['replication'], users: ['siteward_replication'], method: 'scram-sha-256' },
  ],
};

const without = (name: string): DatabaseAccount => ({
  ...complete,
  settings: { ...complete.settings, ...{ [name]: '0' } },
});

const rows: readonly (readonly [string, DatabaseAccount, RegExp, boolean])[] = [
  ['a standby', { ...complete, recovery: true }, /is a standby/, true],
  ['no database of the application', { ...complete, databases: ['postgres'] }, /CREATE DATABASE "revolutdb"/, true],
  ['no roles', { ...complete, roles: [] }, /CREATE ROLE "siteward_probe" LOGIN/, false],
  [
    'a replication role that may not replicate',
    { ...complete, roles: complete.roles.map((each) => ({ ...each, replication: false })) },
    /ALTER ROLE "siteward_replication" LOGIN REPLICATION/,
    true,
  ],
  ['no slot', { ...complete, slots: [] }, /pg_create_physical_replication_slot\('siteward_site2', true\)/, false],
  ['no schema', { ...complete, schema: false }, /made with the first lease/, false],
  ['nobody let in', { ...complete, hba: [] }, /hostssl replication siteward_replication 172\.21\.1\.30\/32/, true],
  [
    'an entry for all databases, which is none for replication',
    { ...complete, hba: [{ type: 'host', databases: ['all'], users: ['all'], method: 'md5' }] },
    /no standby in/,
    true,
  ],
  [
    'trust',
    { ...complete, hba: [...complete.hba, { type: 'host', databases: ['all'], users: ['all'], method: 'trust' }] },
    /\(trust\)/,
    false,
  ],
  ['too few senders', without('max_wal_senders'), /ALTER SYSTEM SET max_wal_senders = '3'/, true],
  ['no keep-alives', without('tcp_keepalives_idle'), /ALTER SYSTEM SET tcp_keepalives_idle = 5/, false],
];

describe('what a running database lacks for siteward', () => {
  test('nothing, and the next command is said', () => {
    assert.deepEqual(lacksOf(config, 'site1', complete), []);
    assert.match(showLacks('site1', []), /siteward init --primary site1/);
  });

  for (const [name, found, said, standsInTheWay] of rows)
    test(`${name}: ${standsInTheWay ? 'stands in the way' : 'is said'}`, () => {
      const lacks = lacksOf(config, 'site1', found);
      assert.match(showLacks('site1', lacks), said);
      assert.equal(
        lacks.some(({ optional }) => !optional),
        standsInTheWay,
      );
    });
});
