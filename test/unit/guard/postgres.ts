// A PostgreSQL as far as a guard can tell: what it comes up as is decided by its signal file, and a frozen one answers
// nobody.

import type { GuardDeed, GuardDeedValue } from '../../../src/core/guard/deeds.ts';
import { done, type Outcome, rejected, unknown } from '../../../src/core/outcome.ts';
import type { EpochId } from '../../../src/core/quorum/record.ts';

const plain = done<GuardDeedValue>({ kind: 'plain' });

export class FakePostgres {
  role: 'stopped' | 'standby' | 'primary' = 'stopped';
  signalFile = false;
  frozen = false;
  controlState = 'shut down';
  /** Starts and promotions fail. */
  broken = false;
  position = 1000;
  timeline = 1;
  full = false;
  /** The epoch in which it was last started or promoted as a primary. */
  epoch: EpochId | null = null;
  /** Processes without a postmaster. */
  orphans = false;
  /** V8: the setting, and the other site's standby: `silent` is one whose link was cut, which the server does not notice. */
  waits = false;
  standby: 'up' | 'silent' | 'gone' = 'up';
  #flushed = 0;

  look(): Outcome<GuardDeedValue> {
    const postmaster = this.role !== 'stopped';
    const { signalFile, controlState, timeline, orphans } = this;
    const files = { signalFile, controlState, systemId: '7', timeline, full: this.full };
    const process = { running: postmaster || orphans, postmaster, ...files };
    return done({ kind: 'looked', process });
  }

  ask(): Outcome<GuardDeedValue> {
    if (this.role === 'stopped') return unknown('refused');
    if (this.frozen) return unknown('timed out');
    if (this.standby === 'up') this.#flushed = this.position;
    const there = this.waits ? 'sync' : 'async';
    const standby = this.standby === 'gone' ? 'none' : there;
    const sync = this.role === 'standby' ? null : ({ waits: this.waits, standby, flushed: this.#flushed } as const);
    return done({
      kind: 'server',
      server: { inRecovery: this.role === 'standby', position: this.position, row: null, sync },
    });
  }

  perform(deed: GuardDeed, mayGoOn: () => boolean, epoch: EpochId | null): Outcome<GuardDeedValue> {
    const denied = rejected('not-allowed', 'the lease no longer allows it');
    switch (deed.kind) {
      case 'start-primary':
        if (this.role !== 'stopped' || this.orphans) return rejected('running', 'it runs');
        if (!mayGoOn()) return denied;
        this.waits = deed.waits;
        return this.broken ? rejected('not-started', 'broken') : this.#becomePrimary(epoch);
      case 'start-standby':
        this.signalFile = true;
        if (this.role === 'stopped' && !mayGoOn()) return denied;
        this.boot();
        return plain;
      case 'promote':
        if (this.role === 'stopped' || this.frozen) return unknown('no connection');
        if (this.role === 'primary') return plain;
        if (!mayGoOn()) return denied;
        if (this.broken) return unknown('not promoted yet');
        this.timeline += 1;
        this.waits = deed.waits;
        return this.#becomePrimary(epoch);
      case 'stop-fast':
      case 'stop':
        if (this.frozen || this.broken) return unknown('timed out');
        this.stop();
        return deed.kind === 'stop' ? plain : done({ kind: 'stopped-fast', checkpoint: this.position });
      case 'set-waits':
        if (this.role === 'stopped' || this.frozen) return unknown('no connection');
        this.waits = deed.on;
        return deed.on && this.standby !== 'up' ? rejected('not-replicated', 'no standby') : plain;
      case 'beat':
        if (this.role === 'standby') return rejected('read-only', 'it is in recovery');
        if (this.role !== 'primary' || this.frozen) return unknown('no answer');
        this.signalFile = true;
        this.position += 100;
        return done({ kind: 'beaten', position: this.position });
      default:
        return plain;
    }
  }

  #becomePrimary(epoch: EpochId | null): Outcome<GuardDeedValue> {
    this.role = 'primary';
    this.epoch = epoch;
    this.controlState = 'in production';
    this.signalFile = true;
    return plain;
  }

  /** Boot, apt, a person. */
  boot(): void {
    if (this.role !== 'stopped') return;
    this.role = this.signalFile ? 'standby' : 'primary';
    this.controlState = this.signalFile ? 'in archive recovery' : 'in production';
  }

  /** systemctl stop. */
  stop(): void {
    if (this.role === 'primary') this.controlState = 'shut down';
    if (this.role === 'standby') this.controlState = 'shut down in recovery';
    this.role = 'stopped';
    this.signalFile = true;
  }

  /** Every process of it is gone. */
  die(): void {
    if (this.role === 'primary') this.controlState = 'in production';
    this.role = 'stopped';
    this.frozen = false;
    this.orphans = false;
  }
}
