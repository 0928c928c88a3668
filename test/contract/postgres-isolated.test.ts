// The classes that need a network or a volume of their own, in namespaces made for this test alone.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { binDirectory } from './postgres-bed.ts';

const namespaces = ['--net', '--mount', '--propagation', 'private', '--fork', '--kill-child'];

function reasonToSkip(): string | false {
  if (binDirectory === null) return 'no PostgreSQL server is installed';
  if (process.getuid?.() !== 0) return 'namespaces and mounts need root';
  return spawnSync('unshare', [...namespaces, 'true']).status === 0 ? false : 'no namespaces can be made here';
}

const inside = 'SITEWARD_TEST_ISOLATED';
// This file starts itself once more, inside the namespaces.
if (process.env[inside] !== undefined) {
  await import('./postgres-isolated.ts');
  process.exit();
}

test('unreachable, timeout and disk-full by real causes', { skip: reasonToSkip() }, async () => {
  const output = await new Promise<string>((resolve, reject) => {
    const options = { timeout: 30_000, env: { ...process.env, [inside]: '1' } };
    execFile('unshare', [...namespaces, process.execPath, import.meta.filename], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
  assert.deepEqual(JSON.parse(output), {
    network: { unreachableHost: 'unreachable', prohibited: 'unreachable', noRoute: 'unreachable', silent: 'timeout' },
    disk: { before: 'ok', full: 'disk-full', beaten: 'disk-full' },
  });
});
