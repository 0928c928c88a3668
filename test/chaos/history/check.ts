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
