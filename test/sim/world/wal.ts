// Write-ahead log of both sites as one tree: a record is a node, and what a site has on disk is the path from the root
// to a node of it. Nodes keep no parent, so that a long run frees what nobody holds; a branch knows where it forked off,
// and that is all that "is prefix of" needs.

import type { Lsn } from '../../../src/core/lsn.ts';
import type { ClusterRow } from '../../../src/core/observe/observation.ts';

export type WalKind = 'write' | 'row' | 'checkpoint' | 'noise';

/** Records of one line of history; another one begins where somebody writes on after a node that is not the last. */
export type Branch = { readonly from: WalNode | null; tip: WalNode | null };

export type WalNode = {
  readonly branch: Branch;
  /** Where the record ends. */
  readonly lsn: Lsn;
  readonly timeline: number;
  readonly kind: WalKind;
  /** The client's write, or -1. */
  readonly write: number;
  /** As of this record: the row of siteward.cluster, and the highest client's write (-1: none). */
  readonly row: ClusterRow | null;
  readonly highest: number;
};

const bytes: Readonly<Record<WalKind, number>> = { write: 320, row: 240, checkpoint: 120, noise: 200 };
const firstLsn: Lsn = 0x300_0000;

export class Wal {
  readonly root: WalNode;
  /** Where each client's write lies: at several places when it was tried again. */
  readonly #writes = new Map<number, WalNode | WalNode[]>();

  constructor() {
    const branch: Branch = { from: null, tip: null };
    this.root = { branch, lsn: firstLsn, timeline: 1, kind: 'checkpoint', write: -1, row: null, highest: -1 };
    branch.tip = this.root;
  }

  /** `size` is what the record takes besides its usual bytes. */
  append(after: WalNode, kind: WalKind, options: AppendOptions = none): WalNode {
    const isTip = after.branch.tip === after;
    const branch: Branch = isTip ? after.branch : { from: after, tip: null };
    const write = options.write ?? -1;
    const node: WalNode = {
      branch,
      lsn: after.lsn + bytes[kind] + (options.size ?? 0),
      timeline: options.timeline ?? after.timeline,
      kind,
      write,
      row: options.row ?? after.row,
      highest: Math.max(write, after.highest),
    };
    branch.tip = node;
    if (write !== -1) this.#note(write, node);
    return node;
  }

  /** Whether the write lies in what ends at `head`. */
  contains(head: WalNode, write: number): boolean {
    const found = this.#writes.get(write);
    if (found === undefined) return false;
    return Array.isArray(found) ? found.some((node) => isPrefix(node, head)) : isPrefix(found, head);
  }

  #note(write: number, node: WalNode): void {
    const before = this.#writes.get(write);
    if (before === undefined) this.#writes.set(write, node);
    else if (Array.isArray(before)) before.push(node);
    else this.#writes.set(write, [before, node]);
  }
}

export type AppendOptions = {
  readonly write?: number;
  readonly row?: ClusterRow;
  readonly timeline?: number;
  readonly size?: number;
};
const none: AppendOptions = {};

/** Whether what ends at `node` is the beginning of what ends at `head`, or all of it. */
export function isPrefix(node: WalNode, head: WalNode): boolean {
  for (let at: WalNode | null = head; at !== null; at = at.branch.from) {
    if (at.branch === node.branch) return node.lsn <= at.lsn;
  }
  return false;
}
