/** Faults of service and application hosts, of whole sites and of the witness. */
import { httpSend } from '../../lab/src/http.ts';
import type { Lab } from '../../lab/src/lab.ts';
import { LabError, ZONE_CONTROL } from '../../lab/src/topology.ts';
import type { Strike } from './struck.ts';
import { nothingToHeal } from './struck.ts';

/** An agent's restart and what it has to hear anew. */
const RESTART_MS = 3_000;

const agentKilled: Strike = async ({ lab }, _fault, site) => {
  lab.signal(`${site}-svc`, 'agent', 'SIGKILL');
  return { impairs: [`${site}-svc`], feltMs: RESTART_MS, heal: nothingToHeal };
};

/** As an upgrade does it: told to end, started anew. */
const agentUpgraded: Strike = async ({ lab }, _fault, site) => {
  await lab.restartService(`${site}-svc`, 'agent');
  return { impairs: [`${site}-svc`], feltMs: RESTART_MS, heal: nothingToHeal };
};

const agentFrozen: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-svc`;
  await lab.freeze(host, 'agent', { holdWatchdog: true });
  return { impairs: [host], heal: async () => lab.thaw(host, 'agent') };
};

const balancerStopped: Strike = async ({ lab }, _fault, site) => {
  const host = `${site}-svc`;
  await lab.stopService(host, 'haproxy');
  return { impairs: [`${site}-haproxy`], heal: () => lab.startService(host, 'haproxy') };
};

const power =
  (kind: 'svc' | 'app'): Strike =>
  async ({ lab }, _fault, site) => {
    const host = `${site}-${kind}` as const;
    await lab.kill(host);
    return { impairs: [host], heal: () => lab.start(host) };
  };

const instanceKilled: Strike = async ({ lab }, { id }, site) => {
  lab.signal(`${site}-app`, `app${1 + (id % 3)}`, 'SIGKILL');
  return { impairs: [], heal: nothingToHeal };
};

const sitePower: Strike = async ({ lab }, _fault, site) => {
  await lab.kill(site);
  return {
    impairs: [`${site}-db`, `${site}-svc`, `${site}-app`],
    heal: () => lab.start(site, { bootPostgres: false }),
  };
};

export async function setZoneMode(lab: Lab, mode: object): Promise<void> {
  const url = `http://${ZONE_CONTROL}/zones/all/mode`;
  const answer = await httpSend(lab.paths, 'zone', { method: 'PUT', url, json: mode });
  if (answer === undefined || answer.status >= 300)
    throw new LabError(`the zone's double does not take a mode: ${answer?.body ?? 'no answer'}`);
}

export async function endZoneMode(lab: Lab): Promise<void> {
  await httpSend(lab.paths, 'zone', { method: 'DELETE', url: `http://${ZONE_CONTROL}/zones/all/mode` });
}

const zone =
  (modeOf: (variant: string | null) => object): Strike =>
  async ({ lab }, { variant }) => {
    await setZoneMode(lab, modeOf(variant));
    return { impairs: ['witness'], heal: () => endZoneMode(lab) };
  };

const witnessPower: Strike = async ({ lab }) => {
  await lab.kill('witness');
  return { impairs: ['witness'], heal: () => lab.start('witness') };
};

const witnessFrozen: Strike = async ({ lab }) => {
  await lab.freeze('witness', 'witness', { holdWatchdog: true });
  return { impairs: ['witness'], heal: async () => lab.thaw('witness', 'witness') };
};

export const hostFaults = {
  'agent-killed': agentKilled,
  'agent-upgraded': agentUpgraded,
  'agent-frozen': agentFrozen,
  'balancer-stopped': balancerStopped,
  'service-power': power('svc'),
  'application-power': power('app'),
  'instance-killed': instanceKilled,
  'site-power': sitePower,
  'zone-throttled': zone(() => ({ throttle: 'all' })),
  'zone-failing': zone(() => ({ fail: 503 })),
  'zone-slow': zone((ms) => ({ delayBeforeMs: Number(ms) / 2, delayAfterMs: Number(ms) / 2 })),
  // The write has happened, and nobody is told.
  'zone-answers-lost': zone(() => ({ drop: 'after' })),
  'witness-power': witnessPower,
  'witness-frozen': witnessFrozen,
} as const satisfies Readonly<Record<string, Strike>>;
