// The API over HTTP: who asks, what, under which fault; one function per action.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bucket, type Mode, normalMode, type RequestLog } from './modes.ts';
import { compareSets, normalName } from './names.ts';
import { verifySignature } from './signature.ts';
import type { Zone, ZoneStore } from './store.ts';
import {
  ApiError,
  changeXml,
  errorXml,
  listXml,
  notImplemented,
  parseChangeBatch,
  zonesByNameXml,
  zoneXml,
} from './xml.ts';

export type ApiState = {
  readonly store: ZoneStore;
  readonly keys: ReadonlyMap<string, string>;
  readonly modes: Map<string, Mode>;
  readonly log: RequestLog;
  readonly insyncMs: number;
  /** The account's limit, for all zones together; null is none. */
  readonly account: Bucket | null;
};

type Call = {
  readonly action: string;
  readonly kind: 'read' | 'change';
  readonly zone: Zone | null;
  readonly changes: readonly string[];
  readonly run: () => string;
};

type Asked = { readonly method: string; readonly path: string; readonly query: URLSearchParams; readonly body: Buffer };

const bodyMax = 256 * 1024;
const pageMax = 300;
const buckets = new WeakMap<Mode, Bucket>();

function allowed(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys()) if (!names.includes(name)) throw notImplemented(`the query parameter '${name}'`);
}

function maxItems(query: URLSearchParams): number {
  const text = query.get('maxitems') ?? String(pageMax);
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new ApiError(400, 'InvalidInput', `MaxItems '${text}' is not valid`);
  return Math.min(pageMax, Number(text));
}

