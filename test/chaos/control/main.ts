/**
 * The negative control: can the checker fail at all? Once in a real lab the fence is broken on purpose, which nothing in
 * the project can do: guard *and* fuse of the primary are stopped where they stand, its site is cut off, and its database
 * writes on. Two databases then acknowledge writes at once, and the checker has to say so. Then rows are deleted and put
 * back by hand, as a database that loses acknowledged writes would have it. Exit code 0: everything was caught.
 */
import { parseArgs } from 'node:util';
import { eyesOf } from '../../lab/scenarios/kit/eyes.ts';
import { ready } from '../../lab/scenarios/kit/quiet.ts';
import { nowMs } from '../../lab/scenarios/kit/scenario.ts';
import { until } from '../../lab/scenarios/kit/wait.ts';
import { database } from '../../lab/scenarios/kit/world.ts';
import { readEvents } from '../../lab/src/events.ts';
import { Lab } from '../../lab/src/lab.ts';
import { sleep } from '../../lab/src/process.ts';
import { requireMachine } from '../../lab/src/up.ts';
import { changesIn } from '../collect/changes.ts';
import { readFinal } from '../collect/final.ts';
import type { Journals } from '../collect/journals.ts';
import { readJournals } from '../collect/journals.ts';
import { checkHistory } from '../history/check.ts';
import type { Check, History } from '../history/history.ts';
import { Load } from '../sequence/load.ts';

/** Both databases write for so long before the old one is put to rest. */
const SPLIT_MS = 3_000;

async function splitBrain(lab: Lab, say: (text: string) => void): Promise<History> {
  await lab.up({ witness: 'route53', tied: true });
  const load = await Load.start(lab);
  await ready(lab);
  const [begin, beganMs] = [Date.now(), nowMs()];
  say("site1's guard and fuse are stopped, its site is cut off, its database writes on");
  await Promise.all([lab.freeze('site1-db', 'guard', { holdWatchdog: true }), lab.freeze('site1-db', 'fuse')]);
  await lab.cut('site1', 'all');
  const tookMs = await until('site2 is promoted', 60_000, async () =>
    (await database(lab, 'site2')).writable === true ? undefined : 'not yet',
  );
  say(`site2 writes, too, after ${(tookMs / 1000).toFixed(1)} s`);
  await sleep(SPLIT_MS);
  await load.stop();
  await lab.kill('site1');
  const journals = readJournals(load.directory);
  await tamper(lab, load.run, journals, beganMs, say);
  const final = await readFinal(lab, 'site2', load.run, journals.base);
  const impairment = { fault: 'the control', what: 'site1-db', fromMs: beganMs, toMs: nowMs() };
  const changes = changesIn(readEvents(lab.paths), (wallMs) => beganMs + wallMs - begin);
  const limits = { replication: 'async', witness: 'route53', maxLagBytes: 16 * 1024 * 1024 } as const;
  return { ...journals, ...limits, changes, entryMoves: [], beliefs: [], impairments: [impairment], final };
}

/** What was acknowledged long before the split goes, and one register goes back. */
async function tamper(
  lab: Lab,
  run: string,
  { names, sockets, registerWrites }: Journals,
  beforeMs: number,
  say: (text: string) => void,
): Promise<void> {
  const early = beforeMs - 3_000;
  const name = names.find(({ a }) => a < early)?.name ?? '';
  const [site, start, seq] = (sockets.find(({ a }) => a < early)?.key ?? '').split(' ');
  const register = registerWrites.findLast(({ a, value }) => a !== null && a < early && value > 3)?.name ?? '';
  const sql = [
    `DELETE FROM base.users WHERE username = '${name}'`,
    `DELETE FROM lab.writes WHERE run = '${run}' AND site = '${site}' AND start = '${start}' AND seq = ${seq}`,
    `UPDATE base.users SET birthday = birthday - 2 WHERE username = '${register}'`,
  ].join('; ');
  const psql = ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', '/run/postgresql', '-d', 'revolutdb', '-c', sql];
  await lab.mustExec('site2-db', psql, { user: 'postgres', timeoutMs: 10_000 });
  say(`deleted ${name} and ${site} ${start} ${seq}, put ${register} back`);
}

/** Each of them has to be found; the last one where nothing is known that excuses the failover. */
function missed(history: History, say: (text: string) => void): readonly Check[] {
  const findings = [
    ...checkHistory(history).findings,
    ...checkHistory({ ...history, impairments: [] }).findings.filter(({ check }) => check === 'needless'),
  ];
  for (const { check, what } of findings) say(`caught: ${check}: ${what}`);
  const wanted: readonly Check[] = ['overlap', 'lost', 'backwards', 'needless'];
  return wanted.filter((check) => !findings.some((each) => each.check === check));
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { name: { type: 'string', default: 'chaoscontrol' } } });
  await requireMachine();
  const lab = new Lab({ name: values.name });
  const begin = performance.now();
  const say = (text: string) => {
    console.log(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  };
  try {
    const missing = missed(await splitBrain(lab, say), say);
    console.log(missing.length === 0 ? 'the checker caught all of it' : `NOT caught: ${missing.join(', ')}`);
    return missing.length === 0 ? 0 : 1;
  } finally {
    eyesOf(lab).close();
    await lab.down();
  }
}

process.exitCode = await main();
