// argv to command, nothing else. Each command is loaded when it is called, so that a process imports what its role needs.

import { EXIT } from './catalog/exit-codes.ts';

const output = {
  out: (text: string): void => void process.stdout.write(`${text}\n`),
  err: (text: string): void => void process.stderr.write(`${text}\n`),
};

// Whoever reads along may stop at any time: `siteward status | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

async function main(): Promise<void> {
  try {
    const { runCommand } = await import('./cli/commands.ts');
    const code = await runCommand(process.argv.slice(2), output);
    // A daemon returns null and lives on.
    if (code !== null) process.exitCode = code;
  } catch (error) {
    const known = error instanceof Error && 'code' in error && typeof error.code === 'number';
    const why = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.exitCode = known ? (error.code as number) : EXIT.bug;
    output.err(`siteward: ${why}`);
    // For programs too: nothing was changed, or it is not known whether.
    if (process.argv.includes('--json')) output.out(JSON.stringify({ ok: false, why, code: process.exitCode }));
  }
}

// Not awaited here: the single binary is one CommonJS file, which knows no await outside functions.
void main();
