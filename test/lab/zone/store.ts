// The zones of one double, on disk: what the API shows (current), what DNS shows (published: only what is INSYNC), and
// the changes between the two.

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { applyBatch, type Change, setKey } from './batch.ts';
import { compareSets, normalName } from './names.ts';
import type { RecordSet } from './records.ts';

/** An accepted batch; `effects` (null deletes) are kept until they are published. Times are wall clock ms. */
export type ChangeInfo = {
  readonly id: string;
  readonly zone: string;
  readonly submittedAt: number;
  readonly insyncAt: number;
  readonly comment: string | null;
  readonly effects: readonly { readonly key: string; readonly set: RecordSet | null }[] | null;
};

export type Zone = {
  readonly id: string;
  readonly name: string;
  current: Map<string, RecordSet>;
  published: Map<string, RecordSet>;
};

type Saved = {
  readonly format: 1;
  readonly zones: readonly { id: string; name: string; current: RecordSet[]; published: RecordSet[] }[];
  readonly changes: readonly ChangeInfo[];
};

/** GetChange answers for so many; older ones are NoSuchChange. */
const changesKept = 200;

function toMap(sets: readonly RecordSet[]): Map<string, RecordSet> {
  return new Map(sets.map((set) => [setKey(set.name, set.type), set]));
}

function newZone(id: string, rawName: string): Zone {
  const name = normalName(rawName);
  const soa = `ns-1.${name} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400`;
  const sets: RecordSet[] = [
    { name, type: 'NS', ttl: 172_800, values: [`ns-1.${name}`, `ns-2.${name}`] },
    { name, type: 'SOA', ttl: 900, values: [soa] },
  ];
  return { id, name, current: toMap(sets), published: toMap(sets) };
}

export class ZoneStore {
  readonly zones = new Map<string, Zone>();
  readonly #path: string | null;
  #changes: ChangeInfo[] = [];

  constructor(path: string | null, wanted: readonly { id: string; name: string }[]) {
    this.#path = path;
    this.#load();
    for (const { id, name } of wanted) {
      const zone = this.zones.get(id);
      if (zone === undefined) this.zones.set(id, newZone(id, name));
      else if (zone.name !== normalName(name)) throw new Error(`the state has zone ${id} as ${zone.name}, not ${name}`);
    }
    this.#save();
  }

  /** A zone by id or name. */
  find(idOrName: string): Zone | undefined {
    return this.zones.get(idOrName) ?? [...this.zones.values()].find((zone) => zone.name === normalName(idOrName));
  }

  change(id: string): ChangeInfo | undefined {
    return this.#changes.find((change) => change.id === id);
  }

  sorted(zone: Zone): RecordSet[] {
    return [...zone.current.values()].sort(compareSets);
  }

  /** Applies a batch, on disk before it returns, or gives the messages of its InvalidChangeBatch. */
  apply(
    zone: Zone,
    changes: readonly Change[],
    comment: string | null,
    insyncMs: number,
  ): ChangeInfo | readonly string[] {
    const result = applyBatch(zone.name, zone.current, changes);
    if ('messages' in result) return result.messages;
    zone.current = result.records;
    return this.#record(
      zone,
      changes.map(({ set }) => setKey(set.name, set.type)),
      comment,
      insyncMs,
    );
  }

  /** A person's hand in the console: no rules but the form of the record, INSYNC at once. */
  put(zone: Zone, set: RecordSet): void {
    const key = setKey(set.name, set.type);
    zone.current.set(key, { ...set, name: normalName(set.name) });
    this.#record(zone, [key], 'by hand', 0);
  }

  remove(zone: Zone, name: string, type: string): boolean {
    const key = setKey(name, type);
    const existed = zone.current.delete(key);
    if (existed) this.#record(zone, [key], 'by hand', 0);
    return existed;
  }

  /** Publishes what is due, in the order of the changes; called before DNS answers. */
  settle(now: number): void {
    this.#changes = this.#changes.map((change) => {
      if (change.effects === null || change.insyncAt > now) return change;
      const zone = this.zones.get(change.zone);
      for (const { key, set } of change.effects) {
        if (set === null) zone?.published.delete(key);
        else zone?.published.set(key, set);
      }
      return { ...change, effects: null };
    });
  }

  #record(zone: Zone, keys: readonly string[], comment: string | null, insyncMs: number): ChangeInfo {
    const now = Date.now();
    this.settle(now);
    // A later change is never published before an earlier one.
    const latest = Math.max(0, ...this.#changes.filter((c) => c.zone === zone.id).map((c) => c.insyncAt));
    const change: ChangeInfo = {
      id: `C${randomBytes(10).toString('hex').toUpperCase()}`,
      zone: zone.id,
      submittedAt: now,
      insyncAt: Math.max(now + insyncMs, latest),
      comment,
      effects: keys.map((key) => ({ key, set: zone.current.get(key) ?? null })),
    };
    this.#changes = [...this.#changes, change].slice(-changesKept);
    this.#save();
    return change;
  }

  #load(): void {
    if (this.#path === null) return;
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const saved = JSON.parse(text) as Saved;
    if (saved.format !== 1) throw new Error(`${this.#path}: unknown format`);
    for (const zone of saved.zones) {
      this.zones.set(zone.id, { ...zone, current: toMap(zone.current), published: toMap(zone.published) });
    }
    this.#changes = [...saved.changes];
  }

  #save(): void {
    if (this.#path === null) return;
    const zones = [...this.zones.values()].map((zone) => ({
      id: zone.id,
      name: zone.name,
      current: [...zone.current.values()],
      published: [...zone.published.values()],
    }));
    const saved: Saved = { format: 1, zones, changes: this.#changes };
    // No fsync: the lab's power loss kills processes, not the kernel.
    writeFileSync(`${this.#path}.new`, JSON.stringify(saved));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
