// The origin's load test: many connections, each with its own run of PUT and GET in turn. See README.md.

import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkRun, letters, readConfig, runProgram, type ServiceTarget, serviceDefaults } from './config.ts';
import { nowMs } from './journal.ts';
import { ServiceClient } from './service-client.ts';

type Config = ServiceTarget & {
  readonly run: string;
  readonly connections: number;
  readonly requests: number;
  readonly pauseMs: number;
};

const defaults = {
  ...serviceDefaults,
  timeoutMs: 30_000,
  connectTimeoutMs: 5000,
  connections: 150,
  requests: 100,
  pauseMs: 0,
};

function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return Math.round(value * 10) / 10;
}

function randomRun(): string {
  return letters(Math.floor(Math.random() * 26 ** 5)).slice(-5);
}

async function burst(config: Config): Promise<object> {
  const service = new ServiceClient(config);
  await service.waitForAddress(5000);
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  let failed = 0;
  let missing = 0;
  let retried = 0;
  const startedAt = nowMs();
  const connection = async (index: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < config.requests; turn += 1) {
      const target = service.target;
      if (target === null) throw new Error('the service has no address any more');
      // Each GET asks for what the PUT before it wrote.
      const path = `/hello/${config.run}${letters(index * config.requests + (turn - (turn % 2)))}`;
      const sentAt = nowMs();
      const body = JSON.stringify({ dateOfBirth: '1991-03-14' });
      const reply = await service.ask(
        turn % 2 === 0 ? { method: 'PUT', path, body } : { method: 'GET', path },
        target,
        agent,
      );
      latencies.push(nowMs() - sentAt);
      if (reply.isRetried) retried += 1;
      // An answer, not a failure: the write before it was acknowledged by a primary that crashed before its standby had it.
      if (turn % 2 === 1 && reply.status === 404) missing += 1;
      else if (reply.failure !== null) {
        failed += 1;
        failures[reply.failure] = (failures[reply.failure] ?? 0) + 1;
      }
      if (config.pauseMs > 0) await sleep(config.pauseMs);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: config.connections }, (_, index) => connection(index)));
  const ms = Math.round(nowMs() - startedAt);
  service.close();
  const sorted = latencies.sort((a, b) => a - b);
  const [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1].map((share) => percentile(sorted, share));
  const perSecond = Math.round((sorted.length * 1000) / ms);
  return {
    requests: sorted.length,
    failed,
    failures,
    missing,
    retried,
    ms,
    perSecond,
    latencyMs: { p50, p90, p99, max },
  };
}

runProgram('load burst', async () => {
  const config = readConfig(['name', 'dnsServer'], { ...defaults, run: randomRun() }).config as unknown as Config;
  checkRun(config.run);
  console.log(JSON.stringify(await burst(config)));
  process.exit(0);
});
