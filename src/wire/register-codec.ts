// The register's one value (W1) as a short line of ASCII without quotes or backslashes, so that it fits in a TXT record
// and can be read by a person with dig. Lossless but for two texts for people, `by` and `reason`, which are cut.

import { z } from 'zod';
import { parseLsn, showLsn } from '../core/lsn.ts';
import { showBallot } from '../core/quorum/ballot.ts';
import type { RegisterState } from '../core/quorum/register-state.ts';
import type { Round } from '../core/quorum/round.ts';
import { showRound } from '../core/quorum/round.ts';
import { ballot, counter, leaseMs, lsn, record, round, site } from './fields.ts';

const format = 'siteward1';
const separator = ' ';

/** Characters that are kept of the texts for people; each becomes at most three in the line. */
const byLimit = 32;
const reasonLimit = 80;

/** In the order they are written in; `position` only where it is known. */
const keys =
  'cluster serial promised ballot era epoch primary entry mode sync voters by at reason nonce position'.split(' ');

const stateSchema = z.strictObject({
  cluster: record.shape.cluster,
  serial: counter,
  promised: ballot,
  accepted: z.strictObject({ ballot, record }),
  nonce: z.union([
    z.literal('released'),
    z.strictObject({ id: z.string().regex(/^[0-9a-zA-Z]{1,64}$/), site, round, ttlMs: leaseMs }),
  ]),
  position: lsn.nullable(),
});

export function formatRegisterState(state: RegisterState): string {
  const { cluster, serial, promised, accepted, nonce, position } = state;
  const { era, epoch, primary, entry, mode, sync, voters, by, at, reason } = accepted.record;
  const values: readonly string[] = [
    escaped(cluster, 64),
    String(serial),
    showBallot(promised),
    showBallot(accepted.ballot),
    `${era.number}.${era.site}`,
    String(epoch),
    primary,
    entry,
    mode,
    sync ? '1' : '0',
    escaped(voters, 64),
    escaped(by, byLimit),
    escaped(at, 32),
    escaped(reason, reasonLimit),
    nonce === 'released' ? nonce : [nonce.id, nonce.site, showRound(nonce.round), nonce.ttlMs].join('/'),
    ...(position === null ? [] : [showLsn(position)]),
  ];
  return [format, ...values.map((value, index) => `${keys[index] ?? ''}=${value}`)].join(separator);
}

/** Null when the text is not, to the letter, what `formatRegisterState` makes of some state: then it is unreadable (W3). */
export function parseRegisterState(text: string): RegisterState | null {
  try {
    const state = stateSchema.safeParse(rawState(text));
    return state.success && formatRegisterState(state.data) === text ? state.data : null;
  } catch {
    // decodeURIComponent throws on a malformed escape.
    return null;
  }
}

function rawState(text: string): unknown {
  const [first, ...fields] = text.slice(0, 4096).split(separator);
  if (first !== format || fields.length < keys.length - 1 || fields.length > keys.length) return null;
  const values = fields.map((field) => field.slice(field.indexOf('=') + 1));
  const [cluster, serial, promised, accepted, era, epoch, primary, entry, mode, sync] = values;
  const [voters, by, at, reason, nonce, position] = values.slice(10);
  const [eraNumber, eraSite] = (era ?? '').split('.');
  return {
    cluster: unescaped(cluster),
    serial: Number(serial),
    promised: readBallot(promised),
    accepted: {
      ballot: readBallot(accepted),
      record: {
        cluster: unescaped(cluster),
        era: { number: Number(eraNumber), site: eraSite },
        epoch: Number(epoch),
        primary,
        entry,
        mode,
        sync: sync === '1',
        voters: unescaped(voters),
        by: unescaped(by),
        at: unescaped(at),
        reason: unescaped(reason),
      },
    },
    nonce: nonce === 'released' ? nonce : readNonce(nonce),
    // What is no position at all must not read as none.
    position: position === undefined ? null : (parseLsn(position) ?? position),
  };
}

function readNonce(text = '') {
  const [id, guard, at, ttl] = text.split('/');
  return { id, site: guard, round: readRound(at), ttlMs: Number(ttl) };
}

function readBallot(text = '') {
  const [number, voter] = text.split('.');
  return { counter: Number(number), voter };
}

function readRound(text = ''): Round {
  const [start, seq] = text.split('.');
  return { start: Number(start), seq: Number(seq) };
}

/** What is not printable ASCII becomes `?`; a space becomes `+`; everything else odd is percent-encoded. */
function escaped(text: string, limit: number): string {
  const ascii = text.replaceAll(/[^ -~]/g, '?').slice(0, limit);
  return encodeURIComponent(ascii).replaceAll('%20', '+').replaceAll('%3A', ':').replaceAll("'", '%27');
}

function unescaped(text = ''): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
