/**
 * Six hosts that boot, on the lab's cables, with the lab's own zone and client beside them. It is a lab to the scenarios: what
 * differs is how a host is powered on and how a service is killed, because there systemd does what the lab's init does here.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startsSlowly } from '../lab/scenarios/run/starvation.ts';
import { makeDisks } from '../lab/src/disks.ts';
import { bootHost, cutPower, requireKeeper, startKeeper } from '../lab/src/hosts.ts';
import { httpSend } from '../lab/src/http.ts';
import { Lab } from '../lab/src/lab.ts';
import { liveMark, removeMark } from '../lab/src/marks.ts';
import { findPostgres } from '../lab/src/postgres.ts';
import type { RunResult } from '../lab/src/process.ts';
import { run, signalMarked, waitFor } from '../lab/src/process.ts';
import { makeKey, makeSshKey, OPERATOR } from '../lab/src/secrets.ts';
import { writeServices } from '../lab/src/services.ts';
import { stageBuild } from '../lab/src/stage.ts';
import type { HostName } from '../lab/src/topology.ts';
import {
  ADDRESSES,
  ENTRY_NAME,
  ENTRY_ZONE,
  expandPlace,
  kindOf,
  LabError,
  requireHost,
  SITES,
  ZONE_CONTROL,
} from '../lab/src/topology.ts';
import { requireMachine } from '../lab/src/up.ts';
import { imageDirectory, whyNot } from '../machines/machine.ts';
import { bootMachine, MACHINES, makeMachine, removeControlGroups, upperOf } from './machines.ts';

const isMachine = (host: HostName): boolean => MACHINES.includes(host);

export class Fleet extends Lab {
  /** The operator's own things: an SSH key, the keys of the operator `lab`, the inventory. */
  get keys(): string {
    return join(this.paths.base, 'keys');
  }

  /** The pin of the operator `lab`, whose key the scenarios ask the agents with. */
  get operatorPin(): string {
    return readFileSync(join(this.keys, `${OPERATOR}.pin`), 'utf8').trim();
  }

  async boot(say: (text: string) => void, tied: boolean): Promise<void> {
    await requireMachine();
    const why = whyNot();
    if (why !== null) throw new LabError(why);
    if (existsSync(this.paths.base)) await this.down();
    const { paths } = this;
    mkdirSync(this.keys, { recursive: true });
    mkdirSync(paths.load, { recursive: true });
    symlinkSync(imageDirectory('rehearsal'), join(paths.base, 'image'));
    say('the image is there');
    for (const site of SITES) mkdirSync(join(paths.base, 'sockets', `${site}-db`), { recursive: true });
    const keeper = await startKeeper(paths);
    stageBuild(paths);
    const [, pin] = await makeKey(this.keys, OPERATOR);
    writeFileSync(join(this.keys, `${OPERATOR}.pin`), pin);
    await makeSshKey(this.keys, 'operator');
    const publicKey = readFileSync(join(this.keys, 'operator.pub'), 'utf8').trim();
    await this.#makeLabHosts();
    for (const host of MACHINES) await makeMachine(paths, host, publicKey);
    writeFileSync(
      paths.state,
      JSON.stringify({ name: paths.name, witness: 'route53', createdAt: new Date().toISOString() }),
    );
    for (const host of ['zone', 'client'] as const) await bootHost(paths, host, this.binds(host));
    await putEntryRecord(this);
    await Promise.all(MACHINES.map((host) => bootMachine(paths, host)));
    say(`${MACHINES.length} hosts booted`);
    if (!tied) keeper.stay();
  }

  async #makeLabHosts(): Promise<void> {
    const { paths } = this;
    const postgres = findPostgres();
    const secrets = { directory: this.keys, passwords: NO_PASSWORDS, pins: {}, hostKeys: {}, sshPublicKey: '' };
    await makeDisks(paths, { clusterFile: '', secrets, postgres }, ['zone', 'client']);
    writeServices(paths, { witness: 'route53', postgres, bootPostgres: false }, ['zone', 'client']);
  }

  /** A command of the operator's, on this machine but in the fleet's network. */
  operator(command: readonly string[], timeoutMs: number, env: NodeJS.ProcessEnv = {}): Promise<RunResult> {
    const enter = ['-t', String(requireKeeper(this.paths)), '-n', '--', ...command];
    // Ten hosts at once would be ten Pythons on two cores.
    const pace = startsSlowly() ? { ANSIBLE_FORKS: '2' } : {};
    return run('nsenter', enter, { timeoutMs, env: { ...process.env, ...pace, ...env } });
  }

  override async kill(...places: readonly string[]): Promise<void> {
    const weight = (host: HostName) => (kindOf(host) === 'db' ? 0 : 1);
    const hosts = places.flatMap((place) => [...expandPlace(place)].sort((a, b) => weight(a) - weight(b)));
    await cutPower(this.paths, hosts);
    for (const host of hosts.filter(isMachine)) {
      for (const part of [`${host}.nspawn`, `${host}.network`]) {
        const mark = liveMark(this.paths, part);
        // nspawn sees its machine die and ends by itself.
        if (part.endsWith('.nspawn'))
          await waitFor(() => (liveMark(this.paths, part) === undefined ? true : undefined), 5_000);
        signalMarked(mark, 'SIGKILL');
        removeMark(this.paths, part);
      }
    }
  }

  override async start(place: string): Promise<void> {
    const hosts = expandPlace(place).filter((host) => !this.isOn(host) && host !== 'witness');
    await Promise.all(
      hosts.map((host) =>
        isMachine(host) ? bootMachine(this.paths, host) : bootHost(this.paths, host, this.binds(host)),
      ),
    );
  }

  override services(host: string) {
    return isMachine(requireHost(host)) ? [] : super.services(host);
  }

  override signal(host: string, service: string, signal: NodeJS.Signals): void {
    const name = requireHost(host);
    if (!isMachine(name) || service === 'postgres') return super.signal(host, service, signal);
    const leader = String(liveMark(this.paths, name)?.pid);
    const kill = ['systemctl', 'kill', '--kill-who=main', `--signal=${signal}`, `siteward-${service}`];
    execFileSync('nsenter', ['-t', leader, '-m', '-u', '-i', '-n', '-p', '--', ...kill]);
  }

  override async down(): Promise<void> {
    await super.down();
    removeControlGroups(this.paths.name);
  }

  /** PostgreSQL has another number on the hosts than here; the writers of the load are let in by number. */
  adoptDatabaseAccount(): void {
    const passwd = readFileSync(join(upperOf(this.paths, 'site1-db'), 'etc/passwd'), 'utf8');
    const uid = /^postgres:x:(\d+):/m.exec(passwd)?.[1];
    if (uid === undefined) throw new LabError('site1-db has no PostgreSQL after the deployment');
    const file = join(this.paths.disk('client'), 'etc/passwd');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^postgres:x:\d+:/m, `postgres:x:${uid}:`));
  }
}

const NO_PASSWORDS = { dbuser: '', probe: '', replication: '', haproxy: '', secretKey: '' };

/** As Terraform makes it: the name at site1. */
async function putEntryRecord(fleet: Fleet): Promise<void> {
  const json = { name: ENTRY_NAME, type: 'A', ttl: 10, values: [ADDRESSES['site1-svc']] };
  const url = `http://${ZONE_CONTROL}/zones/${ENTRY_ZONE}/records`;
  const put = await waitFor(async () => {
    const got = await httpSend(fleet.paths, 'zone', { method: 'PUT', url, json });
    return got?.status === 200 || got?.status === 204 ? true : undefined;
  }, 15_000);
  if (put !== true) throw new LabError("the zone's double does not take records");
}
