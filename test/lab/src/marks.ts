/** Remembers on disk which processes are the lab's, one file each, so that two commands at once lose nothing. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabPaths } from './paths.ts';
import type { ProcessMark } from './process.ts';
import { isAlive } from './process.ts';

const directory = (paths: LabPaths) => join(paths.base, 'marks');

export function writeMark(paths: LabPaths, name: string, mark: ProcessMark): void {
  mkdirSync(directory(paths), { recursive: true });
  const file = join(directory(paths), name);
  writeFileSync(`${file}.new`, JSON.stringify(mark));
  renameSync(`${file}.new`, file);
}

/** The process, if it is alive: the pid alone would say nothing, it may be somebody else's by now. */
export function liveMark(paths: LabPaths, name: string): ProcessMark | undefined {
  try {
    const mark = JSON.parse(readFileSync(join(directory(paths), name), 'utf8')) as ProcessMark;
    return isAlive(mark) ? mark : undefined;
  } catch {
    return undefined;
  }
}

export function allLiveMarks(paths: LabPaths): readonly ProcessMark[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory(paths));
  } catch {
    return [];
  }
  return names.map((name) => liveMark(paths, name)).filter((mark) => mark !== undefined);
}

export function removeMark(paths: LabPaths, name: string): void {
  rmSync(join(directory(paths), name), { force: true });
}
