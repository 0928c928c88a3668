// What an agent may ask of the forced SSH command of an application or database host, and what comes back: one line
// each way. Both ends use this file, the command in a process that must start fast, so there is no library in it.
//
//   read                                                          the .env files of an application host
//   stage SITE                                                    a new SITE.env from standard input
//   switch SITE ERA_NUMBER ERA_SITE EPOCH COUNTER VOTER           SITE.env becomes the active .env (R1: with a token)
//   reload                                                        the instances read the active .env again
//   fence ERA_NUMBER ERA_SITE EPOCH COUNTER VOTER                 a database host's own command, and its only one
//
// Words are separated by exactly one space; numbers are decimal without sign or leading zeros. Nothing else is accepted.

import type { EnvReport, Token } from '../core/observe/observation.ts';
import type { Site, VoterId } from '../core/site.ts';

export type HostOrder =
  | { readonly verb: 'read' }
  | { readonly verb: 'stage'; readonly site: Site }
  | { readonly verb: 'switch'; readonly site: Site; readonly token: Token }
  | { readonly verb: 'reload' }
  | { readonly verb: 'fence'; readonly token: Token };

/** Why a host refuses; a closed list, told to the agent and written to the host's log. */
export const hostRefusals = [
  /** Not an order of this kind of host, or not an order at all. */
  'not-an-order',
  /** R1: the host has seen a higher era, epoch or ballot. */
  'lower-token',
  /** The same era and epoch was seen with another primary: one of the two orders is not from a chosen record. */
  'other-primary',
  /** Another order held the host for longer than it may wait. */
  'busy',
  /** The note of the highest token cannot be read; it says nothing about what may be refused, so nothing is done. */
  'note-damaged',
  /** There is no staged file of that site, or it is empty, too large or no regular file. */
  'not-staged',
  /** The content offered is no .env file. */
  'invalid-env',
  /** The file was not replaced; the old one is complete. */
  'write-failed',
  /** The file was replaced, the instances could not all be told. */
  'reload-failed',
  /** A database of a higher epoch than the order's runs here. */
  'higher-epoch',
  /** Processes of the database are left. */
  'still-alive',
  /** The account may not do it. */
  'not-permitted',
  /** Anything else that went wrong before something was changed. */
  'failed',
] as const;
export type HostRefusal = (typeof hostRefusals)[number];

export type HostAnswer =
  | { readonly ok: true; readonly kind: 'env'; readonly env: EnvReport; readonly reloaded: number }
  | {
      readonly ok: true;
      readonly kind: 'fenced';
      readonly killed: number;
      readonly found: 'primary' | 'standby' | 'none';
    }
  | { readonly ok: false; readonly code: HostRefusal; readonly detail: string; readonly token: Token | null };

/** Longest order there is, with room to spare. */
export const longestOrder = 160;
export const longestDetail = 500;

export function encodeToken(token: Token): string {
  return [token.era.number, token.era.site, token.epoch, token.ballot.counter, token.ballot.voter].join(' ');
}

export function encodeOrder(order: HostOrder): string {
  switch (order.verb) {
    case 'read':
    case 'reload':
      return order.verb;
    case 'stage':
      return `stage ${order.site}`;
    case 'switch':
      return `switch ${order.site} ${encodeToken(order.token)}`;
    case 'fence':
      return `fence ${encodeToken(order.token)}`;
  }
}

/** Null for everything that encodeOrder cannot have written. */
export function parseOrder(text: string): HostOrder | null {
  if (text.length > longestOrder) return null;
  const [verb, ...words] = text.split(' ');
  switch (verb) {
    case 'read':
    case 'reload':
      return words.length === 0 ? { verb } : null;
    case 'stage': {
      const site = words.length === 1 ? asSite(words[0]) : null;
      return site && { verb, site };
    }
    case 'switch': {
      const site = asSite(words[0]);
      const token = parseToken(words.slice(1));
      return site && token && { verb, site, token };
    }
    case 'fence': {
      const token = parseToken(words);
      return token && { verb, token };
    }
    default:
      return null;
  }
}

export function encodeAnswer(answer: HostAnswer): string {
  if (answer.ok) return JSON.stringify(answer);
  return JSON.stringify({ ...answer, detail: answer.detail.slice(0, longestDetail) });
}

/** Null for everything that is not exactly one well-formed answer; unknown fields are left out. */
export function parseAnswer(text: string): HostAnswer | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  if (value['ok'] === false) return asRefused(value);
  if (value['ok'] !== true) return null;
  if (value['kind'] === 'env') return asEnv(value);
  return value['kind'] === 'fenced' ? asFenced(value) : null;
}

/** The token as it lies in a note or an answer; undefined when it is none, null when it says that there is none. */
export function asToken(value: unknown): Token | null | undefined {
  if (value === null) return null;
  if (!isObject(value) || !isObject(value['era']) || !isObject(value['ballot'])) return undefined;
  const eraNumber = asCount(value['era']['number']);
  const eraSite = asSite(value['era']['site']);
  const epoch = asCount(value['epoch']);
  const counter = asCount(value['ballot']['counter']);
  const voter = asVoter(value['ballot']['voter']);
  if (eraNumber === null || eraSite === null || epoch === null || counter === null || voter === null) return undefined;
  return { era: { number: eraNumber, site: eraSite }, epoch, ballot: { counter, voter } };
}

export function asSite(value: unknown): Site | null {
  return value === 'site1' || value === 'site2' ? value : null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function asEnv(value: Record<string, unknown>): HostAnswer | null {
  const env = value['env'];
  const reloaded = asCount(value['reloaded']);
  if (!isObject(env) || reloaded === null || !Array.isArray(env['staged'])) return null;
  const active = env['active'] === null ? null : asSite(env['active']);
  const token = asToken(env['token']);
  const staged = env['staged'].map(asSite);
  if ((active === null && env['active'] !== null) || token === undefined || staged.length > 2) return null;
  if (!staged.every((site) => site !== null)) return null;
  return { ok: true, kind: 'env', env: { active, staged, token }, reloaded };
}

function asFenced(value: Record<string, unknown>): HostAnswer | null {
  const killed = asCount(value['killed']);
  const found = value['found'];
  if (killed === null || (found !== 'primary' && found !== 'standby' && found !== 'none')) return null;
  return { ok: true, kind: 'fenced', killed, found };
}

function asRefused(value: Record<string, unknown>): HostAnswer | null {
  const code = hostRefusals.find((each) => each === value['code']);
  const token = asToken(value['token']);
  const detail = value['detail'];
  if (code === undefined || token === undefined || typeof detail !== 'string') return null;
  return { ok: false, code, detail: detail.slice(0, longestDetail), token };
}

function parseToken(words: readonly string[]): Token | null {
  if (words.length !== 5) return null;
  const [eraNumber, epoch, counter] = [words[0], words[2], words[3]].map(parseCount);
  const eraSite = asSite(words[1]);
  const voter = asVoter(words[4]);
  if (eraNumber == null || epoch == null || counter == null || eraSite === null || voter === null) return null;
  return { era: { number: eraNumber, site: eraSite }, epoch, ballot: { counter, voter } };
}

function parseCount(word: string | undefined): number | null {
  return word !== undefined && /^(0|[1-9]\d{0,14})$/.test(word) ? Number(word) : null;
}

function asVoter(value: unknown): VoterId | null {
  return value === 'witness' ? value : asSite(value);
}
