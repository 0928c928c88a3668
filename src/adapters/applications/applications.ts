// The Applications port: what each instance says of itself at its readiness endpoint.

import type { InstanceReport } from '../../core/observe/observation.ts';
import type { EpochId } from '../../core/quorum/record.ts';
import type { Site } from '../../core/site.ts';
import type { Applications } from '../../ports/hosts.ts';
import type { HttpGet } from '../../ports/http-get.ts';

/** `name` is the one HAProxy has for it. */
export type InstanceAddress = { readonly name: string; readonly address: string; readonly port: number };

export type ApplicationsOptions = {
  readonly readyPath: string;
  readonly instances: Readonly<Record<Site, readonly InstanceAddress[]>>;
};

const maxBytes = 16 * 1024;

export function createApplications(options: ApplicationsOptions, get: HttpGet): Applications {
  async function probe(instance: InstanceAddress, deadlineMs: number): Promise<InstanceReport> {
    const { name, address, port } = instance;
    const answer = await get({ address, port, path: options.readyPath, login: null, maxBytes, deadlineMs });
    if (answer.kind === 'none') return { ...silent(name), class: answer.class, detail: answer.detail };
    return readinessReport(name, answer.status, answer.body);
  }
  return {
    probe: (site, deadlineMs) => Promise.all(options.instances[site].map((each) => probe(each, deadlineMs))),
  };
}

/**
 * 200 and 503 are both answers of a living instance; what it says counts, and a fact it does not state, or states in
 * another form, is unknown.
 */
export function readinessReport(name: string, status: number, body: string): InstanceReport {
  const facts = parseObject(body);
  if ((status !== 200 && status !== 503) || facts === null) {
    return { ...silent(name), class: 'protocol', detail: `status ${status}, ${JSON.stringify(body.slice(0, 80))}` };
  }
  const reason = facts['reason'];
  return {
    name,
    class: 'ok',
    detail: typeof reason === 'string' ? reason.slice(0, 200) : '',
    ready: status === 200 && facts['ready'] === true,
    database: databaseOf(facts['database']),
    writable: typeof facts['writable'] === 'boolean' ? facts['writable'] : null,
    epoch: epochOf(facts['epoch']),
    holding: countOf(facts['holding']) ?? 0,
  };
}

function silent(name: string) {
  return { name, ready: false, database: null, writable: null, epoch: null, holding: 0 } as const;
}

function databaseOf(value: unknown): string | null {
  if (!isObject(value) || typeof value['host'] !== 'string' || countOf(value['port']) === null) return null;
  const host = value['host'].slice(0, 255);
  return `${host.includes(':') ? `[${host}]` : host}:${countOf(value['port'])}`;
}

function epochOf(value: unknown): EpochId | null {
  if (!isObject(value)) return null;
  const number = countOf(value['eraNumber']);
  const site = value['eraSite'];
  const epoch = countOf(value['epoch']);
  if (number === null || epoch === null || (site !== 'site1' && site !== 'site2')) return null;
  return { era: { number, site }, epoch };
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function parseObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
