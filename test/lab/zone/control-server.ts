// The lab's hand on the zone: faults, records by hand, what was asked. Plain JSON, on an address of its own.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ApiState } from './api.ts';
import { mergeMode, normalMode } from './modes.ts';
import { type RecordSet, recordTypes, valueProblem } from './records.ts';
import type { Zone } from './store.ts';

function zonesOf(state: ApiState, name: string): Zone[] {
  if (name === 'all') return [...state.store.zones.values()];
  const zone = state.store.find(name);
  if (zone === undefined) throw new Error(`no zone '${name}'`);
  return [zone];
}

function toSet(value: Record<string, unknown>): RecordSet {
  const { name, type, ttl, values } = value;
  const isForm =
    typeof name === 'string' && typeof type === 'string' && typeof ttl === 'number' && Array.isArray(values);
  if (!isForm || !recordTypes.includes(type)) throw new Error('a record is {"name","type","ttl","values":[...]}');
  for (const item of values) {
    const problem = valueProblem(type, String(item));
    if (problem !== null) throw new Error(problem);
  }
  return { name, type, ttl, values: values.map(String) };
}

function describe(state: ApiState): unknown {
  return {
    zones: [...state.store.zones.values()].map((zone) => ({
      id: zone.id,
      name: zone.name,
      mode: state.modes.get(zone.id) ?? normalMode,
      records: state.store.sorted(zone),
    })),
    counters: state.log.counters(),
  };
}

function recordsRequest(state: ApiState, method: string, zones: readonly Zone[], url: URL, body: unknown): unknown {
  if (method === 'GET') return zones.flatMap((zone) => state.store.sorted(zone));
  const [zone, ...others] = zones;
  if (zone === undefined || others.length > 0) throw new Error('name one zone');
  if (method === 'PUT') {
    const set = toSet(body as Record<string, unknown>);
    state.store.put(zone, set);
    return { put: set };
  }
  const name = url.searchParams.get('name') ?? '';
  const type = url.searchParams.get('type') ?? '';
  return { deleted: state.store.remove(zone, name, type) };
}

function modeRequest(state: ApiState, method: string, zones: readonly Zone[], body: unknown): unknown {
  for (const { id } of zones) {
    const mode = state.modes.get(id) ?? normalMode;
    state.modes.set(id, method === 'DELETE' ? normalMode : mergeMode(mode, body as Record<string, unknown>));
  }
  return Object.fromEntries(zones.map(({ id }) => [id, state.modes.get(id)]));
}

function handle(state: ApiState, method: string, url: URL, body: unknown): unknown {
  const [room = '', name = '', below = ''] = url.pathname.split('/').slice(1).map(decodeURIComponent);
  if (method === 'GET' && name === '') {
    if (room === 'state') return describe(state);
    if (room === 'counters') return state.log.counters();
    if (room === 'log') return state.log.since(Number(url.searchParams.get('since') ?? 0));
  }
  if (room === 'zones' && below === 'mode' && (method === 'PUT' || method === 'DELETE')) {
    return modeRequest(state, method, zonesOf(state, name), body);
  }
  if (room === 'zones' && below === 'records' && ['GET', 'PUT', 'DELETE'].includes(method)) {
    return recordsRequest(state, method, zonesOf(state, name), url, body);
  }
  throw new Error(`${method} ${url.pathname} is not known here; see README.md`);
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

async function answer(state: ApiState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let status = 200;
  let result: unknown;
  try {
    const text = await readText(request);
    const url = new URL(request.url ?? '/', 'http://control');
    result = handle(state, request.method ?? '', url, text === '' ? {} : JSON.parse(text));
  } catch (error) {
    status = 400;
    result = { error: error instanceof Error ? error.message : String(error) };
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(result)}\n`);
}

export function createControl(state: ApiState): Server {
  return createServer((request, response) => void answer(state, request, response));
}
