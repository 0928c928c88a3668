// A data directory: what outlives the server. Its control file, its end of the WAL, the two settings files that matter
// here: standby.signal, and whether synchronous_standby_names is set.

import type { Lsn } from '../../../src/core/lsn.ts';
import type { Random } from '../engine/random.ts';
import { Volume } from './volume.ts';
import { type AppendOptions, isPrefix, type Wal, type WalKind, type WalNode } from './wal.ts';

export class DataDirectory {
  readonly volume = new Volume();
  readonly wal: Wal;
  signalFile = false;
  /** As pg_controldata says; `in production` after a crash too. */
  controlState = 'shut down';
  /** Changes whenever the server has written the control file. */
  controlVersion = 0;
  /** Where the last checkpoint record begins. */
  checkpoint: Lsn;
  /** Where replay begins after a crash. */
  redo: WalNode;
  /** End of WAL in memory, and on disk. */
  inserted: WalNode;
  flushed: WalNode;
  waits = false;
  /** What it needs next of the primary's WAL is gone there: its slot was lost. Only a copy made anew mends that. */
  lacksWal = false;

  constructor(wal: Wal) {
    this.wal = wal;
    this.inserted = wal.root;
    this.flushed = wal.root;
    this.redo = wal.root;
    this.checkpoint = wal.root.lsn;
  }

  append(kind: WalKind, options?: AppendOptions): WalNode {
    if (kind === 'checkpoint') this.checkpoint = this.inserted.lsn;
    this.inserted = this.wal.append(this.inserted, kind, options);
    if (kind === 'checkpoint') this.redo = this.inserted;
    return this.inserted;
  }

  /** False: it was there already. */
  reachesDisk(node: WalNode): boolean {
    if (node.lsn <= this.flushed.lsn) return false;
    this.flushed = node;
    return true;
  }

  /** WAL from elsewhere: only what continues this one's. */
  receives(node: WalNode): boolean {
    if (node === this.flushed || !isPrefix(this.flushed, node)) return false;
    this.flushed = node;
    this.inserted = node;
    return true;
  }

  /** All processes died: what was on its way to the disk may have got there. */
  crash(random: Random): void {
    if (this.inserted !== this.flushed && random.ratio(1, 2)) this.flushed = this.inserted;
    this.inserted = this.flushed;
    if (this.redo.lsn > this.flushed.lsn) this.redo = this.flushed;
  }

  control(state: string): void {
    this.controlState = state;
    this.controlVersion += 1;
  }

  /** False: no space left. */
  putSignalFile(): boolean {
    if (!this.signalFile && this.volume.full) return false;
    this.signalFile = true;
    return true;
  }

  /** A base backup, or pg_rewind, of a server whose WAL ends at `head`. */
  becomesCopyOf(head: WalNode): void {
    this.inserted = head;
    this.flushed = head;
    this.redo = head;
    this.checkpoint = head.lsn;
    this.signalFile = true;
    this.lacksWal = false;
    this.control('in archive recovery');
  }
}
