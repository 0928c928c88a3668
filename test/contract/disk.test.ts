import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { slotBytes } from '../../src/adapters/disk/slot.ts';
import { createStore } from '../../src/adapters/disk/store.ts';
import { StartRefused } from '../../src/roles/base.ts';
import { loadState } from '../../src/roles/run.ts';
import { stateFormat } from '../../src/wire/state-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'siteward-disk-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

function path(): string {
  files += 1;
  return join(directory, `state-${files}`);
}

const at = (file: string) => createStore({ path: file, formatVersion: 3 });

/** A file in which these documents were saved one after the other. */
async function fileWith(...documents: readonly unknown[]): Promise<string> {
  const file = path();
  const store = at(file);
  for (const document of documents) assert.deepEqual(await store.save(document), { kind: 'done', value: undefined });
  await store.close();
  return file;
}

const found = (document: unknown) => ({ kind: 'found', document, formatVersion: 3 });

test('no file is absent, an empty one is damaged', () => {
  assert.deepEqual(at(path()).load(), { kind: 'absent' });
  const file = path();
  writeFileSync(file, '');
  assert.equal(at(file).load().kind, 'damaged');
});

test('the last document saved is found, by another process too; nobody else may read it', async () => {
  for (let last = 1; last <= 5; last += 1) {
    const documents = Array.from({ length: last }, (_, index) => ({ vote: index + 1, text: 'é' }));
    const file = await fileWith(...documents);
    assert.deepEqual(at(file).load(), found(documents.at(-1)));
    assert.equal(statSync(file).size, 2 * slotBytes);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  }
});

test('a store that was loaded goes on where the last one ended', async () => {
  const file = await fileWith({ vote: 1 }, { vote: 2 });
  const store = at(file);
  store.load();
  await store.save({ vote: 3 });
  await store.close();
  assert.deepEqual(at(file).load(), found({ vote: 3 }));
});

test('saves that overlap are written in order', async () => {
  const file = path();
  const store = at(file);
  await Promise.all([1, 2, 3, 4].map((vote) => store.save({ vote })));
  await store.close();
  assert.deepEqual(at(file).load(), found({ vote: 4 }));
});

test('a write torn at any byte leaves the document before it', async () => {
  const before = readFileSync(await fileWith({ vote: 1 }, { vote: 2 }));
  const after = readFileSync(await fileWith({ vote: 1 }, { vote: 2 }, { vote: 'three' }));
  const file = path();
  const changed = [...after.keys()].filter((index) => after[index] !== before[index]);
  for (const end of changed) {
    writeFileSync(file, Buffer.concat([after.subarray(0, end), before.subarray(end)]));
    const loaded = at(file).load();
    assert.ok(loaded.kind === 'found');
    assert.deepEqual(loaded.document, { vote: 2 }, `torn at byte ${end}`);
  }
});

test('any byte of the newest slot that rots is noticed: the one before it counts', async () => {
  const whole = readFileSync(await fileWith({ vote: 1 }, { vote: 2 }));
  const used = 60 + JSON.stringify({ vote: 2 }).length;
  const file = path();
  fc.assert(
    fc.property(fc.nat({ max: used - 1 }), fc.integer({ min: 1, max: 255 }), (index, flip) => {
      const bytes = Buffer.from(whole);
      bytes[slotBytes + index] = (bytes[slotBytes + index] ?? 0) ^ flip;
      writeFileSync(file, bytes);
      assert.deepEqual(at(file).load(), found({ vote: 1 }));
    }),
    { numRuns: 300 },
  );
});

test('both slots damaged is damaged, never absent, never a throw', async () => {
  const whole = readFileSync(await fileWith({ vote: 1 }, { vote: 2 }));
  const file = path();
  fc.assert(
    fc.property(fc.nat({ max: 69 }), fc.nat({ max: 69 }), fc.integer({ min: 1, max: 255 }), (one, two, flip) => {
      const bytes = Buffer.from(whole);
      bytes[one] = (bytes[one] ?? 0) ^ flip;
      bytes[slotBytes + two] = (bytes[slotBytes + two] ?? 0) ^ flip;
      writeFileSync(file, bytes);
      assert.equal(at(file).load().kind, 'damaged');
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      writeFileSync(file, bytes);
      assert.equal(at(file).load().kind, 'damaged');
    }),
    { numRuns: 100 },
  );
});

test('a file that was cut short keeps what is whole of it', async () => {
  const file = await fileWith({ vote: 1 }, { vote: 2 });
  truncateSync(file, slotBytes + 40);
  assert.deepEqual(at(file).load(), found({ vote: 1 }));
});

test('a document that does not fit is rejected and harms nothing', async () => {
  const file = path();
  const store = at(file);
  await store.save({ vote: 1 });
  const outcome = await store.save({ text: 'x'.repeat(slotBytes) });
  assert.equal((await store.save({ vote: 1 })).kind, 'done');
  assert.equal(outcome.kind, 'rejected');
  await store.close();
  assert.deepEqual(at(file).load(), found({ vote: 1 }));
});

test('a state directory that is not there is no success', async () => {
  const outcome = await at(join(directory, 'nowhere', 'state')).save({ vote: 1 });
  assert.equal(outcome.kind, 'unknown');
});

test('what was left of a first save that was cut off is no state', async () => {
  const file = path();
  writeFileSync(`${file}.new`, 'half');
  assert.deepEqual(at(file).load(), { kind: 'absent' });
  const store = at(file);
  await store.save({ vote: 1 });
  await store.close();
  assert.deepEqual(at(file).load(), found({ vote: 1 }));
});

const root = process.getuid?.() === 0;

test('a full disk silences no voter', { skip: root ? false : 'needs root for a volume to fill' }, () => {
  const volume = mkdtempSync(join(directory, 'volume-'));
  chmodSync(volume, 0o755);
  // A mount namespace of its own: nothing is left behind however this ends.
  const script = `mount -t tmpfs -o size=1m none "$1" && exec "$2" "$3" "$1"`;
  const program = join(import.meta.dirname, 'disk-full.ts');
  const args = ['-m', 'sh', '-c', script, 'sh', volume, process.execPath, program];
  const printed = execFileSync('unshare', args, { encoding: 'utf8', timeout: 30_000 });
  assert.deepEqual(JSON.parse(printed), {
    full: 'ENOSPC',
    outcomes: ['done', 'done', 'done', 'unknown'],
    loaded: { vote: 3 },
  });
});

test('a state that cannot be read, or of a newer version, is no damage: the daemon does not start, and nothing is written', async () => {
  const log = { event: () => {}, flush: () => {} };
  const folder = path();
  mkdirSync(folder);
  const unreadable = at(folder);
  assert.equal(unreadable.load().kind, 'unreadable');
  assert.throws(() => loadState(unreadable, log, () => null, {}), StartRefused);
  const file = path();
  const newer = createStore({ path: file, formatVersion: stateFormat + 1 });
  assert.equal((await newer.save({ of: 'a newer version' })).kind, 'done');
  await newer.close();
  const before = readFileSync(file);
  assert.throws(() => loadState(at(file), log, () => null, {}), /newer version/);
  assert.deepEqual(readFileSync(file), before);
});
