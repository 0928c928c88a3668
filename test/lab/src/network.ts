/**
 * The cables and the router. Each host hangs on the keeper's router by a point-to-point link of its own, so that every
 * packet between two hosts passes one forward chain, where one set of (source, destination) pairs is what is cut.
 */
import { must, run } from './process.ts';
import type { HostName } from './topology.ts';
import { ADDRESSES, HOSTS } from './topology.ts';

const inKeeper = (keeper: number, command: readonly string[]) => ['-t', String(keeper), '-n', '--', ...command];

/** Gives a booting host its cable; the host's side is eth0 in the network namespace of its init. */
export async function plugIn(keeper: number, host: HostName, init: number): Promise<void> {
  const batch = [
    `link add ${host} type veth peer name eth0 netns ${init}`,
    `link set ${host} up`,
    `route replace ${ADDRESSES[host]}/32 dev ${host}`,
  ].join('\n');
  // The kernel takes a dead host's namespace down in its own time; its cable may still hang here.
  const script = 'ip link del "$0" 2>/dev/null; exec ip -batch -';
  await must('nsenter', inKeeper(keeper, ['sh', '-c', script, host]), { input: `${batch}\n`, timeoutMs: 10_000 });
}

/** Nothing comes out of the host any more, not even the kernel's good-bye for its connections. */
export async function unplug(keeper: number, hosts: readonly HostName[]): Promise<void> {
  const batch = hosts.map((host) => `link set ${host} down`).join('\n');
  await run('nsenter', inKeeper(keeper, ['ip', '-force', '-batch', '-']), { input: `${batch}\n`, timeoutMs: 10_000 });
}

const element = (pair: string) => {
  const [from, to] = pair.split('>') as [HostName, HostName];
  return `${ADDRESSES[from]} . ${ADDRESSES[to]}`;
};

async function nft(keeper: number, script: string): Promise<void> {
  await must('nsenter', inKeeper(keeper, ['nft', '-f', '-']), { input: script, timeoutMs: 10_000 });
}

/** All pairs at one instant: an nft script is one transaction. */
export async function addCuts(keeper: number, pairs: readonly string[]): Promise<void> {
  if (pairs.length > 0) await nft(keeper, `add element inet lab cut { ${pairs.map(element).join(', ')} }\n`);
}

export async function removeCuts(keeper: number, pairs: readonly string[]): Promise<void> {
  if (pairs.length > 0) await nft(keeper, `delete element inet lab cut { ${pairs.map(element).join(', ')} }\n`);
}

/** The kernel's own list, as FROM>TO: nobody has to remember what was cut. */
export async function listCuts(keeper: number): Promise<readonly string[]> {
  const text = await must('nsenter', inKeeper(keeper, ['nft', '-j', 'list', 'set', 'inet', 'lab', 'cut']), {
    timeoutMs: 10_000,
  });
  const names = new Map(HOSTS.map((host) => [ADDRESSES[host], host]));
  const parsed = JSON.parse(text) as { nftables: { set?: { elem?: { concat: [string, string] }[] } }[] };
  const elements = parsed.nftables.flatMap((entry) => entry.set?.elem ?? []);
  return elements.map(({ concat: [from, to] }) => `${names.get(from) ?? from}>${names.get(to) ?? to}`).sort();
}
