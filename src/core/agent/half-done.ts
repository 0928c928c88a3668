// V5, Q5: a change of primary that is found half done may be hours old, and whoever ends it loses what was acknowledged since.
// So it is asked again whether the standby may take over, unless nothing can be lost by it (docs/decisions/0017).

import { type Accepted, compareEpochs, epochOf } from '../quorum/record.ts';
import { isLaterAccepted, movesOn } from '../quorum/voter.ts';
import { sites } from '../site.ts';
import { standbyAdvice, type Waiver } from '../verdict/standby.ts';
import type { AgentDraft } from './draft.ts';
import { peerNotice } from './facts.ts';

/** Why `found` may not be ended as it is, or null. `other`: what the voter holds with which this agent would be the majority. */
export function whyNotEnd(
  d: AgentDraft,
  found: Accepted,
  other: Accepted | null,
  waives: Waiver = 'nothing',
): string | null {
  const { accepted: own, chosen } = d.s.voter.durable;
  if (chosen === null || !movesOn(found, chosen)) return null;
  // Where both hold such a change the old primary has had no lease since the later vote, before which it was asked.
  if (movesOn(own, chosen) && movesOn(other, chosen)) return null;
  if (isNoted(d, found)) return null;
  // "Orders": what an order moves is moved by its own rule, which loses nothing; V5 would allow for a failover's loss.
  if (d.s.order !== null || (peerNotice(d.s, d.at.now)?.orderMs ?? 0) > 0)
    return 'a half-done change of primary, while an order is under way';
  const { mayTakeOver, why } = standbyAdvice(d.s, d.at.now, waives);
  return mayTakeOver ? null : `a half-done change of primary: ${found.record.primary} may not take over: ${why}`;
}

/** L10: guards note chosen epochs only. So it was chosen, and has served since perhaps; this agent alone does not know it. */
function isNoted({ s }: AgentDraft, { record }: Accepted): boolean {
  return sites.some((site) => {
    const noted = s.guards[site]?.value.noted ?? null;
    return noted !== null && compareEpochs(noted, epochOf(record)) >= 0;
  });
}

/**
 * Whether each round of this agent would only find its own vote for such a change, and may not end it: then none is begun. A
 * vote that another voter has overtaken is put right by a round.
 */
export function isStuck(d: AgentDraft): boolean {
  const { voter, peer, witness, register } = d.s;
  const { accepted: own, chosen } = voter.durable;
  if (own === null || chosen === null || !movesOn(own, chosen)) return false;
  const others = [peer?.view.accepted, witness?.view.accepted, register.held?.state.accepted];
  if (others.some((held) => held != null && (isLaterAccepted(held, own) || movesOn(held, chosen)))) return false;
  return whyNotEnd(d, own, null) !== null;
}
