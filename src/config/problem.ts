/**
 * What is wrong with a cluster file, said so that nobody has to look anything up: where, which key, what is wrong,
 * what to write instead.
 */
export interface ConfigProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Path of the key, `lease.ttl`; empty for the file as a whole. */
  readonly key: string;
  readonly problem: string;
  readonly instead: string;
  /** The sum that does not hold, with its numbers. */
  readonly sum?: string;
}

/** A finding that does not yet know its file and line. */
export type Finding = Omit<ConfigProblem, 'file' | 'line' | 'column' | 'key'> & {
  readonly path: readonly PropertyKey[];
};

export function formatProblem(problem: ConfigProblem): string {
  const lines = [`${problem.file}:${problem.line}:${problem.column}  ${problem.key === '' ? 'the file' : problem.key}`];
  lines.push(`  wrong:    ${problem.problem}`);
  if (problem.sum !== undefined) lines.push(`  sum:      ${problem.sum}`);
  lines.push(`  instead:  ${problem.instead}`);
  return lines.join('\n');
}

export function formatProblems(problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return [...problems.map(formatProblem), `${count} found`].join('\n\n');
}

/** The name most like this one, if any is near enough to be meant. */
export function didYouMean(name: string, names: readonly string[]): string | undefined {
  const scored = names
    .map((candidate) => ({ candidate, distance: editDistance(fold(name), fold(candidate)) }))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  const longer = names.filter((candidate) => name.length > 3 && fold(candidate).startsWith(fold(name)));
  if (longer.length === 1) return longer[0];
  const best = scored[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** `max_lag-bytes` and `maxLagBytes` are one word. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
