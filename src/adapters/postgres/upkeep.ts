// What siteward wants in the database besides the beats, made after one and never in its way: on a connection of its
// own, one attempt at a time. What fails is reported once and tried again.

import { done } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import { ensureRest, type Report } from './bootstrap.ts';
import { createSession } from './session.ts';
import type { DatabaseSettings } from './settings.ts';

const attemptMs: Ms = 5000;
const againMs: Ms = 10_000;

export type Upkeep = {
  /** After each beat that was written: begins an attempt when one is due. */
  afterBeat(): void;
  /** A new connection: it may be another database than before. */
  reset(): void;
  destroy(): void;
};

export function createUpkeep(settings: DatabaseSettings, report: Report): Upkeep {
  const session = createSession(settings, [settings.database], () => Promise.resolve());
  let state: 'due' | 'running' | 'complete' = 'due';
  let notBefore = 0;
  let reported = '';

  async function attempt(): Promise<void> {
    state = 'running';
    notBefore = performance.now() + againMs;
    const outcome = await session.run(attemptMs, async (connection, budget) =>
      done(await ensureRest(settings, connection, budget)),
    );
    session.destroy();
    state = 'due';
    // No connection is the beats' business to tell.
    if (outcome.kind !== 'done') return;
    const failed = outcome.value.join('; ');
    if (failed === '') state = 'complete';
    if (failed !== '' && failed !== reported) report(failed);
    reported = failed;
  }

  return {
    afterBeat: () => {
      if (state === 'due' && performance.now() >= notBefore) void attempt();
    },
    reset: () => {
      if (state === 'complete') state = 'due';
      notBefore = 0;
    },
    destroy: () => session.destroy(),
  };
}
