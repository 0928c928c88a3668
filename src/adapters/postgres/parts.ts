// What the acts on one database share.

import type { Report } from './bootstrap.ts';
import type { Control } from './control.ts';
import type { ControlFile } from './control-file.ts';
import type { Fence } from './fence.ts';
import type { Processes } from './processes.ts';
import type { Session } from './session.ts';
import type { DatabaseSettings } from './settings.ts';
import type { SignalFile } from './signal-file.ts';
import type { Space } from './space.ts';

export type Parts = {
  readonly settings: DatabaseSettings;
  readonly processes: Processes;
  readonly signalFile: SignalFile;
  readonly space: Space;
  readonly controlFile: ControlFile;
  readonly control: Control;
  readonly fence: Fence;
  /** Through database `postgres`: role, promotion and checkpoint need none of the application's. Sessions are kept apart, so
   * that a commit that hangs does not hide that reads still answer. */
  readonly roles: Session;
  readonly report: Report;
};
