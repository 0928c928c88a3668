/** The lab's own scenarios on booted hosts: the same files, the same load, the same judgement. */
import type { Round, Scenario } from '../../lab/scenarios/kit/scenario.ts';
import { insist, seconds } from '../../lab/scenarios/kit/scenario.ts';
import { PACE } from '../../lab/scenarios/run/plan.ts';
import { StarvationProbe, showStarvation, startsSlowly, wasStarved } from '../../lab/scenarios/run/starvation.ts';
import { scenario as s1 } from '../../lab/scenarios/s01-postmaster-killed.ts';
import { scenario as s2 } from '../../lab/scenarios/s02-database-host-lost.ts';
import { scenario as s3 } from '../../lab/scenarios/s03-site-lost.ts';
import { scenario as s4 } from '../../lab/scenarios/s04-peering-cut.ts';
import { scenario as s5 } from '../../lab/scenarios/s05-service-host-lost.ts';
import { scenario as s6 } from '../../lab/scenarios/s06-site-cut-off.ts';
import { scenario as s11 } from '../../lab/scenarios/s11-orders.ts';
import type { Step } from '../plan.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { makeWell } from '../well.ts';
import { deployAgain } from './deploying.ts';

export function roundOf(rehearsal: Rehearsal, onOutage: (ms: number) => void = () => {}): Round {
  return {
    lab: rehearsal.fleet,
    load: PACE,
    say: rehearsal.say,
    figure: (name, value) => {
      if (name !== 'acked') rehearsal.note(`${name} ${value}`);
    },
    outage: onOutage,
  };
}

function stepOf(scenario: Scenario): Step {
  return {
    name: scenario.id,
    title: scenario.title,
    run: async (rehearsal) => {
      await makeWell(rehearsal);
      let outageMs = 0;
      const probe = new StarvationProbe();
      try {
        await scenario.run(roundOf(rehearsal, (ms) => (outageMs = Math.max(outageMs, ms))));
      } finally {
        const starvation = await probe.end();
        if (startsSlowly() || wasStarved(starvation)) rehearsal.say(`${scenario.id}: ${showStarvation(starvation)}`);
        // A bound is for a machine that is not short of time, and for probes as they are by default; what was measured is said in any case.
        else if (scenario.boundMs !== undefined)
          insist(
            outageMs <= scenario.boundMs,
            `clients could not write for ${seconds(outageMs)}, the bound is ${seconds(scenario.boundMs)}`,
          );
      }
    },
  };
}

/** S3 is the fourth: Ansible runs again after it. */
export const scenarioSteps: readonly Step[] = [s1, s2, s4, s3, s5, s6, s11].map(stepOf);

export const againAfterLoss: Step = {
  name: 'again-after-S3',
  title: 'the site is back; deploy/deploy again: nothing to do, the primary stays where it went',
  run: async (rehearsal) => {
    await makeWell(rehearsal);
    await deployAgain(rehearsal);
  },
};
