/** deploy/failover when nobody answers, and deploy/destroy. */
import { insist } from '../../lab/scenarios/kit/scenario.ts';
import type { HostName } from '../../lab/src/topology.ts';
import { MACHINES } from '../machines.ts';
import type { Step } from '../plan.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { makeWell } from '../well.ts';

const byHand: Step = {
  name: 'by-hand',
  title: 'with both agents down deploy/failover prints what to do by hand',
  run: async (rehearsal) => {
    const { fleet } = rehearsal;
    const services = ['site1-svc', 'site2-svc'];
    for (const host of services) await fleet.mustExec(host, ['systemctl', 'stop', 'siteward-agent']);
    const { code, stderr } = await rehearsal.deploy(['failover', '--yes'], 120_000, true);
    for (const host of services) await fleet.mustExec(host, ['systemctl', 'start', 'siteward-agent']);
    insist(code === 5 && stderr.includes('siteward failover --force'), `it ended with ${code}: ${stderr.trim()}`);
  },
};

const destroy: Step = {
  name: 'destroy',
  title: 'deploy/destroy: the wrong name changes nothing; the right one takes siteward away and leaves the data',
  run: async (rehearsal) => {
    const { fleet } = rehearsal;
    await makeWell(rehearsal);
    const wrong = await rehearsal.deploy(['destroy', '--yes', '--name', 'nonsense'], 60_000, true);
    insist(wrong.code === 4, `the wrong name ended with ${wrong.code}`);
    const before = await users(rehearsal);
    await rehearsal.deploy(['destroy', '--yes', '--name', 'birthday', '--json'], 900_000);
    for (const host of MACHINES) {
      const left = await fleet.exec(host, [
        'sh',
        '-c',
        'command -v siteward; ls -d /etc/siteward /srv/birthday 2>/dev/null',
      ]);
      insist(left.stdout.trim() === '', `left on ${host}: ${left.stdout.trim()}`);
    }
    const after = await users(rehearsal);
    insist(before === after && Number(after) > 0, `${before} rows before, ${after} after`);
    rehearsal.note(`${after} rows stayed`);
    await rehearsal.deploy(['destroy', '--yes', '--name', 'birthday'], 900_000);
  },
};

async function users({ fleet }: Rehearsal): Promise<string> {
  const query = 'SELECT count(*) FROM base.users';
  const ask = (host: HostName) =>
    fleet.exec(host, ['runuser', '-u', 'postgres', '--', 'sh', '-c', `cd / && psql -XAtqd revolutdb -c "${query}"`]);
  const { stdout } = await ask('site1-db');
  return stdout.trim() || (await ask('site2-db')).stdout.trim();
}

export const cleaningSteps: readonly Step[] = [byHand, destroy];
