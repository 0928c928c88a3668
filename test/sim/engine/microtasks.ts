// The production driver is async; the simulator is one synchronous loop. V8 can run its microtask queue on request: an
// event and all promises it settled are then one indivisible step of the run, ten times cheaper than a macrotask each.
// https://v8.dev/docs/runtime-functions: `%PerformMicrotaskCheckpoint` needs the flag set before it is compiled.

import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--allow-natives-syntax');

export const drainMicrotasks = new Function('%PerformMicrotaskCheckpoint()') as () => void;
