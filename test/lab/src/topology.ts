/** The lab's hosts: the topology and the addresses of the system this began with, and a third place. */
export const HOSTS = [
  'site1-svc',
  'site1-app',
  'site1-db',
  'site2-svc',
  'site2-app',
  'site2-db',
  'witness',
  'zone',
  'client',
] as const;
export type HostName = (typeof HOSTS)[number];
export type SiteName = 'site1' | 'site2';
export const SITES = ['site1', 'site2'] as const;

export const ADDRESSES: Readonly<Record<HostName, string>> = {
  'site1-svc': '172.20.1.10',
  'site1-app': '172.20.1.20',
  'site1-db': '172.20.1.30',
  'site2-svc': '172.21.1.10',
  'site2-app': '172.21.1.20',
  'site2-db': '172.21.1.30',
  witness: '172.22.1.10',
  zone: '172.22.1.20',
  client: '172.22.1.30',
};

export const INSTANCES = [8001, 8002, 8003] as const;
export const ENTRY_NAME = 'birthday.siteward.test';
export const REGISTER_NAME = 'witness.register.test';
export const ENTRY_ZONE = 'ZLABENTRY';
export const REGISTER_ZONE = 'ZLABREGISTER';
export const ZONE_HTTP = `${ADDRESSES.zone}:8053`;
export const ZONE_DNS = `${ADDRESSES.zone}:53`;
/** Reachable from inside the zone host alone. */
export const ZONE_CONTROL = '127.0.0.1:8054';

export function isHost(name: string): name is HostName {
  return (HOSTS as readonly string[]).includes(name);
}

/** The router's address in the host's network: x.y.1.1. */
export function gatewayOf(host: HostName): string {
  return ADDRESSES[host].replace(/\d+$/, '1');
}

export function siteOf(host: HostName): SiteName | undefined {
  return SITES.find((site) => host.startsWith(`${site}-`));
}

export type HostKind = 'svc' | 'app' | 'db' | 'witness' | 'zone' | 'client';

export function kindOf(host: HostName): HostKind {
  return (siteOf(host) === undefined ? host : host.slice('site1-'.length)) as HostKind;
}

export class LabError extends Error {
  override name = 'LabError';
}

/** A host, a site, or `all`: the hosts meant. */
export function expandPlace(place: string): readonly HostName[] {
  if (isHost(place)) return [place];
  if (place === 'all') return HOSTS;
  const members = HOSTS.filter((host) => siteOf(host) === place);
  if (members.length > 0) return members;
  throw new LabError(`there is no host or site "${place}"; hosts: ${HOSTS.join(' ')}; sites: site1 site2; or all`);
}

export function requireHost(name: string): HostName {
  if (isHost(name)) return name;
  throw new LabError(`there is no host "${name}"; hosts: ${HOSTS.join(' ')}`);
}

/**
 * The directed pairs FROM>TO that a cut between two places stops. `all` on one side means everything but the other
 * side: a site that is cut off from all still talks to itself.
 */
export function pairsBetween(a: string, b: string, oneWay: boolean): readonly string[] {
  const without = (rest: readonly HostName[]) => HOSTS.filter((host) => !rest.includes(host));
  const left = a === 'all' && b !== 'all' ? without(expandPlace(b)) : expandPlace(a);
  const right = b === 'all' && a !== 'all' ? without(left) : expandPlace(b);
  const pairs = new Set<string>();
  for (const from of left) {
    for (const to of right.filter((host) => host !== from)) {
      pairs.add(`${from}>${to}`);
      if (!oneWay) pairs.add(`${to}>${from}`);
    }
  }
  return [...pairs];
}
