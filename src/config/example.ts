/**
 * The cluster of the documents: the names and addresses the system grew up with, in regions that a route53 witness may
 * have. docs/cluster.example.yaml is made from it, tests and the lab begin with it. The pins are those of no key.
 */
import { createHash } from 'node:crypto';
import type { ClusterFileInput } from './schema.ts';

function examplePin(name: string): string {
  return createHash('sha256').update(`siteward example ${name}`).digest('base64');
}

const exampleHostKey = (host: string) => `SHA256:${examplePin(host).slice(0, 43)}`;

const exampleSite = (site: 'site1' | 'site2', region: string, network: string) => ({
  region,
  service: { host: `${site}-svc`, address: `${network}.10` },
  application: { host: `${site}-app`, address: `${network}.20`, instances: [8001, 8002, 8003] },
  database: { host: `${site}-db`, address: `${network}.30`, port: 5432 },
});

export function exampleCluster(): ClusterFileInput {
  return {
    cluster: 'birthday',
    sites: {
      site1: exampleSite('site1', 'eu-west-1', '172.20.1'),
      site2: exampleSite('site2', 'eu-central-1', '172.21.1'),
    },
    witness: {
      kind: 'route53',
      route53: { hostedZoneId: 'Z0WITNESS0EXAMPLE', name: 'birthday.witness.example.net' },
    },
    keys: {
      'site1-agent': [examplePin('site1-agent')],
      'site2-agent': [examplePin('site2-agent')],
      'site1-guard': [examplePin('site1-guard')],
      'site2-guard': [examplePin('site2-guard')],
      operators: { alice: [examplePin('alice')] },
    },
    database: { name: 'revolutdb' },
    ssh: {
      hostKeys: Object.fromEntries(
        ['site1-app', 'site1-db', 'site2-app', 'site2-db'].map((host) => [host, [exampleHostKey(host)]]),
      ),
    },
    dns: {
      kind: 'route53',
      route53: { hostedZoneId: 'Z0PUBLIC0EXAMPLE', name: 'birthday.example.com' },
      addresses: { site1: '203.0.113.10', site2: '198.51.100.10' },
    },
  };
}
