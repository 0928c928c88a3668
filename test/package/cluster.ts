// A whole cluster on one booted machine, as far as the package needs one: the guard, the fuse and PostgreSQL of site1's
// database host by the package's units as they are; beside them both agents and the witness, whose units get other
// names and directories, because on real hosts they have machines of their own. Site2 has no database.

import { uptime } from 'node:os';
import { stringify } from 'yaml';
import { exampleCluster } from '../../src/config/example.ts';
import type { ClusterFileInput } from '../../src/config/schema.ts';
import { type Machine, until } from '../machines/machine.ts';

export const addresses = ['172.20.1.10', '172.20.1.30', '172.21.1.10', '172.22.1.10'];

export const leaseMs = 12_000;

const voters = [
  { unit: 'siteward-agent', role: 'agent', host: 'site1-svc', key: 'site1-agent' },
  { unit: 'siteward-agent-2', role: 'agent', host: 'site2-svc', key: 'site2-agent' },
  { unit: 'siteward-witness', role: 'witness', host: 'witness', key: 'witness' },
] as const;

type Pins = Readonly<Record<string, string>>;

function clusterFile(pins: Pins, place: string | null): string {
  const example = exampleCluster();
  const pin = (name: string): string[] => [pins[name] ?? ''];
  const file: ClusterFileInput = {
    ...example,
    witness: { kind: 'agent', agent: { host: 'witness', address: '172.22.1.10' } },
    keys: {
      'site1-agent': pin('site1-agent'),
      'site2-agent': pin('site2-agent'),
      'site1-guard': pin('site1-guard'),
      'site2-guard': pin('site2-guard'),
      witness: pin('witness'),
      operators: { alice: pin('alice') },
    },
    dns: { kind: 'none' },
    // Twice as long as by default: other tests may be at work on this machine.
    lease: { ttl: `${leaseMs}ms` },
  };
  if (place === null) return stringify(file);
  return stringify({
    ...file,
    paths: { stateDirectory: `/var/lib/${place}` },
    database: {
      ...example.database,
      probe: { passwordFile: `/etc/siteward/secrets/probe.${place}` },
    },
  });
}

/** Everything an operator types on the hosts before `siteward init`, and the units' stand-ins for other hosts. */
export function prepare(machine: Machine): void {
  const pins: Record<string, string> = {};
  for (const name of ['site1-agent', 'site2-agent', 'site1-guard', 'site2-guard', 'witness', 'alice'])
    pins[name] = machine.sh(`siteward keys new ${name}`);
  machine.put('/etc/siteward/cluster.yaml', clusterFile(pins, null));
  machine.put('/etc/siteward/secrets/replication.password', 'replication\n');
  machine.put('/etc/siteward/secrets/probe.password', 'probe\n');
  machine.sh('chmod 0600 /etc/siteward/secrets/*; chown postgres: /etc/siteward/secrets/*');
  machine.sh('chown postgres: /etc/siteward/keys/site1-guard.*');
  machine.sh('siteward config database-env >/etc/siteward/database.env');
  machine.sh(
    'sed s/siteward-agent/siteward-agent-2/ /usr/lib/systemd/system/siteward-agent.service >/etc/systemd/system/siteward-agent-2.service',
  );
  machine.sh('useradd --system siteward-agent-2');
  for (const { unit, role, host, key } of voters) {
    const file = `/etc/siteward/${unit}.yaml`;
    machine.put(file, clusterFile(pins, unit));
    machine.put(
      `/etc/systemd/system/${unit}.service.d/one-machine.conf`,
      `[Service]\nExecStart=\nExecStart=/usr/bin/siteward ${role} --config ${file} --host ${host} --state /var/lib/${unit}\nStateDirectory=\nStateDirectory=${unit}\n`,
    );
    machine.put(`/etc/siteward/secrets/probe.${unit}`, 'probe\n');
    machine.sh(`chmod 0600 /etc/siteward/secrets/probe.${unit}; chown ${unit}: /etc/siteward/secrets/probe.${unit}`);
    machine.sh(`chown ${unit}: /etc/siteward/keys/${key}.*`);
  }
  machine.sh(
    'ssh-keygen -q -t ed25519 -N "" -f /etc/siteward/keys/ssh_ed25519 2>/dev/null || touch /etc/siteward/keys/ssh_ed25519',
  );
  machine.sh('hostname site1-db');
  machine.sh('systemctl daemon-reload');
}

export function prepareDatabase(machine: Machine): void {
  machine.put('/etc/postgresql/15/main/conf.d/cluster.conf', "listen_addresses = '*'\n");
  machine.sh("echo 'host all all 172.16.0.0/12 scram-sha-256' >>/etc/postgresql/15/main/pg_hba.conf");
  machine.sh('systemctl restart postgresql@15-main');
  sql(machine, 'CREATE DATABASE revolutdb', 'postgres');
  sql(machine, 'CREATE TABLE writes (n bigint)');
}

export function sql(machine: Machine, query: string, database = 'revolutdb'): string {
  return machine.sh(`runuser -u postgres -- psql -qXAt -d ${database} -c "${query}"`);
}

export function postmaster(machine: Machine): string {
  return machine.sh('head -n 1 /var/lib/postgresql/15/main/postmaster.pid');
}

export function writable(machine: Machine): boolean {
  return machine.run(`runuser -u postgres -- psql -qXAt -d revolutdb -c 'INSERT INTO writes VALUES (0)'`).status === 0;
}

export function mode(machine: Machine): string | undefined {
  type Status = { readonly agents: { readonly site1: { readonly record: { readonly mode: string } | null } | null } };
  const said = machine.run('siteward status --json');
  try {
    return (JSON.parse(said.out) as Status).agents.site1?.record?.mode;
  } catch {
    return undefined;
  }
}

/** The guard's own word, from its plain port. */
export function guardHealth(machine: Machine): { database: string; leaseLeftMs: number; fuseAlive: boolean } | null {
  const fetch = `exec 3<>/dev/tcp/172.20.1.30/7400; printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
  const said = machine.run(`bash -c ${JSON.stringify(fetch).replaceAll('\\\\', '\\')}`);
  try {
    return JSON.parse(said.out.slice(said.out.indexOf('\r\n\r\n'))) as ReturnType<typeof guardHealth>;
  } catch {
    return null;
  }
}

export function underLease(machine: Machine, limitMs: number): Promise<true> {
  return until('the guard holds its lease and the database is the primary', limitMs, () => {
    const health = guardHealth(machine);
    return health !== null && health.leaseLeftMs > 0 && health.database === 'primary' ? true : null;
  });
}

/** The fuse's present deadline: when it is over, whatever would have ended by it has. */
export function deadlineOf(machine: Machine): number {
  return Number(machine.sh('cat /run/siteward/fuse.deadline'));
}

export function isOver(deadline: number): Promise<true> {
  return until('the deadline is over', leaseMs * 3, () => (uptime() * 1000 > deadline + 1000 ? true : null));
}
