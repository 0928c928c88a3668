/**
 * The staged build: what a package would install, in a place that every account may read (guards run as postgres, and
 * the checkout may lie in a home directory that they cannot enter). A copy, so that building again changes nothing here.
 */
import { chmodSync, copyFileSync, cpSync, existsSync, linkSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabPaths } from './paths.ts';
import { REPOSITORY } from './paths.ts';

const wrapper = (script: string) => `#!/bin/sh\nexec /opt/siteward/bin/node /opt/siteward/dist/${script} "$@"\n`;

/** Names what of the build is missing. */
export function stageBuild(paths: LabPaths): readonly string[] {
  const bin = join(paths.stage, 'bin');
  mkdirSync(bin, { recursive: true });
  stageNode(join(bin, 'node'));
  for (const [name, script] of [
    ['siteward', 'siteward.js'],
    ['siteward-host', 'siteward-host.js'],
  ] as const) {
    writeFileSync(join(bin, name), wrapper(script));
    chmodSync(join(bin, name), 0o755);
  }
  const missing: string[] = [];
  for (const [from, to] of [
    ['dist', 'dist'],
    ['app/dist', 'app/dist'],
    ['app/migrations', 'app/migrations'],
  ] as const) {
    const source = join(REPOSITORY, from);
    if (existsSync(source)) cpSync(source, join(paths.stage, to), { recursive: true });
    else {
      missing.push(from);
      mkdirSync(join(paths.stage, to), { recursive: true });
    }
  }
  return missing;
}

/** 120 MB: a link where both lie on one file system. */
function stageNode(target: string): void {
  const source = realpathSync(process.execPath);
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
