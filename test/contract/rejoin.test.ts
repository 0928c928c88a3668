// `siteward agent rejoin` and `siteward witness rejoin` from the command line to the disk and the register: two agents with
// the real core, driver, store, wire and TLS on loopback; only Route 53 is a string in memory, and nothing is probed.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { createClock } from '../../src/adapters/clock/clock.ts';
import { createRandomSource } from '../../src/adapters/clock/random.ts';
import { createStore } from '../../src/adapters/disk/store.ts';
import { readIdentity } from '../../src/adapters/http/identity.ts';
import { createPeerServer } from '../../src/adapters/http/peer-server.ts';
import { createPeers } from '../../src/adapters/http/peers.ts';
import { EXIT } from '../../src/catalog/exit-codes.ts';
import { runKeys } from '../../src/cli/keys.ts';
import { runRejoin } from '../../src/cli/rejoin.ts';
import { loadConfig } from '../../src/config/load.ts';
import { settingsOf } from '../../src/config/settings.ts';
import type { AgentDeed, AgentDeedValue, AgentEvent } from '../../src/core/agent/deeds.ts';
import { emptyAgentDurable, startAgent } from '../../src/core/agent/state.ts';
import { agentStep } from '../../src/core/agent/step.ts';
import { done, rejected, unknown } from '../../src/core/outcome.ts';
import type { Accepted } from '../../src/core/quorum/record.ts';
import { agentOf, type PeerId, type Site, sites } from '../../src/core/site.ts';
import { createDriver } from '../../src/driver/driver.ts';
import type { Register } from '../../src/ports/register.ts';
import { addressesOf, pinsOf } from '../../src/roles/addresses.ts';
import { loadState } from '../../src/roles/run.ts';
import { mayAsk } from '../../src/wire/allowed.ts';
import { formatRegisterState, parseRegisterState } from '../../src/wire/register-codec.ts';
import { readAgentDurable, stateFormat } from '../../src/wire/state-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'siteward-rejoin-'));
const atEnd: (() => unknown)[] = [];
after(async () => {
  for (const end of atEnd.reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

const silent = { event: () => {}, flush: () => {} };
const names: readonly PeerId[] = ['site1-agent', 'site2-agent', 'site1-guard', 'site2-guard'];
const config = writeConfig();
const settings = settingsOf(config);
const founded: Accepted = {
  ballot: { counter: 7, voter: 'site1' },
  record: {
    cluster: 'birthday-1',
    era: { number: 0, site: 'site1' },
    epoch: 3,
    primary: 'site2',
    entry: 'site2',
    mode: 'auto',
    sync: false,
    voters: settings.voters,
    by: 'site2',
    at: '2026-01-01T00:00:00.000Z',
    reason: 'moved',
  },
};

/** The example, on loopback, with keys of its own. */
function writeConfig() {
  const example = parseDocument(readFileSync(new URL('../../docs/cluster.example.yaml', import.meta.url), 'utf8'));
  const net = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
  const pins: Record<string, string> = {};
  for (const name of [...names, 'alice']) {
    const said: string[] = [];
    const code = runKeys(['new', name, '--directory', folder], { out: () => {}, err: (text) => void said.push(text) });
    assert.equal(code, 0, said.join('\n'));
    pins[name] = readIdentity(folder, name).pin;
  }
  for (const [index, site] of sites.entries()) {
    example.setIn(['sites', site, 'service', 'address'], `${net}.${10 + index}`);
    example.setIn(['sites', site, 'database', 'address'], `${net}.${20 + index}`);
    example.setIn(['sites', site, 'application', 'address'], `${net}.${30 + index}`);
  }
  for (const name of names) example.setIn(['keys', name], [pins[name]]);
  example.setIn(['keys', 'operators'], { alice: [pins['alice']] });
  example.setIn(['keys', 'directory'], folder);
  const file = join(folder, 'cluster.yaml');
  writeFileSync(file, String(example), { mode: 0o600 });
  const loaded = loadConfig(file);
  assert.ok(loaded.kind === 'good', JSON.stringify(loaded));
  return loaded.config;
}

const ttlMs = 15_000;
const nonce = { id: 'first', site: 'site2', round: { start: 1, seq: 1 }, ttlMs } as const;
const state = { cluster: 'birthday-1', serial: 40, promised: founded.ballot, accepted: founded, nonce, position: null };
let text: string | null = formatRegisterState(state);
const register: Register = {
  read: () => Promise.resolve(done(text)),
  swap: (expected, next) => {
    if (expected !== text) return Promise.resolve(rejected('conflict', 'another value'));
    text = next;
    return Promise.resolve(done(undefined));
  },
};

const stateFile = (site: Site): string => join(folder, `${site}.state`);

async function agent(site: Site) {
  const store = createStore({ path: stateFile(site), formatVersion: stateFormat });
  const { durable, amnesia } = loadState(store, silent, readAgentDurable, emptyAgentDurable);
  const clock = createClock();
  const identity = readIdentity(folder, agentOf(site));
  const pins = pinsOf(config);
  const known = [...addressesOf(config)].filter(([peer]) => peer !== agentOf(site));
  const peers = createPeers({
    identity,
    peers: new Map(known.map(([peer, at]) => [peer, { ...at, pins: pins.get(peer) ?? [] }])),
  });
  const driver = createDriver<ReturnType<typeof startAgent>, AgentEvent, typeof durable, AgentDeed, AgentDeedValue>({
    step: agentStep,
    initial: startAgent(site, settings, durable, amnesia, clock.now()),
    clock,
    random: createRandomSource(),
    store,
    log: silent,
    peers,
    register,
    perform: () => Promise.resolve(unknown('nothing is probed here')),
    fence: null,
    onFatal: (reason) => assert.fail(reason),
  });
  const server = createPeerServer({
    identity,
    address: config.sites[site].service.address,
    port: config.ports.agent,
    pins,
    allow: (from, type) => mayAsk(from, agentOf(site), type),
    onRefused: () => {},
  });
  await server.listen(driver.handle);
  driver.start();
  atEnd.push(async () => {
    await driver.stop();
    await Promise.all([server.close(), peers.close()]);
    await store.close();
  });
  return driver;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (holds()) return;
    await pause(100);
  }
  assert.fail(`never: ${what}`);
}

type Said = { readonly code: number; readonly said: string };

/** Again where a busy machine did not even shake hands in time. */
async function rejoin(who: 'agent' | 'witness', ...args: readonly string[]): Promise<Said> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const all = ['--config', join(folder, 'cluster.yaml'), '--as', 'alice', '--json', ...args];
  const code = await runRejoin(who, all, { out: say, err: say }).catch((error: Error & { code: number }) => {
    lines.push(error.message);
    return error.code;
  });
  return code === EXIT.unreachable ? rejoin(who, ...args) : { code, said: lines.join('\n') };
}

test('a damaged agent and a deleted register get their memory again by one command each', {
  timeout: 90_000,
}, async () => {
  const vote = { cluster: 'birthday-1', promised: founded.ballot, accepted: founded, chosen: founded };
  const site2 = createStore({ path: stateFile('site2'), formatVersion: stateFormat });
  const held = { ...vote, longestTtlMs: ttlMs, forgot: false };
  const seen = { site1: founded.ballot };
  await site2.save({ ...emptyAgentDurable, voter: held, seen, founded: true, registerSerial: 40 });
  await site2.close();
  writeFileSync(stateFile('site1'), 'this is no state file');
  const agents = { site1: await agent('site1'), site2: await agent('site2') };
  await until('site2 hears that site1 has no memory', () => agents.site2.state().peer?.view.amnesia === true);

  assert.equal(
    (await rejoin('agent', '--yes', 'site2')).code,
    EXIT.refused,
    'another name than the one that is asked for',
  );
  const lossy = await rejoin('agent', '--accept-loss', '--yes', 'site1');
  assert.deepEqual([lossy.code, /not needed with a witness/.test(lossy.said)], [EXIT.refused, true], lossy.said);
  assert.equal((await rejoin('witness', '--accept-loss', '--yes', 'witness')).code, EXIT.usage);
  const first = await rejoin('agent', '--yes', 'site1');
  assert.equal(first.code, EXIT.ok, first.said);
  assert.equal(JSON.parse(first.said).voter, 'site1');
  const onDisk = createStore({ path: stateFile('site1'), formatVersion: stateFormat }).load();
  assert.ok(onDisk.kind === 'found');
  const mine = readAgentDurable(onDisk.document)?.voter;
  assert.deepEqual([mine?.accepted?.record, mine?.forgot], [founded.record, false]);
  assert.ok((mine?.promised.counter ?? 0) > 1_000_000);
  assert.ok(agents.site1.state().voter.quarantinedUntil - createClock().now() > 10_000);

  const again = await rejoin('agent', '--yes', 'site1');
  assert.deepEqual([again.code, /nothing to rejoin/.test(again.said)], [EXIT.refused, true], again.said);
  const needless = await rejoin('witness', '--yes', 'witness');
  assert.deepEqual([needless.code, /in use/.test(needless.said)], [EXIT.refused, true], needless.said);

  text = null;
  const isOut = (site: Site): boolean => agents[site].state().register.out !== null;
  await until('the register is out', () => isOut('site1') || isOut('site2'));
  const anew = await rejoin('witness', '--yes', 'witness');
  assert.equal(anew.code, EXIT.ok, anew.said);
  const made = text === null ? null : parseRegisterState(text);
  assert.ok(made !== null && made.nonce !== 'released');
  assert.deepEqual(
    [made.accepted.record, made.serial > 1000, made.nonce.ttlMs, made.promised],
    [founded.record, true, ttlMs, made.accepted.ballot],
  );
  assert.deepEqual(agents.site1.state().voter.durable.accepted?.ballot, made.accepted.ballot);
  await until('both use it again', () => !isOut('site1') && !isOut('site2'));
});
