// Who may ask what of whom (protocol.md, "Messages"). The pinned key says who asks; everything not listed is refused
// before the core sees it.

import type { Request } from '../core/messages.ts';
import type { PeerId } from '../core/site.ts';

type Kind = 'agent' | 'guard' | 'witness' | 'operator';
type RequestType = Request['type'];

const allowed: Readonly<Record<'agent' | 'guard' | 'witness', Readonly<Record<Kind, readonly RequestType[]>>>> = {
  agent: {
    agent: ['prepare', 'accept', 'chosen', 'state', 'rejoin', 'rejoined'],
    guard: ['renew', 'register-grant', 'release', 'inquire', 'sync-off'],
    witness: [],
    operator: ['order', 'status', 'init'],
  },
  witness: {
    agent: ['prepare', 'accept', 'chosen', 'state', 'rejoin', 'rejoined'],
    guard: ['renew', 'release', 'inquire'],
    witness: [],
    operator: ['status', 'init'],
  },
  guard: {
    agent: ['chosen', 'refusing', 'guard-order'],
    guard: ['failsafe'],
    witness: [],
    operator: ['status', 'init'],
  },
};

export function mayAsk(from: PeerId, to: PeerId, type: RequestType): boolean {
  const receiver = kindOf(to);
  return receiver !== 'operator' && from !== to && allowed[receiver][kindOf(from)].includes(type);
}

function kindOf(peer: PeerId): Kind {
  if (peer === 'witness') return 'witness';
  if (peer === 'site1-agent' || peer === 'site2-agent') return 'agent';
  return peer === 'site1-guard' || peer === 'site2-guard' ? 'guard' : 'operator';
}
