/** `test/lab/demo`: a primary's host is lost, then all of its site, while clients write; nobody touches anything. */
import { Lab } from '../../src/lab.ts';
import { reportLoad } from '../../src/load.ts';
import { ADDRESSES, ENTRY_NAME } from '../../src/topology.ts';
import { eyesOf } from '../kit/eyes.ts';
import { beginLoad } from '../kit/measure.ts';
import { quiet } from '../kit/quiet.ts';
import { nowMs, seconds } from '../kit/scenario.ts';
import { until } from '../kit/wait.ts';
import { disagreement } from '../kit/world.ts';
import { ClientJournal } from './client-journal.ts';
import { bold, dim, heading, line, liveLine, withLiveLine } from './screen.ts';
import { databaseHostLost, siteLost } from './stories.ts';
import type { Outage } from './summary.ts';
import { summarize } from './summary.ts';
import type { Story } from './timeline.ts';
import { tell } from './timeline.ts';

const lab = new Lab({ name: process.env['LAB_NAME'] ?? 'demo' });

function picture(): void {
  const column = (site: 'site1' | 'site2', role: string) => [
    `HAProxy, agent      ${ADDRESSES[`${site}-svc`]}`,
    `3 applications      ${ADDRESSES[`${site}-app`]}`,
    `PostgreSQL ${role}  ${ADDRESSES[`${site}-db`]}`,
  ];
  const left = column('site1', 'primary');
  const right = column('site2', 'standby');
  line();
  line(`   ${bold('site1, eu-west-1'.padEnd(38))}${bold('site2, eu-central-1')}`);
  for (const [index, text] of left.entries()) line(`   ${text.padEnd(38)}${right[index]}`);
  line(`   ${dim(`witness: a record in Route 53; clients come through ${ENTRY_NAME}`)}`);
}

async function raise(): Promise<void> {
  heading('two sites on this machine: real PostgreSQL, HAProxy, sshd and applications; Route 53 is a double');
  const begin = nowMs();
  const rising = lab.up({ tied: true, progress: (text) => line(dim(`   ${text}`)) });
  await withLiveLine(() => `   ${seconds(nowMs() - begin)}`, rising);
  picture();
}

/** Clients write from here on. Nothing is killed before all start-up waits are over, as they are in any cluster that runs. */
async function settle(): Promise<ClientJournal> {
  heading('clients write, 50 times a second');
  await beginLoad({ lab, load: {} });
  const journal = new ClientJournal(lab.paths);
  const begin = nowMs();
  const live = () => {
    journal.read();
    return `   ${journal.acknowledged} writes acknowledged, ${journal.failed} failed; waiting for the start-up waits to end, ${seconds(nowMs() - begin)}`;
  };
  await withLiveLine(live, quiet(lab));
  journal.read();
  line(`   ${journal.acknowledged} writes acknowledged, ${journal.failed} failed; start-up waits are over`);
  return journal;
}

async function act(story: Story, journal: ClientJournal): Promise<Outage> {
  heading(story.title);
  const at = nowMs();
  await tell(lab, journal, story);
  const settled = until('all agree', 40_000, () => disagreement(lab, { primary: 'site2' }), 300).catch(() => 0);
  await withLiveLine(() => '   everything is looked at: record, databases, .env, HAProxy, DNS', settled);
  const { client } = await reportLoad(lab, { fromMs: at - 500, check: false });
  const gap = client.outages.toSorted((a, b) => b.ms - a.ms)[0];
  const ms = gap?.ms ?? client.longestOutageMs;
  line(`   ${dim(`no write was acknowledged for ${seconds(ms)}`)}`);
  return { what: story.what, ms, boundMs: story.boundMs };
}

async function main(): Promise<number> {
  await raise();
  const journal = await settle();
  const outages = [await act(databaseHostLost(lab), journal), await act(siteLost(lab), journal)];
  const disagrees = await disagreement(lab, { primary: 'site2', entry: 'site2' });
  liveLine('   every acknowledged write is looked for');
  const report = await reportLoad(lab);
  liveLine('');
  return summarize(report, outages, disagrees) ? 0 : 1;
}

async function end(code: number): Promise<never> {
  liveLine('');
  eyesOf(lab).close();
  if (process.env['LAB_KEEP'] === undefined) await lab.down();
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));

main().then(end, (error: unknown) => {
  liveLine('');
  console.error(`demo: ${(error as Error).message}`);
  return end(1);
});
