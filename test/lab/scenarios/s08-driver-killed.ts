import type { WitnessKind } from '../src/cluster-file.ts';
import { readEvents } from '../src/events.ts';
import type { SiteName } from '../src/topology.ts';
import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, writesAgain } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { Broken, nowMs, otherSite, seconds } from './kit/scenario.ts';
import { until } from './kit/wait.ts';
import { repair } from './kit/well.ts';
import { agreement } from './kit/world.ts';

/**
 * Effects that the driver is killed right after. With an agent witness every start is followed by the shorter wait, so most
 * of them are tried there; with the register what differs with it: its own write, and the votes before and after it.
 */
const EFFECTS: Readonly<Record<WitnessKind, readonly string[]>> = {
  agent: [
    'persist:promised',
    'persist:accepted',
    'persist:chosen',
    'send:prepare',
    'send:accept',
    'send:chosen',
    'act:switch-env',
    'reply:guard-answer',
    'act:point-dns',
  ],
  route53: ['persist:accepted', 'register-swap', 'act:switch-env'],
  none: [],
};
/** A failover is driven by the agent of the standby's site, a change of the entry by the one that the name goes to. */
const OF_AN_ENTRY = ['act:point-dns'];
const armedBy = 'persist:promised';
/** Where the peer answers sooner, the register is brought up to date afterwards, by whichever agent comes first (Q5). */
const OF_EITHER = ['register-swap'];
const MOST_TRIES = 3;

async function run(round: Round): Promise<void> {
  const { lab, say } = round;
  const tooks: string[] = [];
  for (const effect of EFFECTS[lab.record().witness]) {
    if (tooks.length > 0) await repair(lab, say);
    let tookMs: number | null = null;
    for (let tries = 1; tookMs === null; tries += 1) {
      if (tries > MOST_TRIES) throw new Broken(`${effect}: the other agent was first ${MOST_TRIES} times`);
      tookMs = await killedAfter(round, effect);
      if (tookMs === null) await repair(lab, say);
    }
    tooks.push(`${effect} ${seconds(tookMs)}`);
  }
  round.figure('effects', tooks.length);
  say(`agreed again after: ${tooks.join(', ')}`);
}

/** Returns after how many ms one site wrote again and everything agreed; null: the other agent did it, and none was killed. */
async function killedAfter(round: Round, effect: string): Promise<number | null> {
  const { lab } = round;
  const { primary, standby, entry, epoch } = await placesOf(lab);
  const moves = OF_AN_ENTRY.includes(effect);
  const driver = moves ? otherSite(entry) : standby;
  await beginLoad(round);
  await arm(round, driver, effect);
  const before = restartsOf(round, driver);
  const beganAt = Date.now();
  const at = await strike(
    round,
    `${effect}: ${moves ? `${entry}'s HAProxy stopped` : `${primary}'s postmaster killed`}`,
    async () => {
      if (moves) await lab.stopService(`${entry}-svc`, 'haproxy');
      else lab.signal(`${primary}-db`, 'postgres', 'SIGKILL');
    },
  );
  const died = await diedOf(round, driver, effect, before, beganAt);
  const diedMs = nowMs() - at;
  await writesAgain(round, at, 60_000);
  if (moves) await lab.startService(`${entry}-svc`, 'haproxy');
  const wanted = moves ? { primary, entry: driver, epoch } : { primary: standby, entry, epoch: epoch + 1 };
  await agreement(lab, { ...wanted, standby: false }, 60_000);
  const tookMs = nowMs() - at;
  await endLoad(round, at - 500, { mayLose: true, mayFail: true });
  if (!died) return null;
  round.say(`${effect}: died after ${seconds(diedMs)}, all agreed after ${seconds(tookMs)}`);
  return tookMs;
}

async function diedOf(
  round: Round,
  driver: SiteName,
  effect: string,
  restarts: number,
  beganAt: number,
): Promise<boolean> {
  const { lab, say } = round;
  const other = `${otherSite(driver)}-svc`;
  const otherWas = () =>
    OF_EITHER.includes(effect) &&
    readEvents(lab.paths, beganAt).some(({ host, event }) => host === other && event === 'register.accepted');
  const hasDied = () => restartsOf(round, driver) > restarts;
  await until(`${driver}'s agent kills itself after ${effect}`, 30_000, () =>
    hasDied() || otherWas() ? undefined : 'it has not',
  );
  if (!hasDied()) say(`${effect}: ${other}'s agent was first; tried again`);
  return hasDied();
}

/** Starts the agent with the order to kill itself. */
async function arm(round: Round, driver: SiteName, effect: string): Promise<void> {
  const { lab } = round;
  // Armed by the first ballot it makes: what it also does at its start, or all the time, is not what is meant.
  const order = effect === armedBy ? effect : `${armedBy}>${effect}`;
  lab.setServiceEnv(`${driver}-svc`, 'agent', { SITEWARD_CRASH_AFTER: order }, { once: true });
  await lab.restartService(`${driver}-svc`, 'agent');
  await ready(lab);
}

function restartsOf({ lab }: Round, site: SiteName): number {
  return lab.services(`${site}-svc`).find(({ name }) => name === 'agent')?.restarts ?? 0;
}

export const scenario: Scenario = {
  id: 'S8',
  title: 'the driving agent killed after each of its effects',
  witness: ['agent', 'route53'],
  run,
};
