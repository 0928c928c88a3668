// Runs on a volume that it may fill, by disk.test.ts: prints what a save came to once not a byte is left.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createStore } from '../../src/adapters/disk/store.ts';

const directory = process.argv[2] ?? '';
const store = createStore({ path: join(directory, 'state'), formatVersion: 1 });
const first = await store.save({ vote: 1 });
let full = '';
for (let kib = 64; kib >= 1; kib /= 2) {
  try {
    for (;;) appendFileSync(join(directory, 'fill'), Buffer.alloc(kib * 1024));
  } catch (error) {
    full = (error as NodeJS.ErrnoException).code ?? '';
  }
}
const second = await store.save({ vote: 2 });
const third = await store.save({ vote: 3 });
await store.close();
const loaded = createStore({ path: join(directory, 'state'), formatVersion: 1 }).load();
const fresh = await createStore({ path: join(directory, 'other'), formatVersion: 1 }).save({});
const outcomes = [first, second, third, fresh].map((outcome) => outcome.kind);
console.log(JSON.stringify({ full, outcomes, loaded: loaded.kind === 'found' ? loaded.document : null }));
