// The client of the lab: writes and reads at a steady pace whatever becomes of the earlier ones, and remembers every
// acknowledgement. See README.md.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRun, letters, readConfig, runProgram, type ServiceTarget, serviceDefaults } from './config.ts';
import { type Journal, nowMs, openJournal, readJournal } from './journal.ts';
import type { ClientRecord } from './records.ts';
import { ServiceClient } from './service-client.ts';

type Config = ServiceTarget & {
  readonly run: string;
  readonly out: string;
  readonly writeEveryMs: number;
  readonly readEveryMs: number;
  readonly maxInFlight: number;
  readonly drainMs: number;
};

const defaults = { ...serviceDefaults, writeEveryMs: 20, readEveryMs: 100, maxInFlight: 200, drainMs: 2000 };
const statusEveryMs = 500;
const probeEveryMs = 100;
/** Bounds the probes as well, should nothing ever answer again. */
const probesMax = 300;
const namesKept = 500;

class LoadClient {
  readonly #config: Config;
  readonly #journal: Journal;
  readonly #service: ServiceClient;
  readonly #unanswered = new Map<number, ClientRecord>();
  #names: string[] = [];
  #count: number;
  #asked = 0;
  #lastProbeAt = 0;
  #acknowledged = 0;
  #failed = 0;
  #lastAckAt = nowMs();
  #isStopping = false;

  constructor(config: Config, path: string) {
    this.#config = config;
    // A restarted client goes on with names that were not used yet.
    this.#count = readJournal(path).length;
    this.#journal = openJournal(path);
    this.#journal.add({ k: 'start', a: nowMs() });
    this.#service = new ServiceClient(config, (ip, ttl) => this.#journal.add({ k: 'dns', a: nowMs(), ip, ttl }));
  }

  async start(): Promise<void> {
    void this.#service.resolve();
    this.#repeat(this.#config.writeEveryMs, () => this.#write());
    if (this.#config.readEveryMs > 0) this.#repeat(this.#config.readEveryMs, () => this.#read());
    setInterval(() => this.#saveStatus(), statusEveryMs);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    this.#isStopping = true;
    const end = nowMs() + this.#config.drainMs;
    while (this.#unanswered.size > 0 && nowMs() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const record of this.#unanswered.values()) this.#journal.add({ ...record, a: nowMs(), e: 'unfinished' });
    this.#journal.add({ k: 'stop', a: nowMs() });
    this.#saveStatus();
    this.#journal.close();
  }

  /** Keeps the pace on average: a late turn is made up for, a very late one is not. */
  #repeat(everyMs: number, turn: () => void): void {
    let due = nowMs();
    const next = () => {
      if (this.#isStopping) return;
      turn();
      due = Math.max(due + everyMs, nowMs() - 5 * everyMs);
      setTimeout(next, Math.max(0, due - nowMs()));
    };
    next();
  }

  #write(): void {
    const target = this.#service.target;
    if (target === null) return;
    let isAlone = false;
    if (target.inFlight >= this.#config.maxInFlight) {
      const isTime = nowMs() - this.#lastProbeAt >= probeEveryMs;
      if (!isTime || target.inFlight >= this.#config.maxInFlight + probesMax) return;
      this.#lastProbeAt = nowMs();
      isAlone = true;
    }
    const name = `${this.#config.run}${letters(this.#count)}`;
    const day = String(1 + (this.#count % 28)).padStart(2, '0');
    this.#count += 1;
    const body = JSON.stringify({ dateOfBirth: `1990-06-${day}` });
    void this.#ask('w', name, { method: 'PUT', path: `/hello/${name}`, body, isAlone });
  }

  #read(): void {
    const name = this.#names[Math.floor(Math.random() * this.#names.length)];
    if (name !== undefined) void this.#ask('r', name, { method: 'GET', path: `/hello/${name}` });
  }

  async #ask(k: 'w' | 'r', n: string, ask: Parameters<ServiceClient['ask']>[0]): Promise<void> {
    const target = this.#service.target;
    if (target === null) return;
    this.#asked += 1;
    const key = this.#asked;
    const record: ClientRecord = { k, n, s: nowMs(), a: 0 };
    this.#unanswered.set(key, record);
    const reply = await this.#service.ask(ask, target);
    if (!this.#unanswered.delete(key)) return;
    const a = nowMs();
    const retried = reply.isRetried ? { r: 1 as const } : {};
    if (reply.failure === null) this.#journal.add({ ...record, a, c: reply.status, ...retried });
    else this.#journal.add({ ...record, a, e: reply.failure, ip: target.address, ...retried });
    // A read of a name that is not there is an answer; the report counts it by itself.
    if (reply.failure !== null && !(k === 'r' && reply.status === 404)) this.#failed += 1;
    if (k === 'r' || reply.failure !== null) return;
    this.#acknowledged += 1;
    this.#lastAckAt = a;
    this.#names = [...this.#names.slice(-namesKept), n];
  }

  /** Replaced as a whole, so that who shows it never reads half of it. */
  #saveStatus(): void {
    const status = {
      at: nowMs(),
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      inFlight: this.#unanswered.size,
      lastAckAgoMs: Math.round(nowMs() - this.#lastAckAt),
      address: this.#service.target?.address ?? null,
    };
    const path = join(this.#config.out, 'client.status.json');
    writeFileSync(`${path}.new`, JSON.stringify(status));
    renameSync(`${path}.new`, path);
  }
}

runProgram('load client', async () => {
  const config = readConfig(['run', 'out', 'name', 'dnsServer'], defaults).config as unknown as Config;
  checkRun(config.run);
  await new LoadClient(config, join(config.out, 'client.jsonl')).start();
  process.exit(0);
});
