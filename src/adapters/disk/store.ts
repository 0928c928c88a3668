// The store port: one document in two preallocated slots, written in turn and fsynced, so that a crash in the middle of
// a write leaves the other slot whole and a full disk does not silence a voter. A file that exists always held a
// document: one that holds none now is damaged (Q8), never absent.

import { readFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Store } from '../../ports/store.ts';
import { readSlot, type SlotContent, slotBytes, writeSlot } from './slot.ts';

export type StoreOptions = {
  readonly path: string;
  /** Of the document, not of the file: written beside it. */
  readonly formatVersion: number;
};

type Found = { readonly slot: 0 | 1; readonly content: SlotContent };

export function createStore({ path, formatVersion }: StoreOptions): Store & { close(): Promise<void> } {
  let file: FileHandle | null = null;
  let last: Pick<Found, 'slot'> & { readonly sequence: number } = { slot: 1, sequence: 0 };
  let exists = false;
  let saving: Promise<unknown> = Promise.resolve();

  function load(): ReturnType<Store['load']> {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
      return { kind: 'unreadable', detail: `${path}: ${String(error)}` };
    }
    exists = true;
    const found = newest(bytes);
    if (found === null) return { kind: 'damaged', detail: `${path}: neither of its two slots is whole` };
    last = { slot: found.slot, sequence: found.content.sequence };
    return { kind: 'found', document: found.content.document, formatVersion: found.content.formatVersion };
  }

  async function write(document: unknown): Promise<Outcome<void>> {
    const next = { slot: last.slot === 0 ? 1 : 0, sequence: last.sequence + 1 } as const;
    const slot = writeSlot({ sequence: next.sequence, formatVersion, document });
    if (slot === null) return rejected('too-large', `${path}: the document does not fit in ${slotBytes} bytes`);
    try {
      if (!exists) file = await create(path, next.slot, slot);
      else {
        file ??= await reopen(path);
        await writeWhole(file, slot, next.slot * slotBytes);
        await file.datasync();
      }
      exists = true;
      last = next;
      return done(undefined);
    } catch (error) {
      // After a failed fsync nobody knows what is on the disk; the kernel may have dropped the pages.
      return unknown(`${path}: ${String(error)}`);
    }
  }

  function save(document: unknown): Promise<Outcome<void>> {
    const outcome = saving.then(() => write(document));
    saving = outcome;
    return outcome;
  }

  async function close(): Promise<void> {
    await saving;
    await file?.close();
    file = null;
  }

  return { load, save, close };
}

function newest(bytes: Buffer): Found | null {
  const slots = ([0, 1] as const).flatMap((slot) => {
    const content = readSlot(bytes.subarray(slot * slotBytes, (slot + 1) * slotBytes));
    return content === null ? [] : [{ slot, content }];
  });
  slots.sort((a, b) => b.content.sequence - a.content.sequence);
  return slots[0] ?? null;
}

/** Both slots are allocated and the first document is in one of them before the file has its name. */
async function create(path: string, slot: 0 | 1, content: Buffer): Promise<FileHandle> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w+', 0o600);
  try {
    await writeWhole(file, Buffer.alloc(2 * slotBytes), 0);
    await writeWhole(file, content, slot * slotBytes);
    await file.sync();
    await rename(fresh, path);
    await syncDirectory(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whoever made it may have died before its name was on the disk. */
async function reopen(path: string): Promise<FileHandle> {
  await syncDirectory(path);
  return open(path, 'r+');
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const step = await file.write(bytes, written, bytes.length - written, position + written);
    written += step.bytesWritten;
  }
}
