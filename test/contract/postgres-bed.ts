// Two real PostgreSQL clusters on loopback, streaming, each in a directory of its own under the temporary directory.
// PostgreSQL refuses to run as root, and the guard is the postgres user on its host: so is the whole test process.

import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createFuse } from '../../src/adapters/fuse/fuse-files.ts';
import { createDatabase } from '../../src/adapters/postgres/database.ts';
import { createDatabaseProbes } from '../../src/adapters/postgres/probes.ts';
import { createProcesses } from '../../src/adapters/postgres/processes.ts';
import type { DatabaseSettings } from '../../src/adapters/postgres/settings.ts';
import type { ClusterRow } from '../../src/core/observe/observation.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { otherSite, type Site } from '../../src/core/site.ts';

export const database = 'revolutdb';
export const probePassword = 'probe-secret';

/** Directory of initdb, or null when no PostgreSQL is installed. */
export const binDirectory: string | null = findBinDirectory();

function findBinDirectory(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((path) => existsSync(join(path, 'initdb'))) ?? null;
}

/** A fresh directory that the postgres user owns; becomes that user. `files` are copied there before. */
export function becomePostgres(files: readonly string[] = []): string {
  const root = mkdtempSync(join(tmpdir(), 'siteward-pg-'));
  for (const file of files) cpSync(file, join(root, file.slice(file.lastIndexOf('/') + 1)));
  if (process.getuid?.() === 0) {
    const uid = Number(execFileSync('id', ['-u', 'postgres'], { encoding: 'utf8' }));
    const gid = Number(execFileSync('id', ['-g', 'postgres'], { encoding: 'utf8' }));
    chownSync(root, uid, gid);
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
    process.chdir(root);
  }
  chmodSync(root, 0o755);
  return root;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { timeout: 20_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stderr}`));
      },
    );
  });
}

/** The world's state is awaited, never slept for. */
export async function until(what: string, limitMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(20);
  }
}

export function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'done') return outcome.value;
  throw new Error(`${outcome.kind}: ${outcome.kind === 'rejected' ? `${outcome.code}: ` : ''}${outcome.detail}`);
}

export function row(epoch: number, beat: number, eraNumber = 0, eraSite: Site = 'site1'): ClusterRow {
  return { cluster: 'c1', epoch: { era: { number: eraNumber, site: eraSite }, epoch }, beat };
}

export type Bed = Awaited<ReturnType<typeof createBed>>;
export type Member = Bed['site1'];

export async function createBed(root: string) {
  const ports = { site1: await freePort(), site2: await freePort() };
  const secrets = { probe: join(root, 'probe.password'), replication: join(root, 'replication.password') };
  writeFileSync(secrets.probe, `${probePassword}\n`);
  writeFileSync(secrets.replication, 'repl:secret\n');
  const site1 = member(root, 'site1', ports, secrets);
  const site2 = member(root, 'site2', ports, secrets);
  const probes = createDatabaseProbes({
    agent: 'site1-agent',
    addresses: { site1: { host: '127.0.0.1', port: ports.site1 }, site2: { host: '127.0.0.1', port: ports.site2 } },
    user: 'siteward_probe',
    passwordFile: secrets.probe,
    database,
    systemId: () => null,
  });
  return {
    root,
    ports,
    secrets,
    site1,
    site2,
    probes,
    /** site1 as the running primary in epoch 1, with siteward's schema. */
    startPrimary: async () => {
      await initialise(site1);
      value(await site1.db.startPrimary(false, 10_000, () => true));
      await site1.sql(`CREATE DATABASE ${database}`, 'postgres');
      value(await site1.db.beat(row(1, 1), 5000));
      // Roles and slot are made beside the beats.
      await until('the probes are let in', 5000, async () => (await probes.primary('site1', 1000)).class === 'ok');
      const slots = 'SELECT count(*) FROM pg_replication_slots';
      await until('the slot is there', 5000, async () => (await site1.sql(slots)) === '1');
      await until('the settings are there', 5000, async () => (await site1.sql('SHOW primary_conninfo')) !== '');
    },
    /** site2 as its standby. */
    startStandby: async () => {
      await run(join(site1.settings.binDirectory, 'pg_basebackup'), [
        '-D',
        site2.settings.dataDirectory,
        '-h',
        site1.settings.socketDirectory,
        '-p',
        String(ports.site1),
        '-c',
        'fast',
      ]);
      writeConfig(site2);
      value(await site2.db.startStandby(10_000));
      await until('site2 streams', 10_000, async () => (await probes.standby('site2', 1000)).streaming === true);
    },
    down: async () => {
      for (const each of [site1, site2]) {
        each.db.close();
        const processes = createProcesses(each.settings.dataDirectory);
        while (processes.list().length > 0) {
          for (const pid of processes.list()) processes.signal(pid, 'SIGKILL');
          await pause(20);
        }
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function member(
  root: string,
  site: Site,
  ports: Readonly<Record<Site, number>>,
  secrets: { probe: string; replication: string },
) {
  const home = join(root, site);
  const directory = (name: string) => {
    mkdirSync(join(home, name), { recursive: true });
    return join(home, name);
  };
  const settings: DatabaseSettings = {
    dataDirectory: join(home, 'data'),
    binDirectory: binDirectory ?? '',
    configFile: null,
    socketDirectory: directory('socket'),
    port: ports[site],
    superuser: userInfo().username,
    database,
    probe: { user: 'siteward_probe', passwordFile: secrets.probe },
    replication: { user: 'siteward_replication', passwordFile: secrets.replication },
    slotForOther: `siteward_${otherSite(site)}`,
    slotAtOther: `siteward_${site}`,
    applicationName: `siteward_${site}`,
    standbyName: `siteward_${otherSite(site)}`,
    alwaysWaits: false,
    other: { host: '127.0.0.1', port: ports[otherSite(site)] },
    stateDirectory: directory('state'),
  };
  const reports: string[] = [];
  const logFile = join(home, 'postgresql.log');
  const db = createDatabase(settings, { kind: 'pg_ctl', logFile }, (detail) => reports.push(detail));
  const fuse = createFuse({ runDirectory: directory('run'), stateDirectory: settings.stateDirectory });
  return {
    site,
    settings,
    db,
    fuse,
    reports,
    runDirectory: join(home, 'run'),
    processes: createProcesses(settings.dataDirectory),
    log: () => readFileSync(logFile, 'utf8'),
    signalFile: () => existsSync(join(settings.dataDirectory, 'standby.signal')),
    sql: async (text: string, name = database) =>
      (
        await run(join(settings.binDirectory, 'psql'), [
          '-X',
          '-A',
          '-t',
          '-h',
          settings.socketDirectory,
          '-p',
          String(settings.port),
          '-d',
          name,
          '-c',
          text,
        ])
      ).trim(),
  };
}

async function initialise(one: Member): Promise<void> {
  await run(join(one.settings.binDirectory, 'initdb'), [
    '-D',
    one.settings.dataDirectory,
    '-N',
    '--auth-local=peer',
    '--auth-host=scram-sha-256',
  ]);
  const hba = [
    'local all all peer',
    'local replication all peer',
    'host all all 127.0.0.1/32 scram-sha-256',
    'host replication all 127.0.0.1/32 scram-sha-256',
  ];
  writeFileSync(join(one.settings.dataDirectory, 'pg_hba.conf'), `${hba.join('\n')}\n`);
  writeConfig(one);
  writeFileSync(join(one.settings.dataDirectory, 'standby.signal'), '');
}

/** max_connections is low enough to be used up. */
export function writeConfig(one: Member, extra: readonly string[] = []): void {
  const lines = [
    `port = ${one.settings.port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${one.settings.socketDirectory}'`,
    'max_connections = 20',
    'max_wal_senders = 4',
    'max_replication_slots = 4',
    'wal_level = replica',
    'shared_buffers = 16MB',
    'fsync = off',
    'wal_keep_size = 64MB',
    'max_wal_size = 128MB',
    "dynamic_shared_memory_type = 'mmap'",
    ...extra,
  ];
  writeFileSync(join(one.settings.dataDirectory, 'postgresql.conf'), `${lines.join('\n')}\n`);
}
