/** All checkers over one history. Pure: the same history gives the same findings. */
import { checkAvailable } from './available.ts';
import type { Finding, History } from './history.ts';
import { checkLost } from './lost.ts';
import { checkEntries, checkNeedless, excuseOf } from './needless.ts';
import { checkIntervals, checkOrder } from './overlap.ts';
import { checkReads } from './reads.ts';
import { tailsOf } from './tails.ts';

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly figures: Figures;
}

export interface Figures {
  readonly acknowledged: number;
  readonly reads: number;
  readonly planned: number;
  readonly failovers: number;
  readonly entryMoves: number;
  /** Lost within tails: what asynchronous replication may lose. */
  readonly lostWrites: number;
  readonly lostNames: number;
  readonly reasons: readonly string[];
}

export function checkHistory(history: History): Verdict {
  const tails = tailsOf(history);
  const { sockets, names, final, changes } = history;
  const findings = [
    ...checkOrder(sockets),
    ...checkIntervals(sockets),
    ...checkEpochs(history),
    ...checkForks(history),
    ...checkLost(history, tails),
    ...checkReads(history, tails),
    ...checkNeedless(history),
    ...checkEntries(history),
    ...checkAvailable(history),
  ];
  const failovers = changes.filter(({ planned }) => !planned);
  const figures: Figures = {
    acknowledged: sockets.length + names.length + history.registerWrites.filter(({ a }) => a !== null).length,
    reads: history.nameReads.length + history.registerReads.length,
    planned: changes.length - failovers.length,
    failovers: failovers.length,
    entryMoves: history.entryMoves.length,
    lostWrites: sockets.filter(({ key }) => !final.keys.has(key)).length,
    lostNames: names.filter(({ name }) => !final.names.has(name)).length,
    reasons: failovers.map((change) => `epoch ${change.epoch}: ${excuseOf(history, change) ?? 'none'}`),
  };
  return { findings, figures };
}

/** I2: whoever says so, an epoch has one primary, and a ballot one record. */
function checkForks({ beliefs }: History): readonly Finding[] {
  const findings: Finding[] = [];
  const known = new Map<string, string>();
  const expect = (key: string, value: string, by: string): void => {
    const before = known.get(key);
    if (before !== undefined && before !== value)
      findings.push({
        check: 'epochs',
        unsafe: true,
        what: `${key} was chosen for ${before}, and, says ${by}, for ${value}`,
      });
    known.set(key, before ?? value);
  };
  for (const { by, epoch, ballot, primary, entry, mode } of beliefs) {
    expect(`epoch ${epoch}`, primary, by);
    expect(`ballot ${ballot}`, `${epoch} ${primary} ${entry} ${mode}`, by);
  }
  return findings;
}

/** I2: one primary an epoch, each one above the last, and the primary moves with each. */
function checkEpochs({ changes }: History): readonly Finding[] {
  return changes.flatMap((change, index): readonly Finding[] => {
    const before = changes[index - 1];
    const why =
      change.from === change.to
        ? 'without a move'
        : before !== undefined && change.epoch !== before.epoch + 1
          ? `after epoch ${before.epoch}`
          : before !== undefined && change.from !== before.to
            ? `from ${change.from}, where ${before.to} was primary`
            : null;
    return why === null ? [] : [{ check: 'epochs', unsafe: true, what: `epoch ${change.epoch} was chosen ${why}` }];
  });
}
