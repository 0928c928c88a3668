// Every command of `siteward`: a closed list, in the order of the help text, compared with docs/CLI.md.

export type CommandDefinition = {
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  /** Given with an operator's key, which --as names. */
  readonly operator?: true;
};

/** What several commands take; `usage` leaves them out. */
export const commonOptions = [
  { option: '--help, -h', taker: 'every command', what: 'Says how it is called.' },
  {
    option: '--config FILE',
    taker: 'orders, `init`, `status`, `disarm`, daemons',
    what: 'The cluster file, instead of /etc/siteward/cluster.yaml.',
  },
  {
    option: '--as NAME',
    taker: 'orders, `init`, `status`',
    what: "The operator whose key is used. Needed where several operators' keys lie in `keys.directory`.",
  },
  {
    option: '--json',
    taker: 'orders, `init`, `status`',
    what: 'Machine-readable output. A question that is asked on standard input is asked all the same.',
  },
  { option: '--version, -V', taker: '`siteward` alone', what: 'The version of siteward and of its Node.' },
] as const;

export const commands = [
  {
    name: 'agent',
    usage: 'siteward agent [--host NAME] [--state DIRECTORY] | rejoin [--site SITE] [--yes NAME]',
    operator: true,
    description:
      'The daemon of a service host: watches, votes, decides, reconciles. rejoin: an order that gives an agent that lost its state its memory and its vote again, from the two other voters.',
  },
  {
    name: 'guard',
    usage: 'siteward guard [--host NAME] [--state DIRECTORY]',
    description: 'The daemon of a database host: the only one that lets its PostgreSQL accept writes.',
  },
  {
    name: 'witness',
    usage: 'siteward witness [--host NAME] [--state DIRECTORY] | rejoin [--yes NAME]',
    operator: true,
    description:
      'The daemon of a third place: a third vote, nothing else. rejoin: an order that makes its lost or damaged record anew, from both agents; an agent witness gets its memory likewise.',
  },
  {
    name: 'init',
    usage: 'siteward init --primary SITE [--dry-run]',
    operator: true,
    description:
      'Founds the cluster, once: epoch 1, paused. --dry-run, on the database host: lists what the running database lacks, with the words to type.',
  },
  {
    name: 'status',
    usage: 'siteward status',
    operator: true,
    description: 'The record, the lease, every part, the votes, what stands in the way and what waits for a person.',
  },
  {
    name: 'failover',
    usage: 'siteward failover [--to SITE] [--dry-run] [--accept-loss] [--force]',
    operator: true,
    description:
      "Moves the primary to SITE, planned or not. Without --to it goes to the other site than the primary's: given twice, it moves back.",
  },
  {
    name: 'entry',
    usage: 'siteward entry --to SITE',
    operator: true,
    description: 'Moves the public name to the service host of SITE.',
  },
  {
    name: 'pause',
    usage: 'siteward pause [--reason TEXT]',
    operator: true,
    description: 'Nothing is moved without an order until resume.',
  },
  { name: 'resume', usage: 'siteward resume', operator: true, description: 'Ends a pause.' },
  {
    name: 'restart',
    usage: 'siteward restart',
    operator: true,
    description: 'Stops and starts the primary under its lease.',
  },
  {
    name: 'disarm',
    usage: 'siteward disarm [--host NAME] [--other-side-is-down]',
    description:
      "Hands the database of this host back to the distribution: no guard, no fuse. As root. Both agents are asked; --other-side-is-down is a person's word for those that do not answer.",
  },
  {
    name: 'config',
    usage: 'siteward config check|explain|database-env [FILE]',
    description:
      'Says what is wrong with a cluster file; prints the sums of its timings; prints what the units of a database host read.',
  },
  {
    name: 'keys',
    usage: 'siteward keys new NAME [--directory DIRECTORY] | pin FILE',
    description: 'Makes the key of a daemon or operator and prints its pin.',
  },
  {
    name: 'haproxy',
    usage: 'siteward haproxy render [--with-password] [FILE]',
    description: 'Writes the HAProxy configuration of a service host.',
  },
] as const satisfies readonly CommandDefinition[];

export type CommandName = (typeof commands)[number]['name'];
