// R1, R2: `fence.command`, the last resort, which knows no epoch of its own: when an agent turns to it, and when it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleCluster } from '../../../src/config/example.ts';
import { readConfig } from '../../../src/config/read.ts';
import { settingsOf } from '../../../src/config/settings.ts';
import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import { type AgentAdapters, agentDeeds } from '../../../src/roles/agent-deeds.ts';
import { ballot, era0 } from '../core-builders.ts';

const file = { ...exampleCluster(), fence: { command: ['power-off', '{site}', '{epoch}'], deadline: '20s' } };
const read = readConfig(JSON.stringify(file), 'the cluster file');
assert.ok(read.kind === 'good');
const { config } = read;

async function fence(
  host: Outcome<void>,
  mayGoOn = true,
): Promise<{ readonly ran: readonly string[]; readonly outcome: string }> {
  const ran: string[] = [];
  const adapters = {
    hosts: { fence: () => Promise.resolve(host) },
    run: (command: readonly string[]) => {
      ran.push(command.join(' '));
      return Promise.resolve(done(undefined));
    },
  };
  const perform = agentDeeds(config, adapters as unknown as AgentAdapters);
  const token = { era: era0, epoch: 3, ballot: ballot(7) };
  const terms = { deadlineMs: settingsOf(config).outerFenceMs, notAfter: null, mayGoOn: () => mayGoOn };
  const outcome = await perform({ kind: 'fence', site: 'site2', token }, terms);
  return { ran, outcome: outcome.kind };
}

for (const [what, host] of [
  ['was not reached', unknown('no route to host')],
  ['does not take the key', rejected('auth', '')],
  ['could not end all processes', rejected('still-alive', '')],
] as const) {
  test(`a host that ${what}: the command`, async () => {
    assert.deepEqual(await fence(host), { ran: ['power-off site2 3'], outcome: 'done' });
  });
}

for (const code of ['lower-token', 'higher-epoch', 'other-primary'] as const) {
  test(`a host that says ${code}: this agent is behind, nothing is switched off`, async () => {
    assert.deepEqual(await fence(rejected(code, '')), { ran: [], outcome: 'rejected' });
  });
}

test('a host that did it needs no command; an agent that may not go on gives none', async () => {
  assert.deepEqual(await fence(done(undefined)), { ran: [], outcome: 'done' });
  assert.deepEqual(await fence(unknown('no answer'), false), { ran: [], outcome: 'unknown' });
});

test('the command has its own time, after that of the host', () => {
  assert.equal(settingsOf(config).outerFenceMs, 24_000);
});
