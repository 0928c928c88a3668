/** deploy/failover when nobody answers, and deploy/destroy. */
import { eyesOf } from '../../lab/scenarios/kit/eyes.ts';
import { insist } from '../../lab/scenarios/kit/scenario.ts';
import { agreement } from '../../lab/scenarios/kit/world.ts';
import { httpSend } from '../../lab/src/http.ts';
import type { HostName } from '../../lab/src/topology.ts';
import { ADDRESSES, REGISTER_NAME, REGISTER_ZONE, SITES, ZONE_CONTROL } from '../../lab/src/topology.ts';
import { MACHINES } from '../machines.ts';
import type { Step } from '../plan.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { makeWell } from '../well.ts';
import { deployOnce } from './deploying.ts';

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

/** Whatever of siteward's and the application's is still on a host; a database host keeps the passwords of its roles. */
const LEFT =
  'command -v siteward siteward-host; getent passwd siteward; ls -d /srv/birthday /etc/birthday /etc/haproxy/haproxy.cfg 2>/dev/null; find /etc/siteward -type f ! -path "*/secrets/*" 2>/dev/null';

const destroy: Step = {
  name: 'destroy',
  title: 'deploy/destroy: the wrong name changes nothing; the right one takes siteward away and leaves the data',
  run: async (rehearsal) => {
    const { fleet } = rehearsal;
    await makeWell(rehearsal);
    const wrong = await rehearsal.deploy(['destroy', '--yes', '--name', 'nonsense'], 60_000, true);
    insist(wrong.code === 4, `the wrong name ended with ${wrong.code}`);
    await oneRow(rehearsal);
    const before = await users(rehearsal);
    await rehearsal.deploy(['destroy', '--yes', '--name', 'birthday', '--json'], 900_000);
    for (const host of MACHINES) {
      const left = await fleet.exec(host, ['sh', '-c', LEFT]);
      insist(left.stdout.trim() === '', `left on ${host}: ${left.stdout.trim()}`);
    }
    const after = await users(rehearsal);
    insist(before === after && Number(after) > 0, `${before} rows before, ${after} after`);
    rehearsal.note(`${after} rows stayed`);
  },
};

/** So that there is something to be kept, whatever ran before. */
async function oneRow({ fleet }: Rehearsal): Promise<void> {
  const url = `http://${ADDRESSES['site1-svc']}:8000/hello/Ada`;
  const answer = await httpSend(fleet.paths, 'client', { method: 'PUT', url, json: { dateOfBirth: '1815-12-10' } });
  insist(answer?.status === 204, `PUT /hello/Ada through site1's balancer: ${answer?.status ?? 'no answer'}`);
}

async function users({ fleet }: Rehearsal): Promise<string> {
  const query = 'SELECT count(*) FROM base.users';
  const ask = (host: HostName) =>
    fleet.exec(host, ['runuser', '-u', 'postgres', '--', 'sh', '-c', `cd / && psql -XAtqd revolutdb -c "${query}"`]);
  const { stdout } = await ask('site1-db');
  return stdout.trim() || (await ask('site2-db')).stdout.trim();
}

/** A pair that nobody watches any more is just what an operator has before siteward comes. */
const adopt: Step = {
  name: 'adopt',
  title: 'deploy/deploy onto the running pair: neither database is restarted, nothing of the data is touched',
  run: async (rehearsal) => {
    const { fleet } = rehearsal;
    const before = { rows: await users(rehearsal), postmasters: await postmasters(rehearsal) };
    insist(
      before.postmasters.every((pid) => /^\d+$/.test(pid)),
      `running: ${before.postmasters.join(' and ')}`,
    );
    const records = `http://${ZONE_CONTROL}/zones/${REGISTER_ZONE}/records?name=${REGISTER_NAME}&type=TXT`;
    await fleet.mustExec('zone', ['curl', '-sf', '-X', 'DELETE', records], { timeoutMs: 5000 });
    await deployOnce(rehearsal);
    // Whoever looks on knows the agents by their keys, which are new.
    eyesOf(fleet).close();
    const after = await postmasters(rehearsal);
    insist(
      after.join() === before.postmasters.join(),
      `postmasters ${before.postmasters.join(', ')}, now ${after.join(', ')}`,
    );
    insist((await users(rehearsal)) === before.rows, 'rows are missing');
    await fleet.mustExec('site1-svc', ['siteward', 'resume'], { timeoutMs: 30_000 });
    await agreement(fleet, { epoch: 1 }, 120_000);
    const again = await postmasters(rehearsal);
    insist(again.join() === after.join(), 'a database was restarted after the founding');
    rehearsal.note('no restart');
  },
};

async function postmasters({ fleet }: Rehearsal): Promise<readonly string[]> {
  const script = 'head -n 1 /var/lib/postgresql/*/main/postmaster.pid';
  const said = await Promise.all(SITES.map((site) => fleet.exec(`${site}-db`, ['sh', '-c', script])));
  return said.map(({ stdout }) => stdout.trim());
}

export const cleaningSteps: readonly Step[] = [byHand, destroy, adopt];
