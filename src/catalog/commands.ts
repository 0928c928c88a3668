// Every command of `siteward`: a closed list, in the order of the help text, compared with docs/CLI.md.

export type CommandDefinition = { readonly name: string; readonly usage: string; readonly description: string };

export const commands = [
  {
    name: 'agent',
    usage: 'siteward agent [--config FILE] [--host NAME] | rejoin [--site SITE] [--json]',
    description:
      'The daemon of a service host: watches, votes, decides, reconciles. rejoin: an order that gives an agent that lost its state its memory and its vote again, from the two other voters.',
  },
  {
    name: 'guard',
    usage: 'siteward guard [--config FILE] [--host NAME]',
    description: 'The daemon of a database host: the only one that lets its PostgreSQL accept writes.',
  },
  {
    name: 'witness',
    usage: 'siteward witness [--config FILE] [--host NAME] | rejoin [--json]',
    description:
      'The daemon of a third place: a third vote, nothing else. rejoin: an order that makes its lost or damaged record anew, from both agents; an agent witness gets its memory likewise.',
  },
  {
    name: 'init',
    usage: 'siteward init --primary SITE [--dry-run] [--json]',
    description:
      'Founds the cluster, once: epoch 1, paused. --dry-run lists what the running database lacks, with the words to type.',
  },
  {
    name: 'status',
    usage: 'siteward status [--json]',
    description: 'The record, the lease, every part, the votes, what stands in the way and what waits for a person.',
  },
  {
    name: 'failover',
    usage: 'siteward failover [--to SITE] [--dry-run] [--accept-loss] [--force] [--json]',
    description: 'Moves the primary to the other site, planned or not.',
  },
  {
    name: 'entry',
    usage: 'siteward entry --to SITE [--json]',
    description: 'Moves the public name to the service host of SITE.',
  },
  {
    name: 'pause',
    usage: 'siteward pause [--reason TEXT] [--json]',
    description: 'Nothing is moved without an order until resume.',
  },
  { name: 'resume', usage: 'siteward resume [--json]', description: 'Ends a pause.' },
  { name: 'restart', usage: 'siteward restart [--json]', description: 'Stops and starts the primary under its lease.' },
  {
    name: 'disarm',
    usage: 'siteward disarm [--host NAME] [--other-side-is-down]',
    description: 'Hands the database of this host back to the distribution: no guard, no fuse.',
  },
  {
    name: 'config',
    usage: 'siteward config check|explain|database-env [FILE]',
    description:
      'Says what is wrong with a cluster file; prints the sums of its timings; prints what the units of a database host read.',
  },
  {
    name: 'keys',
    usage: 'siteward keys new NAME | pin FILE',
    description: 'Makes the key of a daemon or operator and prints its pin.',
  },
  {
    name: 'haproxy',
    usage: 'siteward haproxy render [--with-password] [FILE]',
    description: 'Writes the HAProxy configuration of a service host.',
  },
] as const satisfies readonly CommandDefinition[];

export type CommandName = (typeof commands)[number]['name'];
