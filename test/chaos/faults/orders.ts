/** Orders of a person at whatever moment it happens to be: refused, undone or carried out, never unsafe. */
import type { Lab } from '../../lab/src/lab.ts';
import type { HostName } from '../../lab/src/topology.ts';
import { SITES } from '../../lab/src/topology.ts';
import type { Strike } from './struck.ts';
import { nothingToHeal } from './struck.ts';

const ORDER = { timeoutMs: 40_000 } as const;

/** Given and not waited for: what comes of it is a line of its own. */
const switchover: Strike = async ({ lab, say }, { id, variant }) => {
  const host = (variant ?? 'site1-svc') as HostName;
  if (!lab.isOn(host)) throw new Error(`${host} is off: nobody there to give an order`);
  void lab
    .exec(host, ['siteward', 'failover', '--json'], ORDER)
    .then(({ code, stdout, stderr }) => say(`#${id} switchover ended with ${code}: ${outcomeOf(stdout, stderr)}`))
    .catch((error: unknown) => say(`#${id} switchover: ${String(error)}`));
  return { impairs: [], heal: nothingToHeal };
};

const pause: Strike = async ({ lab }) => {
  const why = await mode(lab, ['pause', '--reason', 'chaos']);
  if (why !== undefined) throw new Error(`the pause was not taken: ${why}`);
  return { impairs: [], heal: () => resume(lab) };
};

/** Undefined when it was taken. */
async function mode(lab: Lab, command: readonly string[]): Promise<string | undefined> {
  let why = 'no service host is on';
  for (const site of SITES) {
    if (!lab.isOn(`${site}-svc`)) continue;
    const { code, stdout, stderr } = await lab.exec(`${site}-svc`, ['siteward', ...command], { timeoutMs: 15_000 });
    if (code === 0) return undefined;
    why = outcomeOf(stdout, stderr);
  }
  return why;
}

/** May be refused now; the heal of everything asks again. */
export async function resume(lab: Lab): Promise<void> {
  await mode(lab, ['resume']);
}

function outcomeOf(stdout: string, stderr: string): string {
  try {
    const { outcome, why } = JSON.parse(stdout) as { readonly outcome?: string; readonly why?: string };
    return [outcome, why].filter(Boolean).join(', ');
  } catch {
    return (stderr || stdout).trim().split('\n')[0] ?? '';
  }
}

export const orderFaults = { switchover, pause } as const satisfies Readonly<Record<string, Strike>>;
