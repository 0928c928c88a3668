/** Waiting for a condition with a deadline: scenarios never sleep. */
import { sleep } from '../../src/process.ts';
import { Broken, nowMs, seconds } from './scenario.ts';

/** What is still missing, or nothing when it holds. */
export type Missing = string | undefined;

/** Asks again until nothing is missing. Returns after how many ms that was. */
export async function until(
  what: string,
  deadlineMs: number,
  missing: () => Missing | Promise<Missing>,
  everyMs = 150,
): Promise<number> {
  const begin = nowMs();
  let before: Missing;
  for (;;) {
    const why = await missing();
    const tookMs = nowMs() - begin;
    // For who wants to know what takes so long.
    if (process.env['LAB_WAITS'] !== undefined && before !== why)
      console.error(`${seconds(tookMs).padStart(8)} of ${what}: ${why ?? 'done'}`);
    before = why;
    if (why === undefined) return tookMs;
    if (tookMs > deadlineMs) throw new Broken(`not within ${seconds(deadlineMs)}: ${what}; last: ${why}`);
    await sleep(everyMs);
  }
}

/** Insists that nothing goes wrong for so long: `wrong` names what did. */
export async function hold(
  what: string,
  forMs: number,
  wrong: () => Missing | Promise<Missing>,
  Failure: typeof Broken = Broken,
): Promise<void> {
  const end = nowMs() + forMs;
  while (nowMs() < end) {
    const why = await wrong();
    if (why !== undefined) throw new Failure(`${what}: ${why}`);
    await sleep(200);
  }
}
