// What lies on this host: state, notes, fuse, configuration, and what PostgreSQL and the operator wrote.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { readSlot, slotBytes, writeSlot } from '../../src/adapters/disk/slot.ts';
import { createStore } from '../../src/adapters/disk/store.ts';
import { createFuse } from '../../src/adapters/fuse/fuse-files.ts';
import { type ControlData, parseControlData } from '../../src/adapters/postgres/control-file.ts';
import { createProcesses } from '../../src/adapters/postgres/processes.ts';
import { withSettings } from '../../src/adapters/postgres/standby-config.ts';
import { parseCredentials } from '../../src/adapters/route53/credentials.ts';
import { parseHostArguments } from '../../src/cli/host/arguments.ts';
import { parseGuardEpoch } from '../../src/cli/host/database.ts';
import { loadNote } from '../../src/cli/host/note.ts';
import { Refusal } from '../../src/cli/host/refusal.ts';
import { readConfig } from '../../src/config/read.ts';
import { parseDuration, parseSize } from '../../src/config/units.ts';
import { malformedLines, parseEnvFile, renderEnvFile } from '../../src/core/envfile/env-file.ts';
import { readCrashPoint } from '../../src/driver/crash-point.ts';
import { readDatabaseAccount } from '../../src/wire/database-account.ts';
import { readAgentDurable, readGuardDurable, readWitnessDurable, stateDocument } from '../../src/wire/state-files.ts';
import type { Fuzzed } from './kit.ts';

