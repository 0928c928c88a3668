import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, nowMs, seconds } from './kit/scenario.ts';
import { syncIs } from './kit/sync.ts';
import { agreement } from './kit/world.ts';

/** The sum of docs/TIMING.md for writes that stall, and as much again for a machine that is busy. */
const STALL_MS = 5_500;

/** Writes stall, go on without the standby, wait for it again when it is back; and the failover then loses nothing. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  await ready(lab);
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await syncIs(lab, true, 60_000);
  await beginLoad(round);

  const at = await strike(round, `power loss of ${standby}-db`, () => lab.kill(`${standby}-db`));
  await syncIs(lab, false, 20_000);
  round.figure('sync: false after', seconds(nowMs() - at));
  await writesAgain(round, at, 20_000);
  await agreement(lab, { primary, entry, epoch, standby: false }, 30_000);
  const stalled = (await endLoad(round, at - 500)).client.longestOutageMs;
  round.figure('stall', seconds(stalled));
  insist(stalled <= STALL_MS, `writes stalled for ${seconds(stalled)}, at most ${seconds(STALL_MS)} is allowed`);

  const backAt = await strike(round, `${standby}-db is back`, () =>
    lab.start(`${standby}-db`, { bootPostgres: false }),
  );
  await syncIs(lab, true, 60_000);
  round.figure('sync: true after', seconds(nowMs() - backAt));
  await ready(lab);

  await beginLoad(round);
  const lostAt = await strike(round, `power loss of all of ${primary}, its database host first`, () =>
    lab.kill(primary),
  );
  await writesAgain(round, lostAt, 60_000);
  const wanted = { primary: standby, entry: entry === primary ? standby : entry, epoch: epoch + 1 };
  await agreement(lab, wanted, 40_000);
  // Nothing may be lost; requests that were on their way to the site may fail.
  const report = await endLoad(round, lostAt - 500, { mayFail: true });
  round.figure('outage', seconds(report.client.longestOutageMs));
}

export const scenario: Scenario = {
  id: 'S16',
  title: 'zero-loss: the standby goes and comes back, then the primary’s site is lost',
  witness: ['route53', 'agent'],
  run,
};
