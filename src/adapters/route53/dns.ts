// The public name as an A record: UPSERT, then INSYNC.

import { isIPv4 } from 'node:net';
import { done } from '../../core/outcome.ts';
import type { Dns } from '../../ports/dns.ts';
import { openZone, type Route53Options, refuse } from './client.ts';

export type Route53Dns = Dns & { close(): void };

export function createDns(options: Route53Options): Route53Dns {
  const zone = openZone(options);
  return {
    async read(deadlineMs) {
      const outcome = await zone.list('A', deadlineMs);
      if (outcome.kind !== 'done') return outcome;
      const set = outcome.value;
      if (set === null) return done(null);
      // Anything but the one plain address is shown as it is, so that it compares unequal and is put right.
      const values = (set.ResourceRecords ?? []).map((record) => record.Value ?? '');
      return done(set.AliasTarget === undefined ? values.join(' ') : `alias ${set.AliasTarget.DNSName ?? ''}`);
    },
    async point(address, comment, deadlineMs) {
      if (!isIPv4(address)) return refuse('invalid', `'${address}' is no IPv4 address, which an A record needs`);
      const records = [{ Value: address }];
      const set = { Name: options.name, Type: 'A' as const, TTL: options.ttlSeconds, ResourceRecords: records };
      const outcome = await zone.change([{ Action: 'UPSERT', ResourceRecordSet: set }], comment, deadlineMs);
      return outcome.kind === 'done' ? done({ id: outcome.value }) : outcome;
    },
    inSync: (id, deadlineMs) => zone.inSync(id, deadlineMs),
    close: () => zone.close(),
  };
}
