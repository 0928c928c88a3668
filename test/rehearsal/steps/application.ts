/** Another image, one instance at a time; one that does not start, which must not get beyond the first; a failover by hand. */
import { placesOf } from '../../lab/scenarios/kit/fault.ts';
import { beginLoad, endLoad, noteOutage } from '../../lab/scenarios/kit/measure.ts';
import { insist, nowMs } from '../../lab/scenarios/kit/scenario.ts';
import { agreement } from '../../lab/scenarios/kit/world.ts';
import type { Tag } from '../application-image.ts';
import type { Step } from '../plan.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { failuresOf } from '../rehearsal.ts';
import { makeWell } from '../well.ts';
import { archivesOf } from './deploying.ts';
import { unmoved } from './packages.ts';
import { roundOf } from './scenarios.ts';

async function imagesOf(rehearsal: Rehearsal): Promise<readonly string[]> {
  const hosts = ['site1-app', 'site2-app'];
  const said = await Promise.all(
    hosts.map((host) => rehearsal.fleet.mustExec(host, ['docker', 'ps', '--format', '{{.Image}}'])),
  );
  return said.flatMap((text) => text.trim().split('\n'));
}

/** An image and its archive, as the stage takes them. */
async function imageWords(rehearsal: Rehearsal, tag: Tag): Promise<readonly string[]> {
  return [tag, (await archivesOf(rehearsal))[tag]];
}

const update: Step = {
  name: 'update',
  title: 'another image by deploy/ci/update-application, instance by instance, under load',
  run: (rehearsal) =>
    unmoved(rehearsal, async () => {
      await rehearsal.stage('update-application', await imageWords(rehearsal, 'birthday:2'), 900_000);
      const images = await imagesOf(rehearsal);
      insist(images.length === 6 && images.every((image) => image === 'birthday:2'), `running: ${images.join(' ')}`);
    }),
};

const rollBack: Step = {
  name: 'roll-back',
  title: 'an image that does not start gets no further than one instance, which gets its old one back',
  run: (rehearsal) =>
    unmoved(rehearsal, async () => {
      const words = await imageWords(rehearsal, 'birthday:broken');
      const result = await rehearsal.stage('update-application', words, 900_000, true);
      insist(
        result.code !== 0 && result.stdout.includes('does not become ready'),
        `it was not noticed: ${failuresOf(result)}`,
      );
      const images = await imagesOf(rehearsal);
      insist(images.length === 6 && images.every((image) => image === 'birthday:2'), `running: ${images.join(' ')}`);
    }),
};

const failover: Step = {
  name: 'failover',
  title: 'deploy/failover, under load',
  run: async (rehearsal) => {
    const { fleet } = rehearsal;
    await makeWell(rehearsal);
    const { standby, entry, epoch } = await placesOf(fleet);
    const round = roundOf(rehearsal);
    await beginLoad(round);
    const at = nowMs();
    await rehearsal.deploy(['failover', '--yes', '--json'], 180_000);
    await agreement(fleet, { primary: standby, entry, epoch: epoch + 1 }, 60_000);
    noteOutage(round, await endLoad(round, at));
  },
};

export const applicationSteps: readonly Step[] = [update, rollBack, failover];
