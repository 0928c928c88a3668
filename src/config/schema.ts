/**
 * The cluster file, /etc/siteward/cluster.yaml: the only place where a key exists. Types, defaults, messages, the JSON
 * Schema, docs/CONFIG.md and the example all come from here. What the file says is checked here key by key; what
 * concerns several keys is in `rules.ts`; what the rest of the code sees is `ClusterConfig` in `cluster.ts`.
 * Secrets are never in the file, only the paths of files that hold them.
 */
import { z } from 'zod';
import { absolutePath, argv, doc, duration, port, size, word } from './fields.ts';
import { dnsSchema, keysSchema, siteSchema, witnessSchema } from './schema-places.ts';
import { applicationsSchema, databaseSchema, haproxySchema, sshSchema } from './schema-software.ts';
import { leaseSchema, policySchema, probeSchema } from './schema-timing.ts';

export const clusterFileSchema = z
  .strictObject({
    cluster: word(/^[a-z][a-z0-9-]{0,62}$/, 'is no cluster name: lower-case letters, digits and hyphens').meta(
      doc('Name of the cluster; every log line and metric carries it.', 'birthday'),
    ),
    sites: z
      .strictObject({ site1: siteSchema.meta(doc('The first site.')), site2: siteSchema.meta(doc('The second site.')) })
      .meta(doc('The two sites and their hosts.')),
    witness: witnessSchema.meta(
      doc(
        'Who breaks the tie between the two agents. Not to be edited in a cluster that lives: kind, zone, name and host are part of the voter set, and voters of two sets do not count for each other, so that the primary stops. Another witness takes a new cluster (RUNBOOK.md).',
      ),
    ),
    keys: keysSchema.meta(
      doc("Who may speak to whom: each peer's public key, pinned. One pin, or two while a key is being replaced."),
    ),
    replication: z
      .enum(['async', 'zero-loss', 'zero-loss-strict'], 'must be async, zero-loss or zero-loss-strict')
      .prefault('async')
      .meta(
        doc(
          'Whether commits wait for the standby (V8). async: they do not, and what it lacks is lost with the primary. zero-loss: they do; without a standby they go on once two voters recorded that. zero-loss-strict: without a standby nothing is committed.',
          'async',
        ),
      ),
    database: databaseSchema.meta(doc('PostgreSQL and how its guard drives it.')),
    applications: applicationsSchema.prefault({}).meta(doc('The application and its .env files.')),
    ssh: sshSchema.meta(doc('How agents reach application and database hosts.')),
    haproxy: haproxySchema.prefault({}).meta(doc('The balancer on both service hosts.')),
    dns: dnsSchema.meta(doc('The public name.')),
    policy: policySchema.prefault({}).meta(doc('When to act, and what may be given up for it.')),
    lease: leaseSchema
      .prefault({})
      .meta(doc('Who may write, for how long. The sums behind these numbers: `siteward config explain`.')),
    probe: probeSchema.prefault({}).meta(doc('How failures are found and confirmed.')),
    order: z
      .strictObject({
        timeout: duration()
          .prefault('10s')
          .meta(
            doc(
              'An order that has not come to its end by then is undone. Where the primary is not reached it has the longest lease besides.',
              '10s',
            ),
          ),
        restartBudget: duration()
          .prefault('30s')
          .meta(
            doc(
              'For so long a primary that is being restarted (by siteward restart, by systemctl or apt, or after a crash in place) counts as no failure. So does, after the start of an agent, what that agent never saw working.',
              '30s',
            ),
          ),
      })
      .prefault({})
      .meta(doc('Orders of a person.')),
    fence: z
      .strictObject({
        command: argv()
          .optional()
          .meta(
            doc(
              'Your own way to fence a database host that cannot be reached: program and arguments, no shell; `{site}`, `{host}`, `{epoch}` are replaced.',
              ['/usr/local/sbin/power-off', '{host}'],
            ),
          ),
        deadline: duration()
          .prefault('30s')
          .meta(doc('It is killed after this time; the outcome is unknown then.', '30s')),
      })
      .prefault({})
      .meta(
        doc(
          'The last resort when guard and ssh cannot be reached; not used where the host says that the order is out of date.',
        ),
      ),
    ports: z
      .strictObject({
        agent: port().prefault(7401).meta(doc('Peer API of agents and witness (mutual TLS).', 7401)),
        guard: port().prefault(7402).meta(doc('Peer API of guards (mutual TLS).', 7402)),
        metrics: port().prefault(7400).meta(doc('/metrics, /health and /entry, plain.', 7400)),
      })
      .prefault({})
      .meta(doc('Ports of the daemons.')),
    listen: z
      .enum(['own', 'any'])
      .prefault('own')
      .meta(doc("Address the daemons listen on: the host's own address from `sites`, or any.", 'own')),
    paths: z
      .strictObject({
        stateDirectory: absolutePath()
          .prefault('/var/lib/siteward')
          .meta(doc('What must survive: votes, promises, epochs, the last good configuration.', '/var/lib/siteward')),
        runDirectory: absolutePath()
          .prefault('/run/siteward')
          .meta(doc("Memory-backed: the lease's deadline for the fuse, sockets.", '/run/siteward')),
      })
      .prefault({})
      .meta(doc('Directories.')),
    checks: z
      .strictObject({
        schedule: word(/^(\S+\s+){4,5}\S+$/, 'is no cron expression of five or six fields')
          .prefault('*/5 * * * *')
          .meta(doc('When the scheduled checks run (cron, UTC); besides, at the start of an agent.', '*/5 * * * *')),
        diskFree: size()
          .prefault('1GiB')
          .meta(
            doc(
              "Less free space than this beside the agent's own state, on the service host, fails the check disk-space. PostgreSQL's disks are not watched: do that by other means.",
              '1GiB',
            ),
          ),
      })
      .prefault({})
      .meta(
        doc(
          'Scheduled checks of an agent; the protocol depends on none of them, and status does not show them. One that fails is the event check.failed and the metric siteward_check_ok.',
        ),
      ),
    log: z
      .strictObject({
        level: z
          .enum(['error', 'warn', 'info', 'debug', 'trace'])
          .prefault('info')
          .meta(doc('Least level that is logged.', 'info')),
      })
      .prefault({})
      .meta(doc('Logs: JSON lines on standard output.')),
  })
  .meta({
    title: 'siteward cluster file',
    description: 'One file, the same on every host: /etc/siteward/cluster.yaml.',
  });

/** What a valid file says, durations in ms and sizes in bytes, defaults filled in. Only `resolve.ts` reads it. */
export type ClusterFile = z.output<typeof clusterFileSchema>;
/** What may be written in the file; the lab and tests build it. */
export type ClusterFileInput = z.input<typeof clusterFileSchema>;
