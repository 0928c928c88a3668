// R1: the highest token a host has seen, in one small file. It is on disk before anything is changed by it; a lower
// token changes nothing ever after.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Token } from '../../core/observe/observation.ts';
import { compareBallots } from '../../core/quorum/ballot.ts';
import { compareEpochs } from '../../core/quorum/record.ts';
import type { Site } from '../../core/site.ts';
import { asSite, asToken, encodeToken, isObject } from '../../wire/host-orders.ts';
import { readSmallFile, replaceFile } from './files.ts';
import { Refusal, refusalFor } from './refusal.ts';

export type Note = {
  readonly token: Token | null;
  /** Application hosts: the primary that came with the token. */
  readonly primary: Site | null;
  /** The active file may have been replaced without all instances having been told since. */
  readonly reloadDue: boolean;
};

const noNote: Note = { token: null, primary: null, reloadDue: false };
const format = 1;

export function compareTokens(a: Token, b: Token): number {
  return compareEpochs(a, b) || compareBallots(a.ballot, b.ballot);
}

/** A damaged note is refused, not taken for none: it could only be damaged by a disk or a person, and both are to be seen. */
export function loadNote(path: string): Note {
  let content: Buffer | undefined;
  try {
    content = readSmallFile(path)?.content;
  } catch (error) {
    throw refusalFor(error, 'note-damaged', `reading ${path}`);
  }
  if (content === undefined) return noNote;
  const note = parseNote(content.toString('utf8'));
  if (note === null) {
    throw new Refusal('note-damaged', `${path} holds no note; remove it only if no older order can still be under way`);
  }
  return note;
}

export function saveNote(path: string, note: Note): void {
  try {
    const directory = dirname(path);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: 0o600 };
    replaceFile(path, Buffer.from(`${JSON.stringify({ format, ...note })}\n`), owner, () => {});
  } catch (error) {
    throw refusalFor(error, 'failed', `writing ${path}`);
  }
}

/** Throws unless `token` may act on a host with this note. */
export function checkToken(note: Note, token: Token, primary: Site | null): void {
  if (note.token === null) return;
  if (compareTokens(token, note.token) < 0) {
    throw new Refusal('lower-token', `seen ${encodeToken(note.token)}, asked with ${encodeToken(token)}`);
  }
  // An epoch has one primary (I2): two orders that disagree cannot both come from chosen records.
  if (primary !== null && note.primary !== null && primary !== note.primary && compareEpochs(token, note.token) === 0) {
    throw new Refusal('other-primary', `epoch ${token.epoch} was seen with primary ${note.primary}`);
  }
}

function parseNote(text: string): Note | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || value['format'] !== format || typeof value['reloadDue'] !== 'boolean') return null;
  const token = asToken(value['token']);
  const primary = value['primary'] === null ? null : asSite(value['primary']);
  if (token === undefined || (primary === null && value['primary'] !== null)) return null;
  return { token, primary, reloadDue: value['reloadDue'] };
}
