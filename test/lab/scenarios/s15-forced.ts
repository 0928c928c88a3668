import { placesOf, strike } from './kit/fault.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, nowMs, seconds } from './kit/scenario.ts';
import { until } from './kit/wait.ts';
import { agent, agreement, database } from './kit/world.ts';

/** No majority can be had: a person forces the change, and the era ends by itself when the others are back. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  await ready(lab);
  const { primary, standby, epoch } = await placesOf(lab);
  await strike(round, `power loss of all of ${primary} and of the witness`, () => lab.kill(primary, 'witness'));
  await until(`${standby}'s agent hears nobody and its promise is over`, 30_000, async () => {
    const status = await agent(lab, standby);
    if (status === null) return 'it does not answer';
    return status.person.includes('no other voter is heard') && status.standsInTheWay.promiseMs === 0
      ? undefined
      : 'not yet';
  });
  const refused = await lab.exec(`${standby}-svc`, ['siteward', 'failover'], { timeoutMs: 20_000 });
  insist(refused.code !== 0, 'a failover without a majority was not refused');
  // Nobody is left to say how long the primary went on, and a person takes longer than the moment for which that is known (V5).
  const words = `printf '%s is down\\n%s\\n' ${primary} ${standby}`;
  const at = nowMs();
  await lab.mustExec(
    `${standby}-svc`,
    ['sh', '-c', `${words} | siteward failover --force --accept-loss --to ${standby}`],
    {
      timeoutMs: 30_000,
    },
  );
  await until(`${standby} writes in a forced era`, 30_000, async () => {
    const seen = await database(lab, standby);
    return seen.writable === true ? undefined : 'not yet';
  });
  round.figure('forced', seconds(nowMs() - at));
  await strike(round, `${primary} and the witness are back`, async () => {
    await lab.start(primary);
    await lab.start('witness');
  });
  const back = nowMs();
  await agreement(lab, { primary: standby, entry: standby, epoch: epoch + 1, standby: false }, 60_000);
  await until('the forced era has ended', 30_000, async () => {
    const status = await agent(lab, standby);
    return status?.record?.voters.startsWith('only:') === false
      ? undefined
      : `the record says ${status?.record?.voters}`;
  });
  round.figure('era ended', seconds(nowMs() - back));
}

export const scenario: Scenario = { id: 'S15', title: 'a change forced without a majority', witness: ['agent'], run };
