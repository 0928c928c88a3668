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

type Configured = Pick<RunOptions, 'witness' | 'replication' | 'onCrash' | 'brisk'>;
type Made = { readonly config: ClusterConfig; readonly settings: Settings };

const cache = new Map<string, Made>();

export function configOf(options: Configured): Made {
  const key = JSON.stringify([options.witness, options.replication, options.onCrash, options.brisk]);
  const made = cache.get(key) ?? read(fileOf(options));
  if (made === null) throw new Error(`the cluster file of ${key} is refused`);
  cache.set(key, made);
  return made;
}

/** Sections of the cluster file, each of which holds what was edited in it. */
export type FileEdit = Readonly<Partial<Record<'lease' | 'probe' | 'policy', Readonly<Record<string, unknown>>>>>;

/** What a daemon starts with whose file a person edited; null: the production rules refuse that file, so it would not start. */
export function editedSettings(options: Configured, edit: FileEdit): Settings | null {
  const file = fileOf(options);
  const { lease, probe, policy } = edit;
  return read({ ...file, lease, probe, policy: { ...file.policy, ...policy } })?.settings ?? null;
}

function read(file: object): Made | null {
  const { config } = readConfig(JSON.stringify(file), 'the simulated cluster file') as { config?: ClusterConfig };
  return config === undefined ? null : { config, settings: settingsOf(config) };
}

function fileOf({ witness, replication, onCrash, brisk }: Configured) {
  const example = exampleCluster();
  const { route53 } = example.witness;
  // Any other 32 bytes.
  const pin = example.keys['site1-agent'].map((each) => `A${each.slice(1)}`);
  return {
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
}