const directory = mkdtempSync(join(tmpdir(), 'siteward-fuzz-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, text: string | Buffer): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

const fixture = new URL('../fixtures/wire/state-1.json', import.meta.url);
const states = JSON.parse(readFileSync(fixture, 'utf8')) as Record<'agent' | 'guard' | 'witness', object>;
const readers = { agent: readAgentDurable, guard: readGuardDurable, witness: readWitnessDurable };
const example = readFileSync(new URL('../../docs/cluster.example.yaml', import.meta.url), 'utf8');
const small = example.replace(/^\s*#.*\n/gm, '');

const parsedOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** A slot that is whole but for what is in it: its checksum is right. */
function slotOf(text: string): Buffer {
  const slot = Buffer.concat([writeSlot({ sequence: 3, formatVersion: 1, document: 0 }) ?? Buffer.alloc(0)]);
  const body = Buffer.from(text);
  const whole = Buffer.concat([slot.subarray(0, 60), body]);
  whole.writeUInt32LE(body.length, 24);
  createHash('sha256').update(whole.subarray(0, 28)).update(body).digest().copy(whole, 28);
  return whole;
}

mkdirSync(join(directory, 'data'));
mkdirSync(join(directory, 'proc/4242'), { recursive: true });
writeFileSync(join(directory, 'proc/4242/comm'), 'postgres\n');
writeFileSync(join(directory, 'proc/4242/stat'), '4242 (postgres) S 1 4242');
symlinkSync(join(directory, 'data'), join(directory, 'proc/4242/cwd'));

export const fileParsers: readonly Fuzzed[] = [
  ...(['agent', 'guard', 'witness'] as const).map((role) => ({
    parser: `the state of ${role === 'agent' ? 'an' : 'a'} ${role}`,
    files: ['src/wire/state-files.ts', 'src/roles/run.ts', `src/roles/${role}.ts`],
    samples: [JSON.stringify(states[role])],
    parse: (text: string) => readers[role](parsedOrNull(text)),
    check: (durable: unknown) => {
      if (durable === null) return;
      const written: unknown = JSON.parse(JSON.stringify(stateDocument(role, durable)));
      assert.deepEqual(readers[role](written), durable, 'what was read is read again');
    },
  })),
  {
    parser: 'a slot of a state file',
    files: ['src/adapters/disk/slot.ts'],
    samples: [
      slotOf('{"a":[1,2]}').toString('latin1'),
      writeSlot({ sequence: 1, formatVersion: 1, document: states })?.toString('latin1') ?? '',
    ],
    parse: (text) => [readSlot(Buffer.from(text, 'latin1')), readSlot(slotOf(text.slice(0, 5000)))],
  },
  {
    parser: 'a state file',
    files: ['src/adapters/disk/store.ts'],
    samples: [JSON.stringify(states.agent), '{}'],
    parse: (text) => {
      const slots = [slotOf(text.slice(0, 9000)), Buffer.from(text, 'latin1')].map((slot) =>
        Buffer.concat([slot.subarray(0, slotBytes), Buffer.alloc(Math.max(0, slotBytes - slot.length))]),
      );
      return createStore({ path: file('agent.state', Buffer.concat(slots)), formatVersion: 1 }).load();
    },
    check: (found) => assert.ok(['found', 'damaged'].includes((found as { kind: string }).kind), 'never absent'),
  },
  {
    parser: 'an .env file',
    files: ['src/core/envfile/env-file.ts', 'src/cli/host/application.ts'],
    samples: [
      'SECRET_KEY=abc\ndbhost=10.1.0.1\ndbport=5432\nexport dbname="revolutdb"\r\n# comment\ndbuser=\'db user\'\ndbpass=`a"b\'c`\n',
      'A=b c\n',
      'A="one\ntwo\\n" # note\n\n  B = plain # comment\n',
    ],
    parse: (text) => {
      const parsed = parseEnvFile(text);
      return [renderEnvFile(parsed), malformedLines(parsed)];
    },
    check: (result, text) => assert.equal((result as [string])[0], text),
  },
  {
    parser: 'the note of a host',
    files: ['src/cli/host/note.ts'],
    samples: [
      '{"format":1,"token":{"era":{"number":0,"site":"site1"},"epoch":3,"ballot":{"counter":9,"voter":"site2"}},"primary":"site1","reloadDue":false}\n',
      '{"format":1,"token":null,"primary":null,"reloadDue":true}\n',
    ],
    parse: (text) => loadNote(file('note', text)),
    mayThrow: (error) => error instanceof Refusal,
    longest: 64 * 1024,
  },
  {
    parser: "the guard's epoch file",
    files: ['src/cli/host/database.ts'],
    samples: ['{"era":{"number":0,"site":"site1"},"epoch":3}\n'],
    parse: parseGuardEpoch,
    check: (epoch) => assert.ok(epoch === null || Number.isSafeInteger((epoch as { epoch: number }).epoch)),
  },
  {
    parser: 'the files of the fuse',
    files: ['src/adapters/fuse/fuse-files.ts'],
    samples: ['123456789\n', '0'],
    parse: (text) => {
      file('fuse.deadline', text);
      return createFuse({ runDirectory: directory, stateDirectory: directory }).deadline();
    },
    check: (deadline) => assert.ok(deadline === null || Number.isSafeInteger(deadline)),
  },
  {
    parser: 'pg_controldata',
    files: ['src/adapters/postgres/control-file.ts'],
    samples: [
      "Database system identifier:           7301234567890123456\nDatabase cluster state:               in production\nLatest checkpoint location:           0/3000148\nLatest checkpoint's TimeLineID:       1\n",
    ],
    parse: parseControlData,
    check: (data) => {
      if (data === null) return;
      const { timeline, checkpoint, systemId } = data as ControlData;
      assert.ok(Number.isSafeInteger(timeline) && timeline > 0, String(timeline));
      assert.ok(Number.isSafeInteger(checkpoint) && /^\d+$/.test(systemId), systemId);
    },
  },
  {
    parser: 'postmaster.pid',
    files: ['src/adapters/postgres/processes.ts'],
    samples: ['4242\n/data\n1790000000\n5432\n', '-4242\n'],
    parse: (text) => {
      file('data/postmaster.pid', text);
      return createProcesses(join(directory, 'data'), join(directory, 'proc')).postmaster();
    },
    check: (pid) => assert.ok(pid === null || pid === 4242, String(pid)),
  },
  {
    parser: 'postgresql.auto.conf',
    files: ['src/adapters/postgres/standby-config.ts'],
    samples: ["# Do not edit this file manually!\nprimary_conninfo = 'host=10.2.0.1'\nwork_mem = '4MB'\n"],
    parse: (text) => withSettings(text, new Map([['primary_conninfo', 'host=10.1.0.1']])),
    check: (text) => {
      const lines = (text as string).split('\n').filter((line) => /^\s*primary_conninfo\b/i.test(line));
      assert.equal(lines.length, 1);
      assert.equal(
        withSettings(text as string, new Map([['primary_conninfo', 'host=10.1.0.1']])),
        text,
        'once is enough',
      );
    },
  },
  {
    parser: 'an AWS credentials file',
    files: ['src/adapters/route53/credentials.ts'],
    samples: [
      '[x]',
      '[default]\naws_access_key_id = AKIA\naws_secret_access_key=secret\n[other]\naws_session_token=x\n',
    ],
    parse: (text) => parseCredentials(text, 'keys'),
    mayThrow: (error) => error instanceof Error && error.name === 'CredentialsProviderError',
  },
  {
    parser: 'cluster.yaml',
    files: ['src/config/read.ts', 'src/config/load.ts', 'src/config/fields.ts'],
    samples: [small, small.slice(0, 800), 'cluster: birthday\nlease: {ttl: 6s}\nwitness: &a {kind: none}\ndns: *a\n'],
    parse: (text) => readConfig(text, 'cluster.yaml'),
    usualRuns: 60,
    longest: 32 * 1024,
    check: (result) => {
      const read = result as ReturnType<typeof readConfig>;
      assert.ok(read.kind === 'good' || read.problems.length > 0, 'a refusal has a reason');
    },
  },
  {
    parser: "a database's account of itself",
    files: ['src/wire/database-account.ts'],
    samples: [
      '{"recovery":false,"databases":["postgres"],"roles":[{"name":"postgres","replication":true}],"slots":[],"schema":false,"settings":{"wal_level":"replica"},"hba":[{"type":"host","databases":["all"],"users":["all"],"method":"scram-sha-256"}]}\n',
    ],
    parse: readDatabaseAccount,
    mayThrow: (error) => error instanceof Error && error.message.startsWith('psql did not answer'),
    check: (found) => assert.equal(typeof (found as { recovery: unknown }).recovery, 'boolean'),
  },
  {
    parser: 'durations and sizes',
    files: ['src/config/units.ts', 'src/config/fields.ts'],
    samples: ['750ms', '6s', '0.75s', '16MiB'],
    parse: (text) => [parseDuration(text), parseSize(text)],
    check: (values) => {
      for (const value of values as (number | undefined)[])
        assert.ok(value === undefined || Number.isSafeInteger(value));
    },
  },
  {
    parser: 'a crash point',
    files: ['src/driver/crash-point.ts'],
    samples: ['persist:promised>send:chosen#2', 'register-swap'],
    parse: (text) => readCrashPoint({ SITEWARD_LAB: '1', SITEWARD_CRASH_AFTER: text }, () => {}),
  },
  {
    parser: "the words of a host's forced command",
    files: ['src/cli/host/arguments.ts', 'src/cli/host.ts'],
    samples: [
      'application --directory /srv --state /var/lib/x --ports 8001,8002 -- docker kill',
      'database --data /d --bin /b --state /s',
    ],
    parse: (text) => parseHostArguments(text.split(' ')),
    mayThrow: (error) => error instanceof Error && !(error instanceof RangeError),
    longest: 8 * 1024,
  },
];
