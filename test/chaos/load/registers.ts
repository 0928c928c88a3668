// Registers through the public name: each has one writer, which counts up and ends with the first write of unknown end
// (that may still happen, at any time), and readers. The service keeps dates: a value is so many days after today's.

import { join } from 'node:path';
import {
  checkRun,
  letters,
  readConfig,
  runProgram,
  type ServiceTarget,
  serviceDefaults,
} from '../../lab/load/config.ts';
import { type Journal, nowMs, openJournal } from '../../lab/load/journal.ts';
import { ServiceClient } from '../../lab/load/service-client.ts';
import { dateOf, dayOf, valueShown } from './register-dates.ts';

type Config = ServiceTarget & {
  readonly run: string;
  readonly out: string;
  readonly registers: number;
  readonly writeEveryMs: number;
  readonly readEveryMs: number;
};

const defaults = { ...serviceDefaults, registers: 4, writeEveryMs: 150, readEveryMs: 50 };
/** The greeting says days to the next birthday: beyond a year it would begin anew. */
const highest = 300;
const namesRead = 12;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

class Registers {
  readonly #config: Config;
  readonly #journal: Journal;
  readonly #service: ServiceClient;
  readonly #base = dayOf(Date.now());
  readonly #pending = new Set<{ n: string; v: number; s: number }>();
  #names: string[] = [];
  #count = 0;
  #stopping = false;

  constructor(config: Config) {
    this.#config = config;
    this.#journal = openJournal(join(config.out, 'registers.jsonl'));
    this.#journal.add({ k: 'start', a: nowMs(), base: this.#base });
    this.#service = new ServiceClient(config);
  }

  async run(): Promise<void> {
    await this.#service.resolve();
    for (let i = 0; i < this.#config.registers; i += 1) void this.#write();
    const reading = setInterval(() => void this.#read(), this.#config.readEveryMs);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve);
      process.stdin.once('end', resolve).resume();
    });
    this.#stopping = true;
    clearInterval(reading);
    const end = nowMs() + 2000;
    while (this.#pending.size > 0 && nowMs() < end) await sleep(20);
    for (const write of this.#pending) this.#journal.add({ k: 'w', ...write, a: null });
    this.#journal.close();
  }

  async #write(): Promise<void> {
    let name = this.#begin();
    for (let value = 1; !this.#stopping; value += 1) {
      const write = { n: name, v: value, s: nowMs() };
      this.#pending.add(write);
      const acknowledged = await this.#put(name, value);
      if (!this.#pending.delete(write)) return;
      this.#journal.add({ k: 'w', ...write, a: acknowledged ? nowMs() : null });
      if (!acknowledged || value >= highest) {
        name = this.#begin();
        value = 0;
      }
      await sleep(this.#config.writeEveryMs);
    }
  }

  #begin(): string {
    const name = `${this.#config.run}reg${letters(this.#count)}`;
    this.#count += 1;
    this.#names = [...this.#names.slice(1 - namesRead), name];
    return name;
  }

  async #put(name: string, value: number): Promise<boolean> {
    const target = this.#service.target;
    if (target === null) return false;
    const body = JSON.stringify({ dateOfBirth: dateOf(this.#base, value) });
    return (await this.#service.ask({ method: 'PUT', path: `/hello/${name}`, body }, target)).failure === null;
  }

  async #read(): Promise<void> {
    const target = this.#service.target;
    const name = this.#names[Math.floor(Math.random() * this.#names.length)];
    if (target === null || name === undefined || target.inFlight > 100) return;
    const s = nowMs();
    const day = dayOf(Date.now());
    const reply = await this.#service.ask({ method: 'GET', path: `/hello/${name}` }, target);
    // Over midnight nobody knows which today was meant.
    if (day !== dayOf(Date.now())) return;
    if (reply.status === 404) this.#journal.add({ k: 'r', n: name, v: null, s, a: nowMs() });
    if (reply.failure !== null) return;
    this.#journal.add({ k: 'r', n: name, v: valueShown(reply.body, this.#base, day), s, a: nowMs() });
  }
}

runProgram('chaos registers', async () => {
  const config = readConfig(['run', 'out', 'name', 'dnsServer'], defaults).config as unknown as Config;
  checkRun(config.run);
  await new Registers(config).run();
  process.exit(0);
});
