/** The inventory of the rehearsal: what `terraform output -raw inventory` writes, with addresses of the lab. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startsSlowly } from '../lab/scenarios/run/starvation.ts';
import { AWS_CREDENTIALS, OPERATOR } from '../lab/src/secrets.ts';
import type { HostName, SiteName } from '../lab/src/topology.ts';
import {
  ADDRESSES,
  ENTRY_NAME,
  ENTRY_ZONE,
  INSTANCES,
  kindOf,
  REGISTER_NAME,
  REGISTER_ZONE,
  siteOf,
  ZONE_HTTP,
} from '../lab/src/topology.ts';
import type { Fleet } from './fleet.ts';
import { MACHINES, OPERATOR_ACCOUNT } from './machines.ts';

const route53 = (hostedZoneId: string, name: string) => ({
  hostedZoneId,
  name,
  endpoint: `http://${ZONE_HTTP}`,
  credentialsFile: '/etc/siteward/aws.credentials',
});

function siteSection(site: SiteName, region: string) {
  return {
    region,
    service: { host: `${site}-svc`, address: ADDRESSES[`${site}-svc`] },
    application: { host: `${site}-app`, address: ADDRESSES[`${site}-app`], instances: [...INSTANCES] },
    database: { host: `${site}-db`, address: ADDRESSES[`${site}-db`], port: 5432 },
  };
}

function clusterSection() {
  return {
    cluster: 'birthday',
    sites: { site1: siteSection('site1', 'eu-west-1'), site2: siteSection('site2', 'eu-central-1') },
    witness: { kind: 'route53', route53: route53(REGISTER_ZONE, REGISTER_NAME) },
    database: { name: 'revolutdb' },
    dns: { kind: 'route53', route53: route53(ENTRY_ZONE, ENTRY_NAME) },
    // Scenarios follow one another; nobody waits five minutes between them.
    policy: { coolDown: '1s', entryCoolDown: '1s' },
    // Beside Docker, six systemds and Ansible a login takes longer there than the default waits: nothing is moved for that.
    ...(startsSlowly() ? { probe: { every: '1s', deadline: '2s' } } : {}),
  };
}

function siteEnv(site: SiteName) {
  return {
    dbhost: ADDRESSES[`${site}-db`],
    dbport: '5432',
    dbname: 'revolutdb',
    dbuser: 'dbuser',
    dbappname: 'birthday',
  };
}

/** Writes it and returns its path. */
export function writeInventory(fleet: Fleet, more: Readonly<Record<string, unknown>>): string {
  const credentials = join(fleet.keys, 'aws.credentials');
  writeFileSync(credentials, AWS_CREDENTIALS, { mode: 0o600 });
  const groupOf = (kind: string) => ({
    hosts: Object.fromEntries(
      MACHINES.filter((host) => kindOf(host) === kind).map((host: HostName) => [
        host,
        { ansible_host: ADDRESSES[host], address: ADDRESSES[host], site: siteOf(host) },
      ]),
    ),
  });
  const inventory = {
    all: {
      vars: {
        ansible_user: OPERATOR_ACCOUNT,
        ansible_ssh_private_key_file: join(fleet.keys, 'operator'),
        ansible_ssh_common_args: `-o UserKnownHostsFile=${join(fleet.keys, 'known_hosts')}`,
        siteward_cluster: clusterSection(),
        site_env: { site1: siteEnv('site1'), site2: siteEnv('site2') },
        siteward_operators: { [OPERATOR]: [fleet.operatorPin] },
        aws_credentials_file: credentials,
        ...more,
      },
      children: { 'allsites-svc': groupOf('svc'), 'allsites-app': groupOf('app'), 'allsites-db': groupOf('db') },
    },
  };
  const path = join(fleet.paths.base, 'inventory.yaml');
  writeFileSync(path, stringify(inventory));
  return path;
}
