import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { nowMs, seconds, Unsafe } from './kit/scenario.ts';
import { hold, until } from './kit/wait.ts';
import { makeWell } from './kit/well.ts';
import { agreement, databases, record } from './kit/world.ts';

/** Without the witness two agents suffice; with the peering cut as well nobody may write, and the heal ends that. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  await withoutWitness(round);
  await makeWell(lab, round.say);
  await withoutMajority(round);
}

/** For the register: the service hosts' way to its API, not the DNS that clients ask. */
async function cutWitness({ lab }: Round): Promise<void> {
  const witness = lab.record().witness === 'agent' ? 'witness' : 'zone';
  for (const site of ['site1', 'site2']) await lab.cut(site, witness);
}

async function withoutWitness(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await ready(lab);
  await strike(round, 'witness out of reach', () => cutWitness(round));
  await hold('the lost witness moved something', 8_000, async () => {
    const now = await record(lab);
    return now.epoch === epoch ? undefined : `epoch ${now.epoch}`;
  });
  const at = await strike(round, `kill -9 of ${primary}'s postmaster`, () => {
    lab.signal(`${primary}-db`, 'postgres', 'SIGKILL');
  });
  await writesAgain(round, at, 40_000);
  await agreement(lab, { primary: standby, entry, epoch: epoch + 1, standby: false }, 30_000);
  noteOutage(round, await endLoad(round, at - 500, { mayLose: true }));
}

async function withoutMajority(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await strike(round, 'witness and peering out of reach', async () => {
    await cutWitness(round);
    await lab.cut('site1', 'site2');
  });
  const at = nowMs();
  const stopMs = await until('the primary stops', 40_000, async () => {
    const both = await databases(lab);
    return both[primary].writable === true ? `${primary} writes` : undefined;
  });
  round.figure('stopped after', seconds(stopMs));
  await hold(
    'something was promoted without a majority',
    10_000,
    async () => {
      const both = await databases(lab);
      const writable = [primary, standby].filter((site) => both[site].writable === true);
      return writable.length === 0 ? undefined : `${writable.join(' and ')} is writable`;
    },
    Unsafe,
  );
  const healedAt = await strike(round, 'healed', () => lab.heal());
  await agreement(lab, { primary, entry, epoch }, 60_000);
  await writesAgain(round, healedAt, 30_000);
  round.figure('back after heal', seconds(nowMs() - healedAt - 2_000));
  await endLoad(round, at - 500, { mayFail: true });
}

export const scenario: Scenario = {
  id: 'S7',
  title: 'witness unreachable, then no majority at all',
  witness: ['route53', 'agent'],
  run,
};
