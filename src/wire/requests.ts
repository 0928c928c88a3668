// Schemas of every request of core/messages.ts; the compiler checks that both say the same.

import { z } from 'zod';
import type { Request } from '../core/messages.ts';
import {
  accepted,
  addressed,
  ballot,
  counter,
  epochId,
  leaseMs,
  lsn,
  ms,
  name,
  primaryPosition,
  record,
  round,
  site,
  text,
  voterId,
} from './fields.ts';
import { textLimit } from './limits.ts';
import type { Same } from './same.ts';
import { since } from './since.ts';
import { voterView } from './views.ts';

const guardStatus = z.strictObject({
  site,
  noted: epochId.nullable(),
  database: z.enum(['primary', 'standby', 'starting', 'stopping', 'stopped', 'unknown']),
  crashed: z.boolean(),
  leaseLeftMs: ms,
  fuseAlive: z.boolean(),
  systemId: text(textLimit.name).nullable(),
  timeline: counter.nullable(),
  position: lsn.nullable(),
  quarantineMs: ms,
  restingMs: ms,
  missingMs: ms,
  syncAt: since(2, ballot.nullable(), null),
  diskFull: since(2, z.boolean(), false),
  unheardMs: since(2, z.strictObject({ site1: ms.nullable(), site2: ms.nullable() }), { site1: null, site2: null }),
  failsafeOf: since(2, primaryPosition.nullable(), null),
});

/** What a lease is asked for (L1). */
const leaseOf = { ...addressed, epoch: epochId, site, round, ttlMs: leaseMs };

const renew = z.strictObject({ type: z.literal('renew'), ...leaseOf, status: guardStatus });
const registerGrant = z.strictObject({ type: z.literal('register-grant'), ...leaseOf });
const failsafe = z.strictObject({
  type: z.literal('failsafe'),
  ...leaseOf,
  position: since(2, lsn.nullable(), null),
});
const release = z.strictObject({
  type: z.literal('release'),
  ...addressed,
  epoch: epochId,
  site,
  round,
  gone: z.boolean(),
  position: lsn.nullable(),
});
const inquire = z.strictObject({ type: z.literal('inquire'), ...addressed, status: guardStatus });
const syncOff = since(
  2,
  z.strictObject({ type: z.literal('sync-off'), ...addressed, epoch: epochId, site, ask: round }),
);

const prepare = z.strictObject({ type: z.literal('prepare'), ...addressed, ballot });
const accept = z.strictObject({ type: z.literal('accept'), ...addressed, ballot, record });
const chosen = z.strictObject({ type: z.literal('chosen'), cluster: name, chosen: accepted });

const verdict = z.enum(['unknown', 'healthy', 'suspect', 'failed']);
const state = z.strictObject({
  type: z.literal('state'),
  ...addressed,
  version: counter,
  view: voterView,
  verdicts: z.strictObject({ primary: verdict, standby: verdict, entry: verdict, otherEntry: verdict }),
  refusing: z.boolean(),
  register: z.strictObject({ serial: counter, nonce: text(textLimit.name), sinceMs: ms, out: z.boolean() }).nullable(),
  lastPrimary: primaryPosition.nullable(),
  standbyPeak: since(2, primaryPosition.nullable(), null),
  orderMs: ms,
  orderRefuses: z.boolean(),
  seenOfYou: ballot.nullable(),
  voteOfYou: since(2, ballot.nullable(), null),
});

const rejoin = since(2, z.strictObject({ type: z.literal('rejoin'), ...addressed, voter: voterId, longestTtlMs: ms }));
const rejoined = since(
  2,
  z.strictObject({
    type: z.literal('rejoined'),
    ...addressed,
    ticket: text(textLimit.name),
    accepted,
    chosen: z.boolean(),
    registerSerial: counter,
  }),
);

const refusing = z.strictObject({
  type: z.literal('refusing'),
  cluster: name,
  epoch: epochId,
  refusing: z.boolean(),
});
const guardOrder = z.strictObject({
  type: z.literal('guard-order'),
  cluster: name,
  epoch: epochId,
  order: z.enum(['switchover', 'restart']),
  timeoutMs: ms,
});

const order = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('failover'),
    to: site.nullable(),
    dryRun: z.boolean(),
    acceptLoss: z.boolean(),
    force: z.boolean(),
    otherSideIsDown: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('entry'), to: site }),
  z.strictObject({ kind: z.literal('pause'), reason: text(textLimit.reason) }),
  z.strictObject({ kind: z.literal('resume') }),
  z.strictObject({ kind: z.literal('restart') }),
  since(2, z.strictObject({ kind: z.literal('rejoin'), voter: voterId, acceptLoss: z.boolean() })),
]);
const orderRequest = z.strictObject({ type: z.literal('order'), cluster: text(textLimit.name), order });
const status = z.strictObject({ type: z.literal('status') });
const init = z.strictObject({ type: z.literal('init'), accepted, createRegister: z.boolean() });

export const request = z.discriminatedUnion('type', [
  renew,
  registerGrant,
  release,
  inquire,
  syncOff,
  prepare,
  accept,
  chosen,
  state,
  rejoin,
  rejoined,
  failsafe,
  refusing,
  guardOrder,
  orderRequest,
  status,
  init,
]);

true satisfies Same<z.output<typeof request>, Request>;
