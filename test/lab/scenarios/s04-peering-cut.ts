import { placesOf, strike } from './kit/fault.ts';
import { beginLoad, endLoad, noteOutage } from './kit/measure.ts';
import { ready } from './kit/quiet.ts';
import type { Round, Scenario } from './kit/scenario.ts';
import { insist, seconds } from './kit/scenario.ts';
import { hold } from './kit/wait.ts';
import { agreement, databases, record } from './kit/world.ts';

/** Longer than any lease and any confirmation: what would move has moved by then. */
const CUT_MS = 20_000;
/** A few requests are on their way to the other site's instances when the cut comes; writes go on beside them. */
const MAX_OUTAGE_MS = 2_000;

/** A name that an earlier failover left at the other site would move, as it should: its instances lose their database. */
async function nameBesidePrimary({ lab }: Round): Promise<void> {
  const { primary, entry, epoch } = await placesOf(lab);
  if (entry === primary) return;
  await lab.mustExec(`${primary}-svc`, ['siteward', 'entry', '--to', primary], { timeoutMs: 30_000 });
  await agreement(lab, { primary, entry: primary, epoch }, 30_000);
}

async function run(round: Round): Promise<void> {
  const { lab } = round;
  await nameBesidePrimary(round);
  const { primary, entry, epoch } = await placesOf(lab);
  await beginLoad(round);
  await ready(lab);
  const at = await strike(round, 'peering cut', () => lab.cut('site1', 'site2'));
  const unmoved = async () => {
    const now = await record(lab);
    if (now.epoch !== epoch || now.entry !== entry) return `epoch ${now.epoch}, entry ${now.entry}`;
    return (await databases(lab))[primary].writable === true ? undefined : `${primary}'s database is not writable`;
  };
  await hold('the cut moved something', CUT_MS, unmoved);
  await strike(round, 'healed', () => lab.heal());
  await hold('the heal moved something', 5_000, unmoved);
  await agreement(lab, { primary, entry, epoch }, 30_000);
  const report = await endLoad(round, at - 500, { mayFail: true });
  noteOutage(round, report);
  const own = report.writers[primary].acknowledged;
  insist(own > 0, `${primary}'s database acknowledged nothing at its own socket`);
  insist(
    report.client.longestOutageMs < MAX_OUTAGE_MS,
    `clients could not write for ${seconds(report.client.longestOutageMs)}`,
  );
  insist(report.writersOutageMs < MAX_OUTAGE_MS, `the primary stopped for ${seconds(report.writersOutageMs)}`);
}

export const scenario: Scenario = {
  id: 'S4',
  title: 'peering cut and healed: nothing moves',
  witness: ['route53', 'agent'],
  run,
};
