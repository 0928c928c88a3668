import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { findHost, listHosts } from '../../../src/config/cluster.ts';
import { exampleCluster } from '../../../src/config/example.ts';
import { exampleFile } from '../../../src/config/pages.ts';
import { formatProblems } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';
import type { ClusterFileInput } from '../../../src/config/schema.ts';
import { fingerprint, serverName, settingsOf } from '../../../src/config/settings.ts';
import { timingSums } from '../../../src/config/sums.ts';

function good(input: unknown) {
  const result = readConfig(stringify(input), 'test.yaml');
  assert.equal(result.kind === 'bad' ? formatProblems(result.problems) : '', '');
  assert.ok(result.kind === 'good');
  return result;
}

const withAgent = (): ClusterFileInput => {
  const example = exampleCluster();
  const witness = [Buffer.alloc(32, 7).toString('base64')];
  return {
    ...example,
    witness: { kind: 'agent', agent: { host: 'witness', address: '172.22.1.10' } },
    keys: { ...example.keys, witness },
  };
};

test('the defaults are those of the protocol', () => {
  const { config } = good(exampleCluster());
  assert.deepEqual(config.lease, {
    ttlMs: 6000,
    renewEveryMs: 750,
    witnessAfterMs: 400,
    witnessTtlMs: 15_000,
    witnessEveryMs: 6000,
    drift: 0.05,
    fenceBudgetMs: 900,
    fuseBudgetMs: 400,
    registerLegMs: 1200,
    watchEveryMs: 30_000,
    releaseWaitMs: 3000,
    otherDelayMs: 500,
    roundTripMs: 250,
    peerDeadlineMs: 1000,
  });
  assert.deepEqual(config.probe, { everyMs: 500, deadlineMs: 800, confirm: 3, recover: 2 });
  assert.deepEqual(config.policy, {
    onCrash: 'fastest',
    maxLagBytes: 16 * 1024 ** 2,
    coolDownMs: 300_000,
    entryCoolDownMs: 300_000,
  });
  assert.deepEqual(config.ports, { agent: 7401, guard: 7402, metrics: 7400 });
});

test('without a register there is one lease length, a short one', () => {
  for (const input of [withAgent(), { ...exampleCluster(), witness: { kind: 'none' } }]) {
    const { config } = good(input);
    assert.equal(config.lease.ttlMs, 3000);
    assert.equal(config.lease.witnessTtlMs, 3000);
  }
});

test('all sums hold with the defaults, for every kind of witness', () => {
  for (const input of [exampleCluster(), withAgent(), { ...exampleCluster(), witness: { kind: 'none' } }]) {
    assert.deepEqual(
      timingSums(good(input).config).filter((sum) => !sum.holds),
      [],
    );
  }
});

test('no witness and one region for both sites are said, and allowed', () => {
  const example = exampleCluster();
  const { sites } = example;
  const { warnings } = good({
    ...example,
    witness: { kind: 'none' },
    sites: { site1: { ...sites.site1, region: 'us-east-1' }, site2: { ...sites.site2, region: 'us-east-1' } },
  });
  assert.deepEqual(
    warnings.map((warning) => warning.key),
    ['sites.site1.region', 'sites.site2.region', 'sites.site2.region', 'witness.kind'],
  );
});

test('a drift that two clocks put right would exceed is said, and allowed', () => {
  const example = exampleCluster();
  for (const [drift, keys] of [
    [0.05, []],
    [0.049, ['lease.drift']],
  ] as const)
    assert.deepEqual(
      good({ ...example, lease: { drift } }).warnings.map((warning) => warning.key),
      keys,
    );
});

test('a pin in hex and one in base64 are the same pin', () => {
  const example = exampleCluster();
  const [base64 = ''] = example.keys['site1-agent'];
  const hex = Buffer.from(base64, 'base64').toString('hex').toUpperCase();
  const { config } = good({ ...example, keys: { ...example.keys, 'site1-agent': [hex] } });
  assert.deepEqual(config.keys.pins['site1-agent'], [base64]);
});

test('the fingerprint changes with the witness, and with nothing that is rotated or moved', () => {
  const example = exampleCluster();
  const of = (input: unknown) => fingerprint(good(input).config);
  const before = of(example);
  assert.match(before, /^[0-9a-f]{16}$/);
  const pins = { ...example.keys, 'site1-agent': [Buffer.alloc(32, 9).toString('base64')] };
  assert.equal(of({ ...example, keys: pins, ports: { agent: 9401 } }), before);
  assert.notEqual(of(withAgent()), before);
  const moved = { kind: 'route53', route53: { hostedZoneId: 'Z0WITNESS0EXAMPLE', name: 'other.witness.example.net' } };
  assert.notEqual(of({ ...example, witness: moved }), before);
});

test("the core's settings name the instances as haproxy.cfg does", () => {
  const { config } = good(exampleCluster());
  assert.deepEqual(settingsOf(config).instances.site2, ['site2-app-8001', 'site2-app-8002', 'site2-app-8003']);
  assert.equal(serverName(config, 'site1', 8001), 'site1-app-8001');
});

test('a host is found by its full and by its short name', () => {
  const { config } = good(withAgent());
  assert.deepEqual(findHost(config, 'site1-db')?.host.address, '172.20.1.30');
  assert.deepEqual(findHost(config, 'witness.example.net')?.part, 'witness');
  assert.equal(findHost(config, 'site3-db'), undefined);
  assert.equal(listHosts(config).length, 7);
});

test('a section whose every line is commented out is an empty section', () => {
  assert.equal(readConfig(`${stringify(exampleCluster())}lease:\n  # ttl: 6s\n`, 'test.yaml').kind, 'good');
});

test('no text makes the reader throw, and every problem has its place', () => {
  const example = exampleFile();
  const cut = fc.tuple(fc.nat(example.length), fc.nat(200), fc.string()).map(([at, length, put]) => {
    return example.slice(0, at) + put + example.slice(at + length);
  });
  const value = fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json));
  fc.assert(
    fc.property(fc.oneof(fc.string(), cut, value), (text) => {
      const result = readConfig(text, 'test.yaml');
      if (result.kind === 'good') return;
      assert.ok(result.problems.length > 0);
      for (const problem of result.problems) {
        assert.ok(problem.line >= 1 && problem.column >= 1 && problem.problem !== '' && problem.instead !== '');
      }
    }),
    { numRuns: 150 },
  );
});

test('a bomb of aliases is refused, not unfolded', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let level = 0; level < 12; level += 1) {
    const from = String.fromCharCode(97 + level);
    lines.push(`${String.fromCharCode(98 + level)}: &${String.fromCharCode(98 + level)} [${`*${from},`.repeat(9)}]`);
  }
  assert.equal(readConfig(lines.join('\n'), 'test.yaml').kind, 'bad');
});
