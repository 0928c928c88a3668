/** What runs on each host: the programs of a production host as services of the lab's init (see test/lab/sh/init.sh). */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WitnessKind } from './cluster-file.ts';
import { SSH_ACCOUNT } from './disks.ts';
import type { LabPaths } from './paths.ts';
import type { PostgresPlace } from './postgres.ts';
import type { HostName } from './topology.ts';
import {
  ENTRY_ZONE,
  HOSTS,
  INSTANCES,
  kindOf,
  REGISTER_ZONE,
  siteOf,
  ZONE_CONTROL,
  ZONE_DNS,
  ZONE_HTTP,
} from './topology.ts';

export interface ServiceSpec {
  readonly name: string;
  /** Shell words after `exec`. */
  readonly exec: string;
  readonly user?: string;
  /** Lines before the exec. */
  readonly before?: readonly string[];
  readonly nice?: number;
  readonly oneshot?: boolean;
  /** Not started at boot. */
  readonly down?: boolean;
  readonly restartSeconds?: number;
  readonly watchdogSeconds?: number;
  readonly stopSeconds?: number;
}

export interface ServiceOptions {
  readonly witness: WitnessKind;
  readonly postgres: PostgresPlace;
  readonly bootPostgres: boolean;
}

const NODE = '/opt/siteward/bin/node';
const REPO = '/opt/repo';
/** Better than the load's: else a starved machine looks like a fault. */
const PROTOCOL_NICE = -5;
const LOAD_NICE = 5;

const daemon = (role: 'agent' | 'guard' | 'witness', user?: string): ServiceSpec => ({
  name: role,
  exec: `${NODE} /opt/siteward/dist/siteward.js ${role}`,
  ...(user === undefined ? {} : { user }),
  // How a scenario gives one daemon a variable: a file, read at each start.
  before: [
    'export SITEWARD_LAB=1',
    `if [ -r /etc/lab/env/${role} ]; then set -a; . /etc/lab/env/${role}; set +a; fi`,
    // For one start alone: a daemon that is told to kill itself must not be told so again.
    `once=/etc/lab/env/${role}.once`,
    'if [ -r "$once" ]; then mv "$once" /run/lab/once.env; set -a; . /run/lab/once.env; set +a; fi',
  ],
  nice: PROTOCOL_NICE,
  watchdogSeconds: 10,
});

const sshd: ServiceSpec = { name: 'sshd', exec: '/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config', nice: PROTOCOL_NICE };

function application(port: number, index: number): ServiceSpec {
  return {
    name: `app${index + 1}`,
    user: SSH_ACCOUNT,
    before: [
      // The exec below changes neither the number nor the start (docs/HOSTS.md).
      `echo $$ $(sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20) >/run/birthday/${port}.pid.start`,
      `echo $$ >/run/birthday/${port}.pid`,
      `export APP_PORT=${port} APP_NAME="$(hostname):${port}" ENV_FILE=/srv/birthday/.env`,
      // A login costs a slow machine 50 ms of CPU, and here two cores bear those of both sites: with the defaults slow ones
      // are given up and begun anew by six instances at once.
      'export POOL_MAX=4 CONNECT_TIMEOUT_MS=3000 RETRY_EVERY_MS=200',
      `export EPOCH_FILE=/var/lib/birthday/${port}.epoch`,
    ],
    exec: `${NODE} /opt/siteward/app/dist/main.js`,
  };
}

function databaseServices(postgres: PostgresPlace, bootPostgres: boolean): readonly ServiceSpec[] {
  const start = `${postgres.binDirectory}/pg_ctl -D ${postgres.dataDirectory} -w -t 60 -l ${postgres.logFile}`;
  const fuse = '/opt/siteward/dist/siteward-fuse';
  return [
    {
      name: 'fuse',
      user: 'postgres',
      before: [`export SITEWARD_DATA_DIRECTORY=${postgres.dataDirectory}`],
      exec: fuse,
      nice: PROTOCOL_NICE,
      restartSeconds: 0.2,
    },
    // The distribution's own start at boot, before the guard's (S9). At the first boot it stands for the person whose
    // database this was before siteward came.
    {
      name: 'postgres-boot',
      user: 'postgres',
      // As the package has its unit do it.
      before: [`SITEWARD_DATA_DIRECTORY=${postgres.dataDirectory} ${fuse} inhibit`],
      exec: `${start} -o '-c config_file=${postgres.configFile}' start`,
      oneshot: true,
      down: !bootPostgres,
    },
    daemon('guard', 'postgres'),
    sshd,
  ];
}