function zoneOf(state: ApiState, id: string): Zone {
  const zone = state.store.zones.get(id);
  if (zone === undefined) throw new ApiError(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${id}`);
  return zone;
}

function changeCall(state: ApiState, zone: Zone, body: Buffer): Call {
  const { changes, comment } = parseChangeBatch(body.toString('utf8'));
  return {
    action: 'ChangeResourceRecordSets',
    kind: 'change',
    zone,
    changes: changes.map(({ action, set }) => `${action} ${set.type} ${set.name}`),
    run: () => {
      const insyncMs = state.modes.get(zone.id)?.insyncMs ?? state.insyncMs;
      const result = state.store.apply(zone, changes, comment, insyncMs);
      if ('id' in result) return changeXml('ChangeResourceRecordSetsResponse', result, Date.now());
      throw new ApiError(400, 'InvalidChangeBatch', `[${result.join(', ')}]`);
    },
  };
}

function listCall(state: ApiState, zone: Zone, query: URLSearchParams): Call {
  allowed(query, ['name', 'type', 'maxitems']);
  const max = maxItems(query);
  const name = query.get('name');
  const type = query.get('type');
  if (type !== null && name === null) {
    throw new ApiError(400, 'InvalidInput', 'The input is not valid: type is specified, but name is not');
  }
  const run = () => {
    const from = name === null ? null : { name: normalName(name), type: type ?? '' };
    const sets = state.store.sorted(zone).filter((set) => from === null || compareSets(set, from) >= 0);
    return listXml({ sets: sets.slice(0, max), next: sets[max], max });
  };
  return { action: 'ListResourceRecordSets', kind: 'read', zone, changes: [], run };
}

function getChangeCall(state: ApiState, id: string): Call {
  const change = state.store.change(id);
  const run = () => {
    if (change === undefined) throw new ApiError(404, 'NoSuchChange', `Could not find resource with ID: ${id}`);
    return changeXml('GetChangeResponse', change, Date.now());
  };
  const zone = state.store.zones.get(change?.zone ?? '') ?? null;
  return { action: 'GetChange', kind: 'read', zone, changes: [], run };
}

function byNameCall(state: ApiState, query: URLSearchParams): Call {
  allowed(query, ['dnsname', 'maxitems']);
  const max = maxItems(query);
  const name = query.get('dnsname');
  const from = name === null ? null : { name: normalName(name), type: '' };
  const zones = [...state.store.zones.values()]
    .filter((zone) => from === null || compareSets({ name: zone.name, type: '' }, from) >= 0)
    .sort((a, b) => compareSets({ name: a.name, type: '' }, { name: b.name, type: '' }));
  if (zones.length > max) throw notImplemented('pages of ListHostedZonesByName');
  return {
    action: 'ListHostedZonesByName',
    kind: 'read',
    zone: null,
    changes: [],
    run: () => zonesByNameXml(zones, name, max),
  };
}

function toCall(state: ApiState, { method, path, query, body }: Asked): Call {
  const parts = /^\/2013-04-01\/(hostedzonesbyname|hostedzone|change)(?:\/([^/]+))?(?:\/(rrset))?\/?$/.exec(path);
  const [, room, id = '', below] = parts ?? [];
  if (room === 'hostedzonesbyname' && method === 'GET' && id === '') return byNameCall(state, query);
  if (room === 'change' && method === 'GET' && id !== '' && below === undefined) return getChangeCall(state, id);
  if (room === 'hostedzone' && id !== '') {
    if (below === 'rrset' && method === 'POST') return changeCall(state, zoneOf(state, id), body);
    if (below === 'rrset' && method === 'GET') return listCall(state, zoneOf(state, id), query);
    if (below === undefined && method === 'GET') {
      const zone = zoneOf(state, id);
      return { action: 'GetHostedZone', kind: 'read', zone, changes: [], run: () => zoneXml(zone) };
    }
  }
  throw notImplemented(`${method} ${path}`);
}

function refuseByMode(mode: Mode, call: Call): void {
  const throttled = new ApiError(400, 'Throttling', 'Rate exceeded');
  if (mode.throttle === 'all') throw throttled;
  if (typeof mode.throttle === 'number') {
    const bucket = buckets.get(mode) ?? new Bucket(mode.throttle, Math.max(1, mode.throttle), performance.now());
    buckets.set(mode, bucket);
    if (!bucket.take(performance.now())) throw throttled;
  }
  if (mode.fail === 500)
    throw new ApiError(500, 'InternalFailure', 'We encountered an internal error. Please try again.');
  if (mode.fail === 503) throw new ApiError(503, 'ServiceUnavailable', 'Service unavailable');
  if (mode.priorRequest && call.kind === 'change') {
    const why = 'The request was rejected because Route 53 was still processing a prior request.';
    throw new ApiError(400, 'PriorRequestNotComplete', why);
  }
}

/** Runs a call under its zone's faults; null is "never answer". */
async function runUnderMode(state: ApiState, call: Call): Promise<string | null> {
  const zoneMode = state.modes.get(call.zone?.id ?? '') ?? normalMode;
  const mode = zoneMode.only === null || zoneMode.only === call.kind ? zoneMode : normalMode;
  refuseByMode(mode, call);
  if (mode.drop === 'before') return null;
  if (mode.delayBeforeMs > 0) await sleep(mode.delayBeforeMs);
  const late = async () => {
    if (mode.delayAfterMs > 0) await sleep(mode.delayAfterMs);
  };
  try {
    const answer = call.run();
    await late();
    return mode.drop === 'after' ? null : answer;
  } catch (error) {
    await late();
    if (mode.drop === 'after') return null;
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyMax) throw new ApiError(413, 'RequestEntityTooLarge', `the body is longer than ${bodyMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(state: ApiState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const requestId = randomUUID();
  const url = new URL(request.url ?? '/', 'http://zone');
  const method = request.method ?? '';
  let call: Call | null = null;
  let accessKey: string | null = null;
  let failure: ApiError | null = null;
  let body: string | null = null;
  try {
    const asked: Asked = { method, path: url.pathname, query: url.searchParams, body: await readBody(request) };
    accessKey = verifySignature({ ...asked, headers: request.headers }, state.keys, Date.now());
    if (state.account?.take(performance.now()) === false) throw new ApiError(400, 'Throttling', 'Rate exceeded');
    call = toCall(state, asked);
    body = await runUnderMode(state, call);
  } catch (error) {
    failure = error instanceof ApiError ? error : new ApiError(500, 'InternalFailure', String(error));
    body = errorXml(failure, requestId);
  }
  const status = body === null ? 0 : (failure?.status ?? 200);
  state.log.add({
    zone: call?.zone?.id ?? /\/hostedzone\/([^/]+)/.exec(url.pathname)?.[1] ?? null,
    action: call?.action ?? `${method} ${url.pathname}`,
    accessKey,
    status,
    error: failure?.code ?? null,
    ms: Math.round(performance.now() - startedAt),
    changes: call?.changes ?? [],
  });
  if (body === null) return;
  response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId });
  response.end(body);
}

export function createApi(state: ApiState): Server {
  return createServer((request, response) => {
    // A client that is gone needs no answer, and its going is no fault of the double.
    answer(state, request, response).catch(() => response.destroy());
  });
}
