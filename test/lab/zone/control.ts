// What tests and the lab say to a zone; see README.md for the meaning of each.

import type { LogEntry, Mode } from './modes.ts';
import type { RecordSet } from './records.ts';

export type ZoneControl = {
  setMode(zone: string, mode: Partial<Mode>): Promise<void>;
  clearMode(zone: string): Promise<void>;
  records(zone: string): Promise<readonly RecordSet[]>;
  putRecord(zone: string, set: RecordSet): Promise<void>;
  deleteRecord(zone: string, name: string, type: string): Promise<boolean>;
  log(since?: number): Promise<readonly LogEntry[]>;
  counters(): Promise<Readonly<Record<string, number>>>;
};

/** `address` is IP:PORT of `--control`. */
export function zoneControl(address: string): ZoneControl {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`http://${address}${path}`, {
      method,
      signal: AbortSignal.timeout(5000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error((answer as { error: string }).error);
    return answer;
  };
  return {
    setMode: async (zone, mode) => void (await ask('PUT', `/zones/${zone}/mode`, mode)),
    clearMode: async (zone) => void (await ask('DELETE', `/zones/${zone}/mode`)),
    records: async (zone) => (await ask('GET', `/zones/${zone}/records`)) as readonly RecordSet[],
    putRecord: async (zone, set) => void (await ask('PUT', `/zones/${zone}/records`, set)),
    deleteRecord: async (zone, name, type) => {
      const answer = await ask('DELETE', `/zones/${zone}/records?${new URLSearchParams({ name, type }).toString()}`);
      return (answer as { deleted: boolean }).deleted;
    },
    log: async (since = 0) => (await ask('GET', `/log?since=${since}`)) as readonly LogEntry[],
    counters: async () => (await ask('GET', '/counters')) as Record<string, number>,
  };
}
