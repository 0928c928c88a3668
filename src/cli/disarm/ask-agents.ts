// What both agents know of the record, asked with the guard's own key: a database host has no other, and an operator's
// need not be brought there.

import { readIdentity } from '../../adapters/http/identity.ts';
import { createPeers } from '../../adapters/http/peers.ts';
import { EXIT } from '../../catalog/exit-codes.ts';
import type { ClusterConfig } from '../../config/cluster.ts';
import { settingsOf } from '../../config/settings.ts';
import { emptyGuardDurable, startGuard } from '../../core/guard/state.ts';
import { guardStatus } from '../../core/guard/status.ts';
import type { Inquire } from '../../core/messages.ts';
import { agentOf, guardOf, otherSite, type Site } from '../../core/site.ts';
import { addressesOf, pinsOf } from '../../roles/addresses.ts';
import { Refused } from '../client.ts';
import type { Word } from './verdict.ts';

const askMs = 3000;

export async function askBothAgents(config: ClusterConfig, me: Site, cluster: string): Promise<Record<Site, Word>> {
  const identity = identityOf(config, me);
  const pins = pinsOf(config);
  const peers = createPeers({
    identity,
    peers: new Map([...addressesOf(config)].map(([peer, at]) => [peer, { ...at, pins: pins.get(peer) ?? [] }])),
  });
  try {
    const request = inquiry(config, me, cluster);
    const ask = async (site: Site): Promise<Word> => {
      const outcome = await peers.ask(agentOf(site), request, askMs);
      if (outcome.kind === 'done' && outcome.value.type === 'guard-answer')
        return { kind: 'said', chosen: outcome.value.chosen };
      const why = outcome.kind === 'done' ? `answered ${outcome.value.type}` : outcome.detail;
      return { kind: 'silent', why };
    };
    const [site1, site2] = await Promise.all([ask('site1'), ask('site2')]);
    return { site1, site2 };
  } finally {
    await peers.close();
  }
}

function identityOf({ keys }: ClusterConfig, me: Site) {
  try {
    return readIdentity(keys.directory, guardOf(me));
  } catch (error) {
    throw new Refused(`the guard's key: ${error instanceof Error ? error.message : String(error)}`, EXIT.config);
  }
}

/** The status is nobody's: named after the other site, so that no agent takes it for the word of this site's guard. */
function inquiry(config: ClusterConfig, me: Site, cluster: string): Inquire {
  const settings = settingsOf(config);
  const status = guardStatus(startGuard(otherSite(me), settings, emptyGuardDurable, 0, 0), 0);
  return { type: 'inquire', cluster, voters: settings.voters, status };
}
