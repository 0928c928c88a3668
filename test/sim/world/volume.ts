// The database's volume: it fills, and it hangs (fsync never returns) until it moves again. Its space is its own: the
// daemons' state files lie elsewhere.

import type { Process } from './process.ts';

export class Volume {
  hung = false;
  full = false;
  /** What the server's processes wait for. */
  #waiting: (() => void)[] = [];
  /** What others do in the background. */
  #later: (() => void)[] = [];
  /** Other processes that stand still in a call of their own. */
  readonly #blocked = new Set<Process>();

  /** Does `work` now, or once the disk moves again. */
  when(work: () => void): void {
    if (this.hung) this.#waiting.push(work);
    else work();
  }

  get waited(): boolean {
    return this.#waiting.length > 0;
  }

  /** The same for others than the server, whose death takes nothing of it back. */
  afterwards(work: () => void): void {
    if (this.hung) this.#later.push(work);
    else work();
  }

  /** Those who waited are dead. */
  forget(): void {
    this.#waiting = [];
  }

  /** Synchronous file access: the caller stands still for as long as the disk does. */
  blocks(process: Process): boolean {
    if (!this.hung) return false;
    this.#blocked.add(process);
    process.freeze();
    return true;
  }

  /** What waited, in order: to be done once everybody could see that the disk moves; then `release`. */
  moves(): readonly (() => void)[] {
    this.hung = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  release(): void {
    const later = this.#later;
    this.#later = [];
    for (const work of later) work();
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const process of blocked) process.thaw();
  }
}
