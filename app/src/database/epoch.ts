// Epochs as the database itself says them in siteward.cluster, and the highest one this instance has seen. An instance serves from no
// database below that (protocol I8): so an old primary that comes back, or a stale .env, is never served from.
import { open, readFile, rename, rm } from 'node:fs/promises';

export interface Epoch {
  readonly cluster: string;
  readonly eraNumber: number;
  readonly eraSite: string;
  readonly epoch: number;
}

/** Era first, then epoch; two sites that forced an era at once are told apart by name, so that the order is total. */
export function compareEpochs(one: Epoch, other: Epoch): number {
  if (one.eraNumber !== other.eraNumber) return one.eraNumber - other.eraNumber;
  if (one.eraSite !== other.eraSite) return one.eraSite < other.eraSite ? -1 : 1;
  return one.epoch - other.epoch;
}

export type EpochVerdict = 'current' | 'higher' | 'stale-epoch' | 'other-cluster';

/** No epoch at all (the table is not there, or may not be read) is below every epoch. */
export function judgeEpoch(highest: Epoch | null, seen: Epoch | null): EpochVerdict {
  if (seen === null) return highest === null ? 'current' : 'stale-epoch';
  if (highest === null) return 'higher';
  if (seen.cluster !== highest.cluster) return 'other-cluster';
  const order = compareEpochs(seen, highest);
  return order === 0 ? 'current' : order > 0 ? 'higher' : 'stale-epoch';
}

export function parseEpoch(text: string): Epoch | null {
  try {
    const value = JSON.parse(text);
    const isEpoch =
      typeof value?.cluster === 'string' &&
      typeof value.eraSite === 'string' &&
      Number.isSafeInteger(value.eraNumber) &&
      Number.isSafeInteger(value.epoch);
    if (!isEpoch) return null;
    return { cluster: value.cluster, eraNumber: value.eraNumber, eraSite: value.eraSite, epoch: value.epoch };
  } catch {
    return null;
  }
}

/** The highest epoch seen, kept in a small file besides when one is given. Its disk never delays a request. */
export class HighestEpoch {
  #highest: Epoch | null = null;
  #path: string | null;
  #onFailure: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string | null, onFailure: (error: unknown) => void) {
    this.#path = path;
    this.#onFailure = onFailure;
  }

  get value(): Epoch | null {
    return this.#highest;
  }

  async load(): Promise<void> {
    if (this.#path === null) return;
    this.#highest = await readEpochFile(this.#path);
  }

  raise(seen: Epoch): void {
    this.#highest = seen;
    const path = this.#path;
    if (path === null) return;
    this.#writing = this.#writing.then(() => writeEpochFile(path, seen)).catch(this.#onFailure);
  }

  async flush(): Promise<void> {
    await this.#writing;
  }
}

async function readEpochFile(path: string): Promise<Epoch | null> {
  return parseEpoch(await readFile(path, 'utf8').catch(() => ''));
}

/** Whole or not at all, and never lowered: the instances of one host may share the file. */
async function writeEpochFile(path: string, epoch: Epoch): Promise<void> {
  const there = await readEpochFile(path);
  if (there !== null && there.cluster === epoch.cluster && compareEpochs(there, epoch) >= 0) return;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o644);
    try {
      await file.writeFile(`${JSON.stringify(epoch)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
