import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, clientStatus, endLoad, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insistSafe, nowMs, seconds, Unsafe } from './kit/scenario.ts';
import { syncIs } from './kit/sync.ts';
import { hold } from './kit/wait.ts';
import { agreement } from './kit/world.ts';

/** What was on its way when the standby was lost may still have been confirmed by it. */
const ON_THE_WAY_MS = 500;

/** Without a standby nothing is committed, for as long as it takes; then all goes on where it was. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  await ready(lab);
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await syncIs(lab, true, 60_000);
  await beginLoad(round);
  const at = await strike(round, `power loss of ${standby}-db`, () => lab.kill(`${standby}-db`));
  await hold(
    'no write is acknowledged',
    8_000,
    () => {
      const status = clientStatus(round);
      if (status === null || status.at < at + 2 * ON_THE_WAY_MS) return undefined;
      const ackAt = status.at - status.lastAckAgoMs;
      return ackAt <= at + ON_THE_WAY_MS ? undefined : `the client had one ${seconds(ackAt - at)} after the loss`;
    },
    Unsafe,
  );
  await syncIs(lab, true, 1_000);
  const backAt = await strike(round, `${standby}-db is back`, () =>
    lab.start(`${standby}-db`, { bootPostgres: false }),
  );
  await writesAgain(round, backAt, 40_000);
  round.figure('writes after its return', seconds(nowMs() - backAt));
  await agreement(lab, { primary, entry, epoch }, 40_000);
  const { writers } = await endLoad(round, at - 500, { mayFail: true });
  const other = writers[standby].acknowledged;
  insistSafe(other === 0, `${standby}'s database acknowledged ${other} writes`);
}

export const scenario: Scenario = {
  id: 'S17',
  title: 'zero-loss-strict: without a standby nothing is committed',
  witness: ['route53', 'agent'],
  run,
};
