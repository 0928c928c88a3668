/** The cluster file's sections about the software siteward drives: PostgreSQL, the application, ssh, HAProxy. See schema.ts. */
import { z } from 'zod';
import { absolutePath, argv, doc, fileName, hostKeyList, hostName, port, sqlName, urlPath, word } from './fields.ts';

const credential = (user: string, file: string) => ({
  user: sqlName().prefault(user).meta(doc('PostgreSQL role.', user)),
  passwordFile: absolutePath().prefault(file).meta(doc('File that holds its password, one line.', file)),
});

export const databaseSchema = z.strictObject({
  name: sqlName().meta(
    doc("The application's database; siteward keeps its two tables in schema siteward of it.", 'revolutdb'),
  ),
  control: z
    .enum(['systemd', 'pg_ctl'])
    .prefault('systemd')
    .meta(doc('How the guard starts and stops PostgreSQL: its systemd unit, or pg_ctl.', 'systemd')),
  unit: word(/^[\w@.:-]+\.service$/, 'is no name of a systemd service')
    .prefault('postgresql@15-main.service')
    .meta(doc('The systemd unit of the database.', 'postgresql@15-main.service')),
  dataDirectory: absolutePath()
    .prefault('/var/lib/postgresql/15/main')
    .meta(doc('Data directory, the same on both database hosts.', '/var/lib/postgresql/15/main')),
  binDirectory: absolutePath()
    .prefault('/usr/lib/postgresql/15/bin')
    .meta(doc("Directory of PostgreSQL's programs.", '/usr/lib/postgresql/15/bin')),
  configFile: absolutePath()
    .optional()
    .meta(
      doc(
        'postgresql.conf where it is not in the data directory; pg_ctl needs it.',
        '/etc/postgresql/15/main/postgresql.conf',
      ),
    ),
  socketDirectory: absolutePath()
    .prefault('/var/run/postgresql')
    .meta(doc("Directory of PostgreSQL's Unix socket, the guard's way in.", '/var/run/postgresql')),
  superuser: sqlName().prefault('postgres').meta(doc('Account and role the guard drives PostgreSQL as.', 'postgres')),
  systemIdentifier: word(/^\d{10,20}$/, 'is no system identifier: its digits, in quotes')
    .optional()
    .meta(
      doc(
        'Expected system identifier (pg_controldata); learned at `siteward init` when absent.',
        '7321987654321098765',
      ),
    ),
  probe: z
    .strictObject({
      ...credential('siteward_probe', '/etc/siteward/secrets/probe.password'),
      database: sqlName()
        .optional()
        .meta(doc('Database the probes connect to; database.name when absent.', 'revolutdb')),
    })
    .prefault({})
    .meta(doc("How the agents' probes log in.")),
  replication: z
    .strictObject({
      ...credential('siteward_replication', '/etc/siteward/secrets/replication.password'),
      slot: sqlName()
        .prefault('siteward')
        .meta(doc('Prefix of the physical replication slot; the standby of site2 uses `siteward_site2`.', 'siteward')),
    })
    .prefault({})
    .meta(doc('How the standby logs in at the primary.')),
});

export const applicationsSchema = z.strictObject({
  envDirectory: absolutePath()
    .prefault('/srv/birthday')
    .meta(doc('Directory with site1.env, site2.env and the active file.', '/srv/birthday')),
  envFile: fileName().prefault('.env').meta(doc('Name of the active file.', '.env')),
  readyPath: urlPath().prefault('/readyz').meta(doc('Readiness endpoint of an instance.', '/readyz')),
  reload: z
    .strictObject({
      kind: z
        .enum(['sighup', 'command'])
        .prefault('sighup')
        .meta(doc('sighup: a signal to each instance; command: whatever you say.', 'sighup')),
      pidFile: absolutePath()
        .optional()
        .meta(
          doc(
            'Pid file of an instance, for kind sighup; `{port}` stands for its port. Default: /run/birthday/{port}.pid.',
            '/run/birthday/{port}.pid',
          ),
        ),
      command: argv()
        .optional()
        .meta(
          doc(
            'Program and arguments, for kind command, no shell; run for each instance when `{port}` occurs in it, else once.',
            ['docker', 'kill', '-s', 'HUP', 'birthday-{port}'],
          ),
        ),
    })
    .prefault({})
    .meta(doc('How the instances are told to read the new file.')),
});

export const sshSchema = z.strictObject({
  user: word(/^[a-z_][a-z0-9_-]{0,31}$/, 'is no account name')
    .prefault('siteward')
    .meta(doc('Account on application and database hosts; its key is bound to one forced command.', 'siteward')),
  port: port().prefault(22).meta(doc('Port of sshd.', 22)),
  keyFile: absolutePath()
    .prefault('/etc/siteward/keys/ssh_ed25519')
    .meta(doc("The agents' private key.", '/etc/siteward/keys/ssh_ed25519')),
  hostKeys: z
    .record(
      hostName(),
      hostKeyList().meta(
        doc('Host keys of the host of this name.', ['SHA256:05ObWBfXxD1+gNoZk/1oEmSTmwjyxSopZV6ylgsGNhg']),
      ),
    )
    .meta(doc('Pinned host keys of the two application and the two database hosts, as `ssh-keygen -lf` prints them.')),
});

export const haproxySchema = z.strictObject({
  servicePort: port().prefault(8000).meta(doc('Port of the service.', 8000)),
  backend: word(/^[\w.:-]+$/, 'is no backend name')
    .prefault('birthday')
    .meta(doc('Name of the backend with all instances.', 'birthday')),
  server: word(/\{port\}/, 'must contain {port}, else two instances have one name')
    .prefault('{host}-{port}')
    .meta(doc('Name of an instance in the backend; `{host}` and `{port}` are replaced.', '{host}-{port}')),
  socket: absolutePath()
    .prefault('/run/haproxy/admin.sock')
    .meta(doc('Runtime socket (level admin).', '/run/haproxy/admin.sock')),
  statistics: z
    .strictObject({
      port: port().prefault(81).meta(doc('Port of the statistics page.', 81)),
      path: urlPath().prefault('/stats').meta(doc('Path of the statistics page.', '/stats')),
      user: word(/^[^\s:]+$/, 'is no login: no blanks, no colon')
        .prefault('siteward')
        .meta(doc('Login.', 'siteward')),
      passwordFile: absolutePath()
        .prefault('/etc/siteward/secrets/haproxy.password')
        .meta(doc('File that holds the password, one line.', '/etc/siteward/secrets/haproxy.password')),
    })
    .prefault({})
    .meta(doc('The statistics page, read as CSV.')),
});
