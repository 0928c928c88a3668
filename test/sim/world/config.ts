// The production configuration with its defaults: the documents' example cluster, with this run's witness and modes.

import type { ClusterConfig } from '../../../src/config/cluster.ts';
import { exampleCluster } from '../../../src/config/example.ts';
import { readConfig } from '../../../src/config/read.ts';
import { settingsOf } from '../../../src/config/settings.ts';
import type { Settings } from '../../../src/core/settings.ts';
import type { Site } from '../../../src/core/site.ts';
import type { RunOptions } from '../options.ts';

/** Of the site's service host, where the public name may point to. */
export function addressOf({ dns }: ClusterConfig, site: Site): string {
  return dns.kind === 'none' ? '' : dns.addresses[site];
}

export function withAddresses(config: ClusterConfig, addresses: Record<Site, string> | undefined): ClusterConfig {
  const { dns } = config;
  return dns.kind === 'none' || addresses === undefined ? config : { ...config, dns: { ...dns, addresses } };
}

const cache = new Map<string, { readonly config: ClusterConfig; readonly settings: Settings }>();

type Configured = Pick<RunOptions, 'witness' | 'replication' | 'onCrash' | 'brisk'>;

export function configOf({ witness, replication, onCrash, brisk }: Configured) {
  const key = `${witness} ${replication} ${onCrash} ${brisk}`;
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  const example = exampleCluster();
  const { route53 } = example.witness;
  // Any other 32 bytes.
  const pin = example.keys['site1-agent'].map((each) => `A${each.slice(1)}`);
  const file = {
    ...example,
    replication,
    // As an operator has it, who can switch a host off; checkers/votes.ts asks whom it would have hit.
    fence: { command: ['power-off', '{site}', '{epoch}'] },
    policy: brisk ? { onCrash, coolDown: '1s', entryCoolDown: '1s' } : { onCrash },
    witness:
      witness === 'route53'
        ? { kind: witness, route53 }
        : witness === 'agent'
          ? { kind: witness, agent: { host: 'third', address: '172.22.1.10' } }
          : { kind: witness },
    keys: witness === 'agent' ? { ...example.keys, witness: pin } : example.keys,
  };
  const read = readConfig(JSON.stringify(file), 'the simulated cluster file');
  if (read.kind !== 'good') throw new Error(JSON.stringify(read.problems));
  const made = { config: read.config, settings: settingsOf(read.config) };
  cache.set(key, made);
  return made;
}
