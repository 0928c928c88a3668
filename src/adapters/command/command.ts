// The operator's own commands, e.g. `fence.command`. No shell; what does not end in time is killed and unknown.

import { execFile } from 'node:child_process';
import { done, rejected, unknown } from '../../core/outcome.ts';
import type { RunCommand } from '../../ports/command.ts';

const outputBytes = 64 * 1024;

export const runCommand: RunCommand = ([program, ...args], deadlineMs) =>
  new Promise((resolve) => {
    if (program === undefined) return resolve(rejected('empty', 'there is no command'));
    const options = { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: outputBytes } as const;
    execFile(program, args, options, (error, _stdout, stderr) => {
      if (error === null) return resolve(done(undefined));
      if (error.killed === true) return resolve(unknown(`${program} did not end within ${deadlineMs} ms`));
      resolve(rejected(String(error.code ?? 'signal'), stderr.trim().slice(0, 200) || error.message));
    });
  });
