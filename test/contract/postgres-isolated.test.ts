// The classes that need a network or a volume of their own, in namespaces made for this test alone.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { binDirectory } from './postgres-bed.ts';

const namespaces = ['--net', '--mount', '--propagation', 'private', '--fork', '--kill-child'];

function reasonToSkip(): string | false {
  if (binDirectory === null) return 'no PostgreSQL server is installed';
  if (process.getuid?.() !== 0) return 'namespaces and mounts need root';
  return spawnSync('unshare', [...namespaces, 'true']).status === 0 ? false : 'no namespaces can be made here';
}

test('unreachable, timeout and disk-full by real causes', { skip: reasonToSkip() }, async () => {
  const helper = join(import.meta.dirname, 'postgres-isolated.ts');
  const output = await new Promise<string>((resolve, reject) => {
    execFile('unshare', [...namespaces, process.execPath, helper], { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
  assert.deepEqual(JSON.parse(output), {
    network: { unreachableHost: 'unreachable', prohibited: 'unreachable', noRoute: 'unreachable', silent: 'timeout' },
    disk: { before: 'ok', full: 'disk-full', beaten: 'disk-full' },
  });
});
