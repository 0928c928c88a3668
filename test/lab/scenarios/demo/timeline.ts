/**
 * One fault, told as it is dealt with: from the daemons' logs and the client's records, each step when it happens and
 * once. A step is a claim about the world, so each names the line that it rests on.
 */
import type { ClientRecord } from '../../load/records.ts';
import type { LabEvent } from '../../src/events.ts';
import { followEvents } from '../../src/events.ts';
import type { Lab } from '../../src/lab.ts';
import { sleep } from '../../src/process.ts';
import { nowMs, wallOf } from '../kit/scenario.ts';
import type { ClientJournal } from './client-journal.ts';
import { bold, dim, green, line, liveLine, red, yellow } from './screen.ts';

export interface Step {
  readonly name: string;
  /** The first event that is this step gives what to say of it. */
  readonly event?: (event: LabEvent, seen: ReadonlySet<string>) => string | undefined;
  readonly record?: (record: ClientRecord, seen: ReadonlySet<string>) => string | undefined;
}

export interface Told {
  readonly name: string;
  /** Since the fault. */
  readonly atMs: number;
}

export interface Story {
  readonly title: string;
  /** For the summary. */
  readonly what: string;
  /** Of the outage, by docs/TIMING.md. */
  readonly boundMs: number;
  readonly fault: string;
  readonly deed: () => Promise<void>;
  readonly steps: readonly Step[];
  readonly deadlineMs: number;
}

export async function tell(lab: Lab, journal: ClientJournal, story: Story): Promise<readonly Told[]> {
  const told: Told[] = [];
  const seen = new Set<string>();
  const stop = new AbortController();
  const following = follow();
  journal.read();
  // The followers have to stand at the end of the logs before anything happens.
  await sleep(100);
  const at = nowMs();
  const atWall = wallOf(at);
  line(`${red(bold('   0.00 s'))}  ${red(bold(story.fault))}`);
  await story.deed();
  while (seen.size < story.steps.length && nowMs() - at < story.deadlineMs) {
    for (const record of journal.read()) takeRecord(record);
    liveLine(liveText(journal, at));
    await sleep(60);
  }
  stop.abort();
  await following;
  for (const record of journal.read()) takeRecord(record);
  liveLine('');
  for (const { name } of story.steps.filter((step) => !seen.has(step.name))) {
    line(`${yellow('        -')}  ${yellow(`${name}: not seen within ${story.deadlineMs / 1000} s`)}`);
  }
  return told;

  async function follow(): Promise<void> {
    for await (const event of followEvents(lab.paths, stop.signal)) {
      if (event.at < atWall) continue;
      for (const step of story.steps) say(step, step.event?.(event, seen), event.at - atWall);
    }
  }

  function takeRecord(record: ClientRecord): void {
    if (record.a < at) return;
    for (const step of story.steps) say(step, step.record?.(record, seen), record.a - at);
  }

  function say(step: Step, text: string | undefined, sinceMs: number): void {
    if (text === undefined || seen.has(step.name)) return;
    seen.add(step.name);
    told.push({ name: step.name, atMs: sinceMs });
    const when = `${(sinceMs / 1000).toFixed(2)} s`.padStart(9);
    line(`${green(bold(when))}  ${bold(step.name.padEnd(22))} ${dim(text)}`);
  }
}

function liveText(journal: ClientJournal, at: number): string {
  const since = ((nowMs() - at) / 1000).toFixed(1);
  const gapMs = nowMs() - journal.lastAckMs;
  const writing =
    gapMs < 400 ? 'clients write' : `no write acknowledged for ${(gapMs / 1000).toFixed(1)} s, requests are held`;
  return `  ${since.padStart(5)} s  ${writing}; ${journal.acknowledged} acknowledged, ${journal.failed} failed`;
}
