/** Writes the lab's cluster file: the defaults wherever there are any, so that the lab tests what people will run. */
import { parse, stringify } from 'yaml';
import type { ClusterFileInput } from '../../../src/config/schema.ts';
import type { PostgresPlace } from './postgres.ts';
import type { LabSecrets } from './secrets.ts';
import { OPERATOR } from './secrets.ts';
import type { SiteName } from './topology.ts';
import {
  ADDRESSES,
  ENTRY_NAME,
  ENTRY_ZONE,
  INSTANCES,
  LabError,
  REGISTER_NAME,
  REGISTER_ZONE,
  ZONE_HTTP,
} from './topology.ts';

export type WitnessKind = 'route53' | 'agent' | 'none';
export const WITNESS_KINDS: readonly WitnessKind[] = ['route53', 'agent', 'none'];

function siteSection(site: SiteName, region: string): ClusterFileInput['sites']['site1'] {
  return {
    region,
    service: { host: `${site}-svc`, address: ADDRESSES[`${site}-svc`] },
    application: { host: `${site}-app`, address: ADDRESSES[`${site}-app`], instances: [...INSTANCES] },
    database: { host: `${site}-db`, address: ADDRESSES[`${site}-db`] },
  };
}

const route53 = (hostedZoneId: string, name: string) => ({
  hostedZoneId,
  name,
  endpoint: `http://${ZONE_HTTP}`,
  credentialsFile: '/etc/siteward/aws.credentials',
});

export function makeClusterFile(
  witness: WitnessKind,
  secrets: LabSecrets,
  postgres: PostgresPlace,
  settings: readonly string[],
): string {
  const pin = (name: string) => [secrets.pins[name] ?? ''];
  const file: ClusterFileInput = {
    cluster: 'birthday',
    sites: { site1: siteSection('site1', 'eu-west-1'), site2: siteSection('site2', 'eu-central-1') },
    witness: {
      kind: witness,
      ...(witness === 'route53' ? { route53: route53(REGISTER_ZONE, REGISTER_NAME) } : {}),
      ...(witness === 'agent' ? { agent: { host: 'witness', address: ADDRESSES.witness } } : {}),
    },
    keys: {
      'site1-agent': pin('site1-agent'),
      'site2-agent': pin('site2-agent'),
      'site1-guard': pin('site1-guard'),
      'site2-guard': pin('site2-guard'),
      ...(witness === 'agent' ? { witness: pin('witness') } : {}),
      operators: { [OPERATOR]: pin(OPERATOR) },
    },
    database: {
      name: 'revolutdb',
      control: 'pg_ctl',
      dataDirectory: postgres.dataDirectory,
      binDirectory: postgres.binDirectory,
      configFile: postgres.configFile,
      socketDirectory: '/run/postgresql',
    },
    ssh: { hostKeys: Object.fromEntries(Object.entries(secrets.hostKeys).map(([host, key]) => [host, [key]])) },
    dns: { kind: 'route53', route53: route53(ENTRY_ZONE, ENTRY_NAME) },
    checks: { diskFree: '64MiB' },
  };
  const tree = file as unknown as Record<string, unknown>;
  for (const setting of settings) applySetting(tree, setting);
  return stringify(tree);
}

/** `lease.ttl=4s`: a key of the cluster file by its dotted path, the value as YAML. */
function applySetting(tree: Record<string, unknown>, setting: string): void {
  const equals = setting.indexOf('=');
  if (equals < 1) throw new LabError(`--set wants KEY=VALUE, not "${setting}"`);
  const keys = setting.slice(0, equals).split('.');
  const last = keys.pop() as string;
  let node = tree;
  for (const key of keys) {
    const next = node[key] ?? {};
    if (typeof next !== 'object') throw new LabError(`--set ${setting}: ${key} holds no keys`);
    node[key] = next;
    node = next as Record<string, unknown>;
  }
  node[last] = parse(setting.slice(equals + 1)) as unknown;
}
