/**
 * The resolved cluster configuration: what every other room codes against. Plain data, all defaults filled in, every
 * number with its unit in its name. `resolve.ts` makes it from a checked file (`schema.ts`); nothing else does.
 * A host knows only its own name besides: `findHost` tells what that name is in this cluster.
 */
import type { LeaseSettings, PolicySettings, ProbeSettings, Replication } from '../core/settings.ts';
import type { AgentId, GuardId, Site, VoterId } from '../core/site.ts';
import type { Ms } from '../core/time.ts';

/** Whoever has a pinned key; operators are named one by one besides. */
export type PeerName = AgentId | GuardId | 'witness';

export interface HostConfig {
  /** Name of the host; a daemon finds its own role by it. */
  readonly host: string;
  /** IP address, never a name: failing over must not depend on DNS. */
  readonly address: string;
}

export interface ApplicationHostConfig extends HostConfig {
  /** TCP port of each instance. */
  readonly instances: readonly number[];
}

export interface DatabaseHostConfig extends HostConfig {
  readonly port: number;
}

export interface SiteConfig {
  readonly region: string;
  readonly service: HostConfig;
  readonly application: ApplicationHostConfig;
  readonly database: DatabaseHostConfig;
}

/** One record set in a Route 53 hosted zone, and how to reach the API. */
export interface Route53Access {
  readonly hostedZoneId: string;
  /** Absolute, lower case, without the final dot. */
  readonly name: string;
  /** Another API endpoint than AWS's own: a private link, or the double in the lab. */
  readonly endpoint?: string;
  /** AWS shared credentials file; without it the SDK's default chain (instance role). */
  readonly credentialsFile?: string;
}

export type WitnessConfig =
  | { readonly kind: 'route53'; readonly route53: Route53Access }
  | { readonly kind: 'agent'; readonly agent: HostConfig }
  | { readonly kind: 'none' };

export interface KeysConfig {
  /** Holds `<name>.key` and `<name>.crt` of this host, name being a PeerName or an operator's. */
  readonly directory: string;
  /** Base64 (44 characters) of the SHA-256 of the peer's public key (SubjectPublicKeyInfo, DER); one or two each.
   *  Empty only for `witness` when no agent is the witness. */
  readonly pins: Readonly<Record<PeerName, readonly string[]>>;
  readonly operators: Readonly<Record<string, readonly string[]>>;
}

export interface DatabaseConfig {
  /** The application's database; the tables siteward.cluster and siteward.probe live in it too. */
  readonly name: string;
  readonly control: 'systemd' | 'pg_ctl';
  /** The systemd unit when control is systemd. */
  readonly unit: string;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  /** postgresql.conf when it is not in the data directory (Debian); only pg_ctl needs it. */
  readonly configFile?: string;
  readonly socketDirectory: string;
  /** The account that PostgreSQL runs as, and the database superuser the guard is through the socket. */
  readonly superuser: string;
  /** Expected system identifier; learned from the databases when absent. */
  readonly systemIdentifier?: string;
  readonly probe: { readonly user: string; readonly passwordFile: string; readonly database: string };
  readonly replication: { readonly user: string; readonly passwordFile: string; readonly slot: string };
}

export type ReloadConfig =
  /** SIGHUP to the process in each pid file; `{port}` stands for the instance's port. */
  | { readonly kind: 'sighup'; readonly pidFile: string }
  /** Run the command: once for each instance where `{port}` occurs in it, else once. No shell. */
  | { readonly kind: 'command'; readonly command: readonly string[] };

export interface ApplicationsConfig {
  /** Holds site1.env, site2.env and the active file. */
  readonly envDirectory: string;
  /** Name of the active file in envDirectory. */
  readonly envFile: string;
  readonly readyPath: string;
  readonly reload: ReloadConfig;
}

export interface SshConfig {
  readonly user: string;
  readonly port: number;
  readonly keyFile: string;
  /** Host name to the pinned host keys, as `SHA256:` and 43 characters of base64 (what ssh-keygen -lf prints). */
  readonly hostKeys: Readonly<Record<string, readonly string[]>>;
}

export interface HaproxyConfig {
  readonly servicePort: number;
  readonly backend: string;
  /** Name of an instance's server line; `{host}` and `{port}` are replaced. */
  readonly server: string;
  /** The runtime socket, for drain and ready. */
  readonly socket: string;
  readonly statistics: {
    readonly port: number;
    readonly path: string;
    readonly user: string;
    readonly passwordFile: string;
  };
}

export type DnsConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'route53';
      readonly route53: Route53Access;
      readonly type: 'A';
      readonly ttlSeconds: number;
      /** What the name answers while `entry` is that site. */
      readonly addresses: Readonly<Record<Site, string>>;
    };

export type LeaseConfig = LeaseSettings & {
  /** Bound of one request and its answer between any two of agents, guards and an agent witness. */
  readonly roundTripMs: Ms;
  /** A request between them is given up after this. */
  readonly peerDeadlineMs: Ms;
};

export interface ClusterConfig {
  readonly cluster: string;
  readonly sites: Readonly<Record<Site, SiteConfig>>;
  readonly witness: WitnessConfig;
  /** Who votes: both agents, and the witness unless there is none. */
  readonly voters: readonly VoterId[];
  readonly keys: KeysConfig;
  /** Whether commits wait for the standby (V8). */
  readonly replication: Replication;
  readonly database: DatabaseConfig;
  readonly applications: ApplicationsConfig;
  readonly ssh: SshConfig;
  readonly haproxy: HaproxyConfig;
  readonly dns: DnsConfig;
  readonly policy: PolicySettings;
  readonly lease: LeaseConfig;
  readonly probe: ProbeSettings;
  readonly order: { readonly timeoutMs: number; readonly restartBudgetMs: number };
  /** The operator's own fencing of an unreachable database host; `{site}`, `{host}` and `{epoch}` are replaced. */
  readonly fence: { readonly command?: readonly string[]; readonly deadlineMs: number };
  readonly ports: { readonly agent: number; readonly guard: number; readonly metrics: number };
  /** `own`: daemons listen on their host's address only; `any`: on every address. */
  readonly listen: 'own' | 'any';
  readonly paths: { readonly stateDirectory: string; readonly runDirectory: string };
  readonly checks: { readonly schedule: string; readonly diskFreeBytes: number };
  readonly log: { readonly level: 'error' | 'warn' | 'info' | 'debug' | 'trace' };
}

export type HostPart =
  | { readonly part: 'service' | 'application' | 'database'; readonly site: Site; readonly host: HostConfig }
  | { readonly part: 'witness'; readonly host: HostConfig };

/** Every host of the cluster, in a fixed order. */
export function listHosts(config: Pick<ClusterConfig, 'sites' | 'witness'>): readonly HostPart[] {
  const parts: HostPart[] = [];
  for (const site of ['site1', 'site2'] as const) {
    for (const part of ['service', 'application', 'database'] as const) {
      parts.push({ part, site, host: config.sites[site][part] });
    }
  }
  if (config.witness.kind === 'agent') parts.push({ part: 'witness', host: config.witness.agent });
  return parts;
}

/** What the host of this name is, by its full name or by the part before the first dot. */
export function findHost(config: Pick<ClusterConfig, 'sites' | 'witness'>, name: string): HostPart | undefined {
  const hosts = listHosts(config);
  const short = name.split('.')[0];
  return hosts.find((entry) => entry.host.host === name) ?? hosts.find((entry) => entry.host.host === short);
}
