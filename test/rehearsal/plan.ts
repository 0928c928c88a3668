/** What the rehearsal consists of, in its order. */

import type { Rehearsal } from './rehearsal.ts';
import { applicationSteps } from './steps/application.ts';
import { deployingSteps } from './steps/deploying.ts';
import { cleaningSteps } from './steps/destroying.ts';
import { packageSteps } from './steps/packages.ts';
import { againAfterLoss, scenarioSteps } from './steps/scenarios.ts';

export interface Step {
  readonly name: string;
  readonly title: string;
  run(rehearsal: Rehearsal): Promise<void>;
}

const [upToS3, rest] = [scenarioSteps.slice(0, 4), scenarioSteps.slice(4)];

const steps: readonly Step[] = [
  ...deployingSteps,
  ...upToS3,
  againAfterLoss,
  ...rest,
  ...packageSteps,
  ...applicationSteps,
  ...cleaningSteps,
];

export const stepNames: readonly string[] = steps.map(({ name }) => name);

/** Null for names that are none. */
export function chosenSteps(options: { readonly only?: string; readonly from?: string }): readonly Step[] | null {
  const { only, from } = options;
  if (only !== undefined) {
    const names = only.split(',').filter(Boolean);
    const chosen = steps.filter(({ name }) => names.includes(name));
    return chosen.length === names.length ? chosen : null;
  }
  if (from === undefined) return steps;
  const at = stepNames.indexOf(from);
  return at < 0 ? null : steps.slice(at);
}
