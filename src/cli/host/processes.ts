// The processes of one PostgreSQL data directory. Backends have sessions of their own, so no process group reaches them:
// they are found by working directory and name. State Z counts as dead.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errorCode, Refusal } from './refusal.ts';

export type DatabaseProcess = { readonly pid: number; readonly title: string };

/** `directory` is a real path. Throws where processes named postgres exist that this account may not look at. */
export function databaseProcesses(directory: string): readonly DatabaseProcess[] {
  const found: DatabaseProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const title = titleOf(name);
    if (title === null) continue;
    const cwd = workingDirectory(name);
    if (cwd === directory) found.push({ pid: Number(name), title });
  }
  return found;
}

/** A walwriter exists only in a server that is past recovery; its title stays the same all its life (PostgreSQL 13-18). */
export function hasWalWriter(processes: readonly DatabaseProcess[]): boolean {
  return processes.some((each) => /^postgres: (?:.*: )?walwriter\s*$/.test(each.title));
}

/** The title of a living process of PostgreSQL's program, else null. */
function titleOf(pid: string): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    if ((name !== 'postgres' && name !== 'postmaster') || state === 'Z' || state === 'X') return null;
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0]?.trim() ?? '';
  } catch {
    return null;
  }
}

function workingDirectory(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    const code = errorCode(error);
    // Ended meanwhile; a process that is ending has no working directory any more and cannot write either.
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw new Refusal('not-permitted', `looking at process ${pid} named postgres: ${code}`);
  }
}
