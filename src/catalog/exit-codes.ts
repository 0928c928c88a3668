/** Every exit code of `siteward`. A script may rely on them; none is ever given another meaning. */
export interface ExitCode {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

export const EXIT = {
  ok: 0,
  bug: 1,
  usage: 2,
  config: 3,
  refused: 4,
  unreachable: 5,
  timeout: 6,
  degraded: 7,
  unsafe: 8,
} as const;

export const exitCodes: readonly ExitCode[] = [
  {
    code: EXIT.ok,
    name: 'ok',
    meaning: 'Done, or everything is well. Of `siteward restart`: taken by the guard, not done.',
  },
  {
    code: EXIT.bug,
    name: 'bug',
    meaning:
      'siteward broke a promise to itself, or a daemon could not save its state; the log has the last words. Its supervisor restarts a daemon.',
  },
  { code: EXIT.usage, name: 'usage', meaning: 'The command line is wrong; nothing was done.' },
  {
    code: EXIT.config,
    name: 'config',
    meaning:
      'The cluster file, a key or a secret file is wrong, missing or not readable by this account; nothing was done.',
  },
  { code: EXIT.refused, name: 'refused', meaning: 'The cluster refused the order and says why; nothing was changed.' },
  {
    code: EXIT.unreachable,
    name: 'unreachable',
    meaning:
      'No agent, or not all that the command needs, answered. Whether an order was taken `siteward status` says.',
  },
  {
    code: EXIT.timeout,
    name: 'timeout',
    meaning: 'The order ended undone, or its end was not seen: `siteward status`.',
  },
  {
    code: EXIT.degraded,
    name: 'degraded',
    meaning:
      '`siteward status`: something is not well; as a rule it works, but needs a person before the next fault. Always so while the cluster is paused, and with witness.kind none.',
  },
  {
    code: EXIT.unsafe,
    name: 'unsafe',
    meaning:
      'A daemon does not start on its state: damaged (guard), unreadable, of a newer version, or in use by another one. Its supervisor tries again, in vain until a person acts.',
  },
];
