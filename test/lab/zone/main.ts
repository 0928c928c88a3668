// The zone as a program; README.md says how it is started.

import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { parseArgs } from 'node:util';
import { type ApiState, createApi } from './api.ts';
import { createControl } from './control-server.ts';
import { parseCredentials } from './credentials.ts';
import { serveDns } from './dns.ts';
import { Bucket, RequestLog } from './modes.ts';
import { ZoneStore } from './store.ts';

const defaultZones = ['ZLABENTRY=siteward.test', 'ZLABREGISTER=register.test'];
const defaultCredentials = 'aws_access_key_id = AKIALABSITEWARD\naws_secret_access_key = lab-secret-key\n';
/** AWS's default: 10 requests a second and account, 50 at once. */
const bucketFactor = 5;

function split(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  if (at < 1 || !Number.isInteger(port)) throw new Error(`'${address}' is not IP:PORT`);
  return { host: address.slice(0, at), port };
}

function listen(server: Server, address: string): Promise<string> {
  const { host, port } = split(address);
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => done(`${host}:${(server.address() as { port: number }).port}`));
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      http: { type: 'string' },
      dns: { type: 'string' },
      control: { type: 'string' },
      state: { type: 'string' },
      zone: { type: 'string', multiple: true, default: defaultZones },
      credentials: { type: 'string' },
      'insync-ms': { type: 'string', default: '200' },
      rate: { type: 'string', default: '10' },
    },
  });
  if (values.http === undefined || values.control === undefined) throw new Error('--http and --control are required');
  const zones = values.zone.map((text) => {
    const [id = '', name = ''] = text.split('=');
    if (!/^Z[A-Z0-9]{1,31}$/.test(id) || name === '') throw new Error(`--zone '${text}' is not ID=NAME`);
    return { id, name };
  });
  const rate = Number(values.rate);
  const credentials = values.credentials === undefined ? defaultCredentials : readFileSync(values.credentials, 'utf8');
  const state: ApiState = {
    store: new ZoneStore(values.state ?? null, zones),
    keys: parseCredentials(credentials),
    modes: new Map(),
    log: new RequestLog(),
    insyncMs: Number(values['insync-ms']),
    account: rate > 0 ? new Bucket(rate, rate * bucketFactor, performance.now()) : null,
  };
  const http = await listen(createApi(state), values.http);
  const control = await listen(createControl(state), values.control);
  let dns: string | null = null;
  if (values.dns !== undefined) {
    const { host, port } = split(values.dns);
    dns = `${host}:${(await serveDns(state.store, host, port)).port}`;
  }
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => process.exit(0));
  console.log(JSON.stringify({ ready: true, http, dns, control }));
}

main().catch((error: unknown) => {
  console.error(`zone: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
