import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, nowMs, otherSite } from './kit/scenario.ts';
import { hold, until } from './kit/wait.ts';
import { agent, agreement, databases, record } from './kit/world.ts';

/** First the agent alone, which init starts again; then the host that clients come through. */
async function run(round: Round): Promise<void> {
  const { lab } = round;
  const { primary, entry, epoch } = await placesOf(lab);
  const other = otherSite(entry);
  await beginLoad(round);
  await ready(lab);

  const agentAt = await strike(round, `kill -9 of ${entry}'s agent`, () => {
    lab.signal(`${entry}-svc`, 'agent', 'SIGKILL');
  });
  await until(`${entry}'s agent is back`, 20_000, async () => {
    const status = await agent(lab, entry);
    return status !== null && status.upMs < nowMs() - agentAt + 200 ? undefined : 'not yet';
  });
  await hold('the agent took something with it', 3_000, async () => {
    const now = await record(lab);
    return now.epoch === epoch && now.entry === entry ? undefined : `epoch ${now.epoch}, entry ${now.entry}`;
  });
  await agreement(lab, { primary, entry, epoch }, 30_000);
  const first = await endLoad(round, agentAt - 500);
  insist(first.client.longestOutageMs < 1_000, `an agent's end cost clients ${first.client.longestOutageMs} ms`);
  await ready(lab);

  const at = await strike(round, `power loss of ${entry}-svc`, () => lab.kill(`${entry}-svc`));
  await writesAgain(round, at, 60_000);
  await agreement(lab, { primary, entry: other, epoch }, 30_000);
  const report = await endLoad(round, at - 500, { mayFail: true });
  noteOutage(round, report);
  const { writable } = (await databases(lab))[primary];
  insist(writable === true, 'the database did not stay where it was');
  insist(report.writersOutageMs < 2_000, `the database stopped for ${report.writersOutageMs} ms`);

  await strike(round, `${entry}-svc is back`, () => lab.start(`${entry}-svc`));
  await agreement(lab, { primary, entry: other, epoch }, 40_000);
}

export const scenario: Scenario = {
  id: 'S5',
  title: "the entry's agent killed, then its whole service host",
  witness: ['route53', 'agent'],
  run,
};
