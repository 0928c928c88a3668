// What must outlast a power loss is on the disk before anybody is told of it: the real programs, traced. Leave out a
// sync, or do not wait for it, and every other test passes.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type TraceOptions, traced, whyNoTrace } from './disk-trace.ts';
import { applicationFiles, envOf, hostProgram } from './ssh-bed.ts';

const roots: string[] = [];
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

const noTrace = whyNoTrace();
const traceable = { skip: noTrace ?? false };

function folder(...names: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'siteward-durable-'));
  roots.push(root);
  for (const name of names) writeFileSync(join(root, name), '');
  return root;
}

function deed(name: string, root: string, options: TraceOptions = {}) {
  return traced(
    root,
    [process.execPath, fileURLToPath(import.meta.resolve('./durable-deeds.ts')), name, root],
    options,
  );
}

test('Q3: a vote is on disk before it is spoken of', traceable, () => {
  const root = folder();
  const later = ['writes state', 'says done'];
  // The first one with the name of its file, which the others have no need to sync any more.
  const first = ['writes state.new', 'renames state', 'says done'];
  assert.deepEqual(deed('saves', root).moments, [...first, ...later, ...later]);
  assert.deepEqual(deed('saves', root).moments, [...later, ...later, ...later], 'after a restart');
  // What a process that died before its sync has left is read from memory by the next: its first save must sync it.
  assert.deepEqual(deed('saves', root, { unsynced: ['state', '.'] }).moments, [...later, ...later, ...later]);
});

test('Q3: a sync that fails is no success', traceable, () => {
  assert.equal(deed('saves', folder(), { fail: { call: 'fsync', nth: 1 } }).stdout, 'unknown\n', "the file's");
  assert.equal(deed('saves', folder(), { fail: { call: 'fsync', nth: 2 } }).stdout, 'unknown\n', "the directory's");
  assert.equal(deed('saves', folder(), { fail: { call: 'fdatasync', nth: 1 } }).stdout, 'done\nunknown\n');
});

/** The forced command on an application host, as sshd starts it. */
function applicationHost() {
  const files = applicationFiles();
  roots.push(files.root);
  mkdirSync(files.state);
  // Whose name may be lost: it holds nothing.
  writeFileSync(join(files.state, 'lock'), '');
  const words = ['--directory', files.directory, '--state', files.state, '--ports', '8001'];
  const command = [...hostProgram, 'application', ...words, '--pid-file', join(files.root, '{port}.pid')];
  const order = (text: string, options: TraceOptions = {}) =>
    traced(files.root, command, { ...options, env: { SSH_ORIGINAL_COMMAND: text } });
  return { ...files, order };
}

const noted = ['writes state/.application.json.siteward-new', 'renames state/application.json'];
const answers = 'says {"ok":true';

test(
  'R1, I8: an order is answered when all of it is on disk, and its token before anything is changed by it',
  traceable,
  () => {
    const host = applicationHost();
    const replaced = ['writes srv/..env.siteward-new', 'renames srv/.env'];
    const order = 'switch site2 0 site1 2 5 site1';
    assert.deepEqual(host.order(order).moments, [...noted, ...replaced, ...noted, answers]);
    assert.equal(readFileSync(join(host.directory, '.env'), 'utf8'), envOf.site2);
    // Renamed by an order that was stopped before it synced: the one that finds nothing to change makes it last.
    const [first = '', ...others] = [...noted, ...noted, answers].slice(1);
    assert.deepEqual(host.order(order, { unsynced: ['srv'] }).moments.slice(1), [
      `${first}; a power loss takes srv`,
      ...others,
    ]);
  },
);

test('a staged file is on disk before the order is answered', traceable, () => {
  const { moments } = applicationHost().order('stage site2', { input: 'dbhost=x\n' });
  assert.deepEqual(moments, ['writes srv/.site2.env.siteward-new', 'renames srv/site2.env', answers]);
});

test('R1, I8: an order with a sync that failed is not answered as done', traceable, () => {
  // Of the file and of its directory: the token, the active file, the token again with the reload noted.
  for (let nth = 1; nth <= 6; nth += 1) {
    const host = applicationHost();
    const { stdout, status } = host.order('switch site2 0 site1 2 5 site1', { fail: { call: 'fsync', nth } });
    assert.match(stdout, /^\{"ok":false/, `sync ${nth}`);
    assert.equal(status, 1);
    // Nothing is changed by a token that may be lost, nor before the new content is safe.
    const expected = nth <= 3 ? envOf.site1 : envOf.site2;
    assert.equal(readFileSync(join(host.directory, '.env'), 'utf8'), expected, `sync ${nth}`);
  }
});

// A fence refuses where it may not look at a process of PostgreSQL, and this machine may run one of its own.
const isRoot = process.getuid?.() === 0;
const fenceable = isRoot ? traceable : { skip: 'needs root to look at every process of PostgreSQL' };

test('R1, L7: a fence is answered when the token and the signal file are on disk', fenceable, () => {
  const root = folder();
  const [data, state] = [join(root, 'data'), join(root, 'state')];
  for (const directory of [data, state]) mkdirSync(directory);
  const command = [...hostProgram, 'database', '--data', data, '--bin', '/nowhere', '--state', state];
  const order = (unsynced: readonly string[]) =>
    traced(root, command, { unsynced, env: { SSH_ORIGINAL_COMMAND: 'fence 0 site1 2 5 site1' } }).moments;
  const tokenNoted = ['writes state/.database.json.siteward-new', 'renames state/database.json'];
  assert.deepEqual(order([]), [...tokenNoted, 'renames data/standby.signal', answers]);
  // PostgreSQL, or a fence that was stopped, made it and did not sync.
  assert.deepEqual(order(['data', 'data/standby.signal']).slice(1), [
    'renames state/database.json; a power loss takes data, data/standby.signal',
    answers,
  ]);
});

test('L7: the signal file that keeps a database from writing is on disk once it is put', traceable, () => {
  const root = folder();
  assert.deepEqual(deed('signs', root).moments, ['says put', 'removes standby.signal', 'says put soon']);
  assert.ok(existsSync(join(root, 'standby.signal')));
  // Also one that was there: whoever put it may have died before it was on the disk.
  assert.equal(deed('signs', root, { unsynced: ['.'] }).moments[0], 'says put');
});

test('L9: armed outlasts a power loss, and so does disarmed', traceable, () => {
  const root = folder('standby.signal');
  assert.deepEqual(deed('arms', root).moments, ['writes fuse.armed', 'says done']);
  assert.deepEqual(deed('arms', root, { unsynced: ['fuse.armed', '.'] }).moments, ['says done']);
  const removed = ['removes fuse.armed', 'says disarmed', 'removes standby.signal', 'says allowed'];
  assert.deepEqual(deed('removes', root).moments, removed);
});

test('the last good configuration is whole under its name, and stays', traceable, () => {
  const root = folder();
  assert.deepEqual(deed('keeps', root).moments, ['writes last-good.new', 'renames last-good', 'says kept']);
});
