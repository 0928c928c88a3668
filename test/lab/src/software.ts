/** Configuration of the software around siteward on the lab's hosts: HAProxy on service hosts, sshd where agents log in. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHaproxy } from '../../../src/adapters/haproxy/render.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblems } from '../../../src/config/problem.ts';
import { SSH_ACCOUNT } from './disks.ts';
import type { LabPaths } from './paths.ts';
import type { PostgresPlace } from './postgres.ts';
import type { LabSecrets } from './secrets.ts';
import { SSH_HOSTS } from './secrets.ts';
import type { HostKind } from './topology.ts';
import { INSTANCES, kindOf, LabError, SITES } from './topology.ts';

/** siteward's own rendering of the cluster file, which is checked with that. */
export function writeHaproxy(paths: LabPaths): void {
  const loaded = loadConfig(join(paths.disk('site1-svc'), 'etc/siteward/cluster.yaml'));
  if (loaded.kind === 'bad') throw new LabError(`the cluster file is refused:\n${formatProblems(loaded.problems)}`);
  const password = { kind: 'environment', name: 'HAPROXY_STATISTICS_PASSWORD' } as const;
  const account = { user: 'haproxy', group: 'haproxy' };
  const text = renderHaproxy(loaded.config, { password, account, threads: 1 });
  for (const site of SITES) {
    const directory = join(paths.disk(`${site}-svc`), 'etc/haproxy');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'haproxy.cfg'), text);
  }
}

export function writeSshd(paths: LabPaths, secrets: LabSecrets, postgres: PostgresPlace): void {
  for (const host of SSH_HOSTS) {
    const directory = join(paths.disk(host), 'etc/ssh');
    mkdirSync(join(directory, 'authorized_keys'), { recursive: true });
    for (const end of ['', '.pub']) {
      copyFileSync(join(secrets.directory, `${host}${end}`), join(directory, `ssh_host_ed25519_key${end}`));
    }
    writeFileSync(join(directory, 'sshd_config'), sshdConfig());
    const forced = `restrict,command="${forcedCommand(kindOf(host), postgres)}" ${secrets.sshPublicKey}\n`;
    writeFileSync(join(directory, 'authorized_keys', SSH_ACCOUNT), forced);
  }
}

/** What the dedicated key may do on a host, and nothing else: the words are the deployer's, never the agent's. */
function forcedCommand(kind: HostKind, postgres: PostgresPlace): string {
  const state = '--state /var/lib/siteward-host';
  return kind === 'app'
    ? `/opt/siteward/bin/siteward-host application --directory /srv/birthday --ports ${INSTANCES.join(',')} ${state}`
    : `/opt/siteward/bin/siteward-host database --data ${postgres.dataDirectory} --bin ${postgres.binDirectory} ${state}`;
}

function sshdConfig(): string {
  return [
    'Port 22',
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'PidFile /run/sshd.pid',
    'AuthorizedKeysFile /etc/ssh/authorized_keys/%u',
    `AllowUsers ${SSH_ACCOUNT}`,
    'AuthenticationMethods publickey',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'PermitTTY no',
    'AllowTcpForwarding no',
    'X11Forwarding no',
    'PrintMotd no',
    'ClientAliveInterval 5',
    'ClientAliveCountMax 2',
    '',
  ].join('\n');
}