export function servicesOf(host: HostName, options: ServiceOptions): readonly ServiceSpec[] {
  switch (kindOf(host)) {
    case 'svc':
      return [
        {
          name: 'haproxy',
          before: ['export HAPROXY_STATISTICS_PASSWORD="$(cat /etc/siteward/secrets/haproxy.password)"'],
          exec: '/usr/sbin/haproxy -db -f /etc/haproxy/haproxy.cfg',
          stopSeconds: 2,
        },
        daemon('agent'),
      ];
    case 'app':
      return [sshd, ...INSTANCES.map(application)];
    case 'db':
      return databaseServices(options.postgres, options.bootPostgres);
    case 'witness':
      return options.witness === 'agent' ? [daemon('witness')] : [];
    case 'zone':
      return [
        {
          name: 'zone',
          exec:
            `${NODE} ${REPO}/test/lab/zone/main.ts --http ${ZONE_HTTP} --dns ${ZONE_DNS} --control ${ZONE_CONTROL} ` +
            `--state /var/lib/zone.json --zone ${ENTRY_ZONE}=siteward.test --zone ${REGISTER_ZONE}=register.test`,
          nice: PROTOCOL_NICE,
        },
      ];
    case 'client':
      return ['client', 'writer-site1', 'writer-site2'].map((name) => ({
        name: `load-${name}`,
        exec: `${NODE} ${REPO}/test/lab/load/${name.split('-')[0]}.ts --config /opt/load/${name}.json`,
        ...(name === 'client' ? {} : { user: 'postgres' }),
        nice: LOAD_NICE,
        down: true,
      }));
  }
}

export function writeServices(paths: LabPaths, options: ServiceOptions, hosts: readonly HostName[] = HOSTS): void {
  for (const host of hosts) {
    const services = servicesOf(host, options);
    const lab = join(paths.disk(host), 'etc/lab');
    mkdirSync(join(lab, 'sv'), { recursive: true });
    mkdirSync(join(lab, 'env'), { recursive: true });
    writeFileSync(join(lab, 'sv/order'), services.map((service) => `${service.name}\n`).join(''));
    for (const service of services) writeService(join(lab, 'sv', service.name), service);
    if (siteOf(host) !== undefined && kindOf(host) === 'app') {
      mkdirSync(join(paths.disk(host), 'var/lib/birthday'), { recursive: true });
    }
  }
}

function writeService(directory: string, service: ServiceSpec): void {
  mkdirSync(directory, { recursive: true });
  const property = (name: string, value: number | undefined) => {
    if (value !== undefined) writeFileSync(join(directory, name), `${value}\n`);
  };
  const become =
    service.user === undefined ? '' : `setpriv --reuid ${service.user} --regid ${service.user} --init-groups -- `;
  const nice = service.nice === undefined ? '' : `nice -n ${service.nice} `;
  const lines = ['#!/bin/sh', ...(service.before ?? []), `exec ${nice}${become}${service.exec}`, ''];
  writeFileSync(join(directory, 'run'), lines.join('\n'));
  chmodSync(join(directory, 'run'), 0o755);
  property('restart', service.restartSeconds);
  property('watchdog', service.watchdogSeconds);
  property('stop', service.stopSeconds);
  for (const flag of ['oneshot', 'down'] as const) {
    rmSync(join(directory, flag), { force: true });
    if (service[flag] === true) writeFileSync(join(directory, flag), '');
  }
}

/** Whether a service is started when its host boots; the host may be off. */
export function setBootStart(paths: LabPaths, host: HostName, service: string, start: boolean): void {
  const flag = join(paths.disk(host), 'etc/lab/sv', service, 'down');
  if (start) rmSync(flag, { force: true });
  else writeFileSync(flag, '');
}
