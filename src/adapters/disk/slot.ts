// One slot of a state file: a header of fixed size and a JSON document, with a checksum over both.
//
//   0  magic "SITEWARD"   8  slot layout (u32)   12 format version (u32)   16 sequence (u64)
//   24 length (u32)       28 SHA-256 over bytes 0..28 and the document     60 document, UTF-8

import { createHash } from 'node:crypto';

export const slotBytes = 64 * 1024;

const magic = Buffer.from('SITEWARD', 'latin1');
const layout = 1;
const headerBytes = 60;
const pageBytes = 4096;

export type SlotContent = { readonly sequence: number; readonly formatVersion: number; readonly document: unknown };

/** The used part of a slot in whole pages, or null when the document does not fit. */
export function writeSlot({ sequence, formatVersion, document }: SlotContent): Buffer | null {
  const body = Buffer.from(JSON.stringify(document), 'utf8');
  if (headerBytes + body.length > slotBytes) return null;
  const slot = Buffer.alloc(Math.ceil((headerBytes + body.length) / pageBytes) * pageBytes);
  magic.copy(slot, 0);
  slot.writeUInt32LE(layout, 8);
  slot.writeUInt32LE(formatVersion, 12);
  slot.writeBigUInt64LE(BigInt(sequence), 16);
  slot.writeUInt32LE(body.length, 24);
  body.copy(slot, headerBytes);
  checksum(slot, body.length).copy(slot, 28);
  return slot;
}

/** Null when the slot was never written, was torn by a crash, or rotted. */
export function readSlot(slot: Buffer): SlotContent | null {
  if (slot.length < headerBytes || !slot.subarray(0, 8).equals(magic) || slot.readUInt32LE(8) !== layout) return null;
  const length = slot.readUInt32LE(24);
  if (headerBytes + length > slot.length || !checksum(slot, length).equals(slot.subarray(28, headerBytes))) return null;
  const sequence = Number(slot.readBigUInt64LE(16));
  if (!Number.isSafeInteger(sequence)) return null;
  try {
    const document: unknown = JSON.parse(slot.toString('utf8', headerBytes, headerBytes + length));
    return { sequence, formatVersion: slot.readUInt32LE(12), document };
  } catch {
    return null;
  }
}

function checksum(slot: Buffer, length: number): Buffer {
  return createHash('sha256')
    .update(slot.subarray(0, 28))
    .update(slot.subarray(headerBytes, headerBytes + length))
    .digest();
}
