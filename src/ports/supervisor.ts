/** Whoever restarts this process: systemd, or the lab's init. */
export type Supervisor = {
  /** The process serves. */
  ready(): void;
  /** A cycle was completed: called after steps, and passed on as seldom as the watchdog allows. */
  alive(): void;
  stopping(): void;
};
