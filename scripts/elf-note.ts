/**
 * Puts a blob where a running Node looks for a single executable's program: into a note that is mapped with the program
 * (Node's documented format: "SEA", note NODE_SEA_BLOB, and a sentinel that says that there is one). Forty lines of ELF
 * instead of a package that is no longer kept up; and the symbols, which nobody needs on a host, are left out at once.
 *
 *   program header   before             after
 *   PHDR             the table itself   gone: it only tells where a relocatable program lies, and Node's is not one
 *   LOAD             as it is           as it is, and one more: the note
 *   NOTE             build id           build id and blob, both in the new place
 */

const SENTINEL = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:';
const NOTE_NAME = 'NODE_SEA_BLOB\0';

const TYPE = { load: 1, note: 4, phdr: 6 } as const;
const fixedAddressProgram = 2;
const readable = 4;
/** The largest page of any kernel that Node runs on (arm64). */
const pageBytes = 65_536;

type Segment = { readonly type: number; readonly bytes: Buffer };

/** The program with the blob in it. Throws when it is not a program of the form that Node is shipped in. */
export function withBlob(program: Buffer, blob: Buffer): Buffer {
  if (program.toString('latin1', 0, 4) !== '\x7fELF' || program[4] !== 2 || program[5] !== 1)
    throw new Error('it is no 64-bit little-endian ELF file');
  if (program.readUInt16LE(16) !== fixedAddressProgram) throw new Error('it is no program of a fixed address');
  const tableAt = Number(program.readBigUInt64LE(32));
  const count = program.readUInt16LE(56);
  const segments = Array.from({ length: count }, (_, index): Segment => {
    const bytes = Buffer.from(program.subarray(tableAt + index * 56, tableAt + (index + 1) * 56));
    return { type: bytes.readUInt32LE(0), bytes };
  });

  const loads = segments.filter(({ type }) => type === TYPE.load);
  const [first] = loads;
  const note = segments.find(({ type }) => type === TYPE.note);
  if (first === undefined || note === undefined || segments[0]?.type !== TYPE.phdr)
    throw new Error('its program headers are not those of Node');
  const base = address(first) - offset(first);
  const loadedUntil = Math.max(...segments.map((each) => offset(each) + fileSize(each)));
  const usedUntil = Math.max(...loads.map((each) => address(each) + memorySize(each)));
  // File offset and address stay as far apart as in the rest: older kernels find the header table by that.
  const at = Math.ceil(Math.max(loadedUntil, usedUntil - base) / pageBytes) * pageBytes;

  const content = Buffer.concat([
    padded(program.subarray(offset(note), offset(note) + fileSize(note))),
    noteHeader(NOTE_NAME.length, blob.length),
    padded(Buffer.from(NOTE_NAME)),
    padded(blob),
  ]);
  const place = { at, address: base + at, length: content.length };
  const added = segment(TYPE.load, place, pageBytes);
  // Loaded segments stand in the order of their addresses.
  const table = segments.slice(1).flatMap((each) => {
    if (each === note) return [segment(TYPE.note, place, 4)];
    return each === loads.at(-1) ? [each.bytes, added] : [each.bytes];
  });

  const result = Buffer.alloc(at + content.length);
  program.copy(result, 0, 0, loadedUntil);
  Buffer.concat(table).copy(result, tableAt);
  content.copy(result, at);
  // The section headers lay behind what is loaded, with the symbols.
  result.writeBigUInt64LE(0n, 40);
  result.fill(0, 60, 64);
  return switchedOn(result);
}

const offset = ({ bytes }: Segment) => Number(bytes.readBigUInt64LE(8));
const address = ({ bytes }: Segment) => Number(bytes.readBigUInt64LE(16));
const fileSize = ({ bytes }: Segment) => Number(bytes.readBigUInt64LE(32));
const memorySize = ({ bytes }: Segment) => Number(bytes.readBigUInt64LE(40));

function segment(type: number, place: { at: number; address: number; length: number }, align: number): Buffer {
  const bytes = Buffer.alloc(56);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(readable, 4);
  const values = [place.at, place.address, place.address, place.length, place.length, align];
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 + index * 8);
  return bytes;
}

function noteHeader(nameBytes: number, blobBytes: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(nameBytes, 0);
  bytes.writeUInt32LE(blobBytes, 4);
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function switchedOn(program: Buffer): Buffer {
  const at = program.indexOf(`${SENTINEL}0`);
  if (at < 0 || program.includes(`${SENTINEL}0`, at + 1)) throw new Error('it is no Node with exactly one sentinel');
  program.write('1', at + SENTINEL.length, 'latin1');
  return program;
}
