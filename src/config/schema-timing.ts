/** The cluster file's sections about policy and time, by protocol.md's names. The sums over them: rules.ts. See schema.ts. */
import { z } from 'zod';
import { count, doc, duration, ratio, size } from './fields.ts';

export const policySchema = z.strictObject({
  onCrash: z
    .enum(['fastest', 'restart'], 'must be fastest or restart (keep-data comes later)')
    .prefault('fastest')
    .meta(
      doc(
        'When PostgreSQL crashed on a living host: fastest hands over at once and counts what the standby lacks as lost; restart starts it in place first. (keep-data comes later.)',
        'fastest',
      ),
    ),
  maxLagBytes: size()
    .prefault('16MiB')
    .meta(
      doc(
        'A standby further behind the last known primary position is not promoted (V5); nor is one of which nobody knows how far behind it is.',
        '16MiB',
      ),
    ),
  coolDown: duration()
    .prefault('5m')
    .meta(doc('No second change of primary within this time of an epoch, orders excepted (V6).', '5m')),
  entryCoolDown: duration().prefault('5m').meta(doc('The same for the entry (V7).', '5m')),
});

export const leaseSchema = z.strictObject({
  ttl: duration()
    .optional()
    .meta(
      doc(
        'Length of a quiet lease (L5), at most 60s. Default: 6s with a route53 witness, else 3s. A voter grants no more than its own file says.',
        '6s',
      ),
    ),
  renewEvery: duration()
    .prefault('750ms')
    .meta(doc('P: time between two rounds of the guard (L1); 100ms to 1s.', '750ms')),
  witnessAfter: duration()
    .prefault('400ms')
    .meta(doc('w: a grant missing for so long starts a long round (L5); less than renewEvery.', '400ms')),
  witnessTtl: duration().prefault('15s').meta(doc('Length of a lease of a long round (L5), at most 60s.', '15s')),
  witnessEvery: duration().prefault('6s').meta(doc('At most one long round in this time (L5, Q9).', '6s')),
  watchEvery: duration().prefault('30s').meta(doc('How often the register is read in quiet times (L5).', '30s')),
  drift: ratio()
    .prefault(0.05)
    .meta(
      doc(
        "D: how much faster one machine's clock may run than another's. 0.05 needs the time service limited to 2 % (chrony: maxslewrate 20000); without that limit 0.2.",
        0.05,
      ),
    ),
  fenceBudget: duration()
    .prefault('900ms')
    .meta(doc('F: the guard begins to stop the database so long before the lease ends (L9).', '900ms')),
  fuseBudget: duration()
    .prefault('400ms')
    .meta(doc('The fuse kills so long before the lease ends (L9); less than fenceBudget.', '400ms')),
  registerLeg: duration()
    .prefault('1200ms')
    .meta(doc('d: bound of one leg at the register: a read, a CAS, the answer to the guard.', '1200ms')),
  roundTrip: duration().prefault('250ms').meta(doc('Bound of one request and its answer between the sites.', '250ms')),
  peerDeadline: duration()
    .prefault('1s')
    .meta(doc('A request between agents, guards and witness is given up after this time.', '1s')),
  releaseWait: duration()
    .prefault('3s')
    .meta(doc('A guard that released goes on in the old epoch when no change was chosen in this time (L7).', '3s')),
  otherDelay: duration()
    .prefault('500ms')
    .meta(doc('How long the other agent leaves it to the agent whose turn it is (V6, Q5).', '500ms')),
});

export const probeSchema = z.strictObject({
  every: duration().prefault('500ms').meta(doc('Time between two probes of a part.', '500ms')),
  deadline: duration()
    .prefault('800ms')
    .meta(doc('A probe that takes longer has failed; the next begins whatever became of it.', '800ms')),
  confirm: count(2, 20).prefault(3).meta(doc('Failures in a row that confirm a failure.', 3)),
  recover: count(1, 20).prefault(2).meta(doc('Successes in a row that end one.', 2)),
});
