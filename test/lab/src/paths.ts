/** Where a lab's files lie: one directory a lab, under /var/lib so that the databases' disks are real disks. */
import { join } from 'node:path';
import type { HostName } from './topology.ts';
import { LabError } from './topology.ts';

export const REPOSITORY = join(import.meta.dirname, '../../..');
export const SHELL = join(import.meta.dirname, '../sh');

export interface LabPaths {
  readonly name: string;
  readonly base: string;
  /** Process ids, options, cuts: what a later command needs to know. */
  readonly state: string;
  /** The staged build; /opt/siteward on every host. */
  readonly stage: string;
  /** Keys and passwords, mode 0700. */
  readonly secrets: string;
  /** Outputs of the load, shared by all hosts (/opt/load inside). */
  readonly load: string;
  disk(host: HostName): string;
}

export function labPaths(name: string): LabPaths {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) throw new LabError(`"${name}" is no name for a lab: a-z, 0-9 and -`);
  const base = join(process.env['LAB_STATE'] ?? '/var/lib/siteward-lab', name);
  return {
    name,
    base,
    state: join(base, 'lab.json'),
    stage: join(base, 'stage'),
    secrets: join(base, 'secrets'),
    load: join(base, 'load'),
    disk: (host) => join(base, 'hosts', host),
  };
}
