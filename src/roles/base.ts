// What every daemon needs before its own parts: configuration (or its last good copy), name, key, log, clock, metrics,
// peers and the plain listener. Composition only; nothing here decides anything.

import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { createClock } from '../adapters/clock/clock.ts';
import { createRandomSource } from '../adapters/clock/random.ts';
import { readIdentity } from '../adapters/http/identity.ts';
import { createPeerServer, type ListeningPeerServer } from '../adapters/http/peer-server.ts';
import { createPeers } from '../adapters/http/peers.ts';
import { createLog } from '../adapters/log/log.ts';
import { createMetrics, type MetricsRegistry } from '../adapters/metrics/metrics.ts';
import { createSupervisor } from '../adapters/supervisor/supervisor.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import type { ClusterConfig, HostPart } from '../config/cluster.ts';
import { findHost } from '../config/cluster.ts';
import { lastGoodPath, loadForDaemon, saveLastGood } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { settingsOf } from '../config/settings.ts';
import type { Settings } from '../core/settings.ts';
import { agentOf, guardOf, type PeerId } from '../core/site.ts';
import { readCrashPoint } from '../driver/crash-point.ts';
import type { Clock, RandomSource } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Peers } from '../ports/peers.ts';
import type { Supervisor } from '../ports/supervisor.ts';
import { mayAsk } from '../wire/allowed.ts';
import { addressesOf, pinsOf } from './addresses.ts';

export type Role = 'agent' | 'guard' | 'witness';

export type RoleOptions = {
  readonly file: string;
  /** This host's name in the cluster file; the host's own when left out. */
  readonly host: string | undefined;
  /** Where the last good copy of a bad file is looked for. */
  readonly stateDirectory: string;
};

export type Base = {
  readonly config: ClusterConfig;
  readonly settings: Settings;
  readonly me: PeerId;
  readonly part: HostPart;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  readonly peers: Peers;
  readonly server: ListeningPeerServer;
  readonly supervisor: Supervisor;
  readonly afterEffect: (name: string) => void;
  /** Keeps the file that this daemon has now started with. */
  readonly started: () => void;
};

/** A reason not to start that a person has to mend: one sentence and an exit code, no stack. */
export class StartRefused extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

const partOf: Readonly<Record<Role, HostPart['part']>> = { agent: 'service', guard: 'database', witness: 'witness' };

export function openBase(role: Role, options: RoleOptions): Base {
  const loaded = loadForDaemon(options.file, lastGoodPath(options.stateDirectory, role));
  if (loaded.kind === 'bad') throw new StartRefused(formatProblems(loaded.problems), EXIT.config);
  const { config } = loaded;
  const part = findPart(config, role, options.host ?? hostname());
  const me = nameOf(role, part);
  const site = part.part === 'witness' ? 'witness' : part.site;
  const clock = createClock();
  const log = createLog({
    level: config.log.level,
    base: { role, host: part.host.host, site, cluster: config.cluster },
  });
  const metrics = createMetrics({ cluster: config.cluster, role, site });
  if (loaded.alert !== undefined) log.event('error', 'config.fallback', { why: loaded.alert });
  metrics.set('siteward_config_fallback', loaded.alert === undefined ? 0 : 1);
  mkdirSync(config.paths.stateDirectory, { recursive: true });
  const identity = identityOf(config, me);
  const addresses = addressesOf(config);
  const pins = pinsOf(config);
  const known = [...addresses].map(([peer, at]) => [peer, { ...at, pins: pins.get(peer) ?? [] }] as const);
  return {
    config,
    settings: settingsOf(config),
    me,
    part,
    clock,
    random: createRandomSource(),
    log,
    metrics,
    peers: createPeers({ identity, peers: new Map(known.filter(([peer]) => peer !== me)) }),
    server: createPeerServer({
      identity,
      address: config.listen === 'own' ? part.host.address : null,
      port: role === 'guard' ? config.ports.guard : config.ports.agent,
      pins,
      allow: (from, type) => mayAsk(from, me, type),
      onRefused: (remote, why) => {
        log.event('warn', 'peer.refused', { remote, why });
        metrics.count('siteward_refused_connections_total');
      },
    }),
    supervisor: createSupervisor(process.env, clock),
    afterEffect: crashPoint(),
    started: () => {
      if (loaded.alert === undefined) saveLastGood(lastGoodPath(options.stateDirectory, role), loaded.text);
    },
  };
}

function findPart(config: ClusterConfig, role: Role, host: string): HostPart {
  const found = findHost(config, host);
  if (found === undefined)
    throw new StartRefused(
      `this host is called ${host}, which is no host of the cluster file: name it with --host`,
      EXIT.config,
    );
  if (found.part !== partOf[role]) {
    throw new StartRefused(
      `${host} is a ${found.part} host; the ${role} runs on the ${partOf[role]} hosts`,
      EXIT.config,
    );
  }
  return found;
}

function nameOf(role: Role, part: HostPart): PeerId {
  if (part.part === 'witness') return 'witness';
  return role === 'guard' ? guardOf(part.site) : agentOf(part.site);
}

function identityOf(config: ClusterConfig, me: PeerId) {
  try {
    const identity = readIdentity(config.keys.directory, me);
    const pinned = pinsOf(config).get(me) ?? [];
    if (pinned.includes(identity.pin)) return identity;
    throw new Error(
      `its pin is ${identity.pin}, which cluster.yaml does not list under keys.${me}: no peer would believe it`,
    );
  } catch (error) {
    throw new StartRefused(
      `the key of ${me} in ${config.keys.directory}: ${error instanceof Error ? error.message : String(error)}`,
      EXIT.config,
    );
  }
}

function crashPoint(): (name: string) => void {
  const point = readCrashPoint(process.env, () => process.kill(process.pid, 'SIGKILL'));
  if (point.kind === 'refused') throw new StartRefused(point.why, EXIT.config);
  return point.kind === 'armed' ? point.afterEffect : () => {};
}
