/** `siteward config check [FILE]` and `siteward config explain [FILE]`: read a cluster file, contact nobody. */
import { errorLine } from '../catalog/errors.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import { explain } from '../config/explain.ts';
import { CLUSTER_FILE, checkSecretFiles, loadConfig } from '../config/load.ts';
import { formatProblem, formatProblems } from '../config/problem.ts';
import { formatSum, timingSums } from '../config/sums.ts';

export interface Output {
  out(text: string): void;
  err(text: string): void;
}

const USAGE = `usage: siteward config check [FILE]
       siteward config explain [FILE]
       siteward config database-env [FILE]

check         says what is wrong with a cluster file, where, and what to write instead
explain       prints the sums of its timings and what a failover takes at worst
database-env  prints /etc/siteward/database.env of a database host, which the fuse and the units read instead of FILE

FILE is ${CLUSTER_FILE} when absent.`;

/** Returns the exit code. */
export function runConfig(args: readonly string[], output: Output): number {
  const [command, file = CLUSTER_FILE, ...more] = args;
  if (command === '--help' || command === '-h') {
    output.out(USAGE);
    return EXIT.ok;
  }
  if (
    (command !== 'check' && command !== 'explain' && command !== 'database-env') ||
    more.length > 0 ||
    file.startsWith('-')
  ) {
    output.err(USAGE);
    return EXIT.usage;
  }
  const loaded = loadConfig(file);
  if (loaded.kind === 'bad') {
    output.err(`${formatProblems(loaded.problems)}\n${errorLine('SW-CONFIG-001')}`);
    return EXIT.config;
  }
  if (command === 'explain') {
    output.out(explain(loaded.config));
    return EXIT.ok;
  }
  if (command === 'database-env') {
    const { dataDirectory, unit } = loaded.config.database;
    output.out(`SITEWARD_DATA_DIRECTORY=${quoted(dataDirectory)}\nSITEWARD_DATABASE_UNIT=${quoted(unit)}`);
    return EXIT.ok;
  }
  const secrets = checkSecretFiles(loaded.config, file);
  if (secrets.length > 0) {
    output.err(`${formatProblems(secrets)}\n${errorLine('SW-CONFIG-005')}`);
    return EXIT.config;
  }
  for (const warning of loaded.warnings) output.err(formatProblem(warning).replace('  wrong:   ', '  warning: '));
  output.out(`${file} is good: ${summary(loaded.config)}`);
  for (const sum of timingSums(loaded.config)) output.out(`  ${sum.id}  ${formatSum(sum)}`);
  return EXIT.ok;
}

/** As systemd.exec(5) reads EnvironmentFile=. */
function quoted(value: string): string {
  return /^[\w./@:+-]+$/.test(value) ? value : `"${value.replaceAll(/["\\$`]/g, '\\$&')}"`;
}

function summary(config: Parameters<typeof explain>[0]): string {
  return `cluster ${config.cluster}, witness ${config.witness.kind}, dns ${config.dns.kind}`;
}
