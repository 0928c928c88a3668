// What goes between the main thread and its workers.

import type { RunOptions } from './options.ts';
import type { RunReport } from './run.ts';

export type Job = { readonly seed: string; readonly given: Partial<RunOptions>; readonly twice: boolean };
/** `same`: a second run was the same to the byte, or there was none. */
export type JobDone = { readonly report: RunReport; readonly cpuMs: number; readonly same: boolean };
