// How each of the load's programs is told what to do: `--config` and JSON, or the path of a JSON file.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export type ServiceTarget = {
  readonly name: string;
  /** IP:PORT. */
  readonly dnsServer: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
};

export const serviceDefaults = { port: 8000, timeoutMs: 20_000, connectTimeoutMs: 1000 } as const;

export type DatabaseTarget = {
  readonly socketDir: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
};

export const databaseDefaults = { port: 5432, user: 'postgres', database: 'revolutdb' } as const;

/**
 * The configuration over its defaults. A key that is neither required nor has a default is refused, because a misspelt
 * one would measure something else than was meant.
 */
export function readConfig<Defaults extends object>(
  required: readonly string[],
  defaults: Defaults,
  argv: readonly string[] = process.argv.slice(2),
): { readonly config: Record<string, unknown> & Defaults; readonly flags: { text: boolean; both: boolean } } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: 'string' },
      text: { type: 'boolean', default: false },
      both: { type: 'boolean', default: false },
    },
  });
  if (values.config === undefined) throw new Error('--config is required: JSON, or the path of a JSON file');
  const text = values.config.trimStart().startsWith('{') ? values.config : readFileSync(values.config, 'utf8');
  const given = JSON.parse(text) as Record<string, unknown>;
  for (const key of required) if (given[key] === undefined) throw new Error(`the configuration lacks '${key}'`);
  for (const key of Object.keys(given)) {
    if (!required.includes(key) && !(key in defaults)) throw new Error(`the configuration knows no '${key}'`);
  }
  return { config: { ...defaults, ...given }, flags: { text: values.text, both: values.both } };
}

/** 2 to 6 lower-case letters: part of user names, which have 20 letters at most. */
export function checkRun(run: string): void {
  if (!/^[a-z]{2,6}$/.test(run)) throw new Error(`run '${run}' is not 2 to 6 lower-case letters`);
}

/** A counter as 7 letters, which keeps names unique and in order. */
export function letters(count: number): string {
  let rest = count;
  let text = '';
  for (let place = 0; place < 7; place += 1) {
    text = String.fromCharCode(97 + (rest % 26)) + text;
    rest = Math.floor(rest / 26);
  }
  return text;
}

/** Prints a sentence and ends with 1 when the program fails; none of them prints stacks at an operator. */
export function runProgram(name: string, main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  });
}
