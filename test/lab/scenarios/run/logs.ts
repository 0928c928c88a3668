/** What is kept of a failed round: the logs of all hosts, and the lines a reader wants first. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { LabEvent } from '../../src/events.ts';
import { readEvents } from '../../src/events.ts';
import { initOf, insideHost } from '../../src/hosts.ts';
import type { Lab } from '../../src/lab.ts';
import { REPOSITORY } from '../../src/paths.ts';
import { findPostgres } from '../../src/postgres.ts';
import { labStatus, renderStatus } from '../../src/status.ts';
import { hasVolume } from '../../src/volumes.ts';

const LAST_LINES = 40;

/** Returns the directory, as a reader in the checkout would type it. */
export async function keepLogs(lab: Lab, name: string): Promise<string> {
  const directory = join(REPOSITORY, '.state/lab-logs', name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const host of lab.hosts()) {
    const disk = lab.paths.disk(host);
    const logs = join(disk, 'var/log/lab');
    if (existsSync(logs))
      for (const file of readdirSync(logs)) copyFileSync(join(logs, file), join(directory, `${host}-${file}`));
    const init = initOf(lab.paths, host);
    // On a volume it is seen from inside alone.
    const onVolume = init !== undefined && hasVolume(lab.paths, host);
    const postgres = onVolume ? insideHost(init, findPostgres().logFile) : join(disk, findPostgres().logFile);
    if (existsSync(postgres)) copyFileSync(postgres, join(directory, `${host}-postgres.log`));
  }
  writeFileSync(join(directory, 'events.log'), `${readEvents(lab.paths).map(showEvent).join('\n')}\n`);
  try {
    const status = await labStatus(lab);
    writeFileSync(join(directory, 'status.txt'), `${renderStatus(status)}\n`);
    writeFileSync(join(directory, 'status.json'), JSON.stringify(status, null, 2));
  } catch (error) {
    writeFileSync(join(directory, 'status.txt'), `${String(error)}\n`);
  }
  return relative(REPOSITORY, directory);
}

/** The last lines of all daemons in one order, without those that only say that all goes on. */
export function lastLines(lab: Lab, fromWallMs: number): readonly string[] {
  const events = readEvents(lab.paths, fromWallMs).filter(({ level }) => level !== 'debug');
  return events.slice(-LAST_LINES).map(showEvent);
}

const UNSAID = new Set(['role', 'host', 'site', 'cluster']);

function showEvent({ at, host, role, level, event, fields }: LabEvent): string {
  const said = Object.entries(fields)
    .filter(([name]) => !UNSAID.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const time = new Date(at).toISOString().slice(11, 23);
  return `${time} ${host.padEnd(9)} ${role.padEnd(7)} ${level.padEnd(5)} ${event} ${said.join(' ')}`.slice(0, 260);
}
