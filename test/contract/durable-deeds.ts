// Does, one after the other, what has to be on the disk before anything rests on it, and says each as soon as it is
// done: run by durable.test.ts under a trace.

import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createStore } from '../../src/adapters/disk/store.ts';
import { createFuse } from '../../src/adapters/fuse/fuse-files.ts';
import { createSignalFile } from '../../src/adapters/postgres/signal-file.ts';
import { allowPrimary, disarmFuse } from '../../src/cli/disarm/hand-back.ts';
import type { ClusterConfig } from '../../src/config/cluster.ts';
import { saveLastGood } from '../../src/config/load.ts';

const [deed = '', directory = ''] = process.argv.slice(2);
function say(words: string): void {
  writeSync(1, `${words}\n`);
}

/** As a daemon does: it ends at the first save that is not done. */
async function saves(): Promise<void> {
  const store = createStore({ path: join(directory, 'state'), formatVersion: 1 });
  store.load();
  for (let vote = 1; vote <= 3; vote += 1) {
    const { kind } = await store.save({ vote });
    say(kind);
    if (kind !== 'done') return;
  }
}

async function signs(): Promise<void> {
  const file = createSignalFile(directory);
  file.put();
  say('put');
  file.take();
  await file.putSoon();
  say('put soon');
}

function removes(): void {
  const config = {
    paths: { stateDirectory: directory, runDirectory: directory },
    database: { dataDirectory: directory },
  };
  disarmFuse(config as ClusterConfig);
  say('disarmed');
  allowPrimary(config as ClusterConfig);
  say('allowed');
}

const deeds: Readonly<Record<string, () => void | Promise<void>>> = {
  saves,
  signs,
  removes,
  arms: () => say(createFuse({ runDirectory: directory, stateDirectory: directory }).arm().kind),
  keeps: () => {
    saveLastGood(join(directory, 'last-good'), 'text');
    say('kept');
  },
};
await deeds[deed]?.();
