/**
 * What the daemons said, of all hosts, in one order: their logs are lines of JSON on one machine's clock. For the demo's
 * timeline and for scenarios that ask when something happened.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { LabPaths } from './paths.ts';
import { sleep } from './process.ts';
import type { HostName } from './topology.ts';
import { HOSTS, kindOf } from './topology.ts';

export interface LabEvent {
  /** Wall clock, ms. */
  readonly at: number;
  readonly host: HostName;
  readonly role: 'agent' | 'guard' | 'witness';
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const ROLES = { svc: 'agent', db: 'guard', witness: 'witness' } as const;

interface Source {
  readonly host: HostName;
  readonly role: LabEvent['role'];
  readonly file: string;
  offset: number;
  /** The last line, while it is not whole. */
  rest: string;
}

function sourcesOf(paths: LabPaths): readonly Source[] {
  return HOSTS.flatMap((host) => {
    const kind = kindOf(host);
    if (kind !== 'svc' && kind !== 'db' && kind !== 'witness') return [];
    const role = ROLES[kind];
    return [{ host, role, file: join(paths.disk(host), `var/log/lab/${role}.log`), offset: 0, rest: '' }];
  });
}

/** From where it ended the last time. */
function readOn(source: Source): readonly LabEvent[] {
  let text = source.rest;
  let file: number;
  try {
    file = openSync(source.file, 'r');
  } catch {
    return [];
  }
  try {
    const length = fstatSync(file).size - source.offset;
    const buffer = Buffer.alloc(Math.max(0, length));
    source.offset += readSync(file, buffer, 0, buffer.length, source.offset);
    text += buffer.toString('utf8');
  } finally {
    closeSync(file);
  }
  const lines = text.split('\n');
  source.rest = lines.pop() ?? '';
  return lines.map((line) => parseLine(source, line)).filter((event) => event !== undefined);
}

/** Undefined for what is no event: a stack trace, say. */
function parseLine({ host, role }: Source, line: string): LabEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { time, level, event, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
    if (typeof event !== 'string') return undefined;
    const at = Date.parse(String(time));
    return { at, host, role, level: String(level), event, message: String(message), fields };
  } catch {
    return undefined;
  }
}

const byTime = (a: LabEvent, b: LabEvent) => a.at - b.at;

export function readEvents(paths: LabPaths, fromMs = 0): readonly LabEvent[] {
  return sourcesOf(paths)
    .flatMap(readOn)
    .filter((event) => event.at >= fromMs)
    .sort(byTime);
}

/** From now on, as it happens, until the signal; a few ms late. */
export async function* followEvents(paths: LabPaths, signal: AbortSignal): AsyncGenerator<LabEvent> {
  const sources = sourcesOf(paths);
  for (const source of sources) readOn(source);
  while (!signal.aborted) {
    yield* sources.flatMap(readOn).sort(byTime);
    await sleep(40);
  }
  yield* sources.flatMap(readOn).sort(byTime);
}
