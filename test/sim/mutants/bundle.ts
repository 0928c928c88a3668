// The simulator's worker, or a story, as one file, with edits applied to the sources on the way. A text that is not found
// exactly once is an error: a mutant must not outlive the code that it mutates.

import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Edit } from './mutant.ts';

const root = join(import.meta.dirname, '../../..');

/** `entry` is a file below test/sim. */
export async function bundle(entry: string, edits: readonly Edit[], outfile: string): Promise<void> {
  const edited = new Set<string>();
  await build({
    entryPoints: [join(root, 'test/sim', entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'error',
    plugins: [editing(edits, edited)],
  });
  const missed = edits.find(({ file }) => !edited.has(file));
  if (missed !== undefined) throw new Error(`${missed.file} is no part of ${entry}`);
}

function editing(edits: readonly Edit[], edited: Set<string>): Plugin {
  return {
    name: 'mutant',
    setup(building) {
      building.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const file = relative(root, path);
        const mine = edits.filter((edit) => edit.file === file);
        if (mine.length === 0) return null;
        edited.add(file);
        return { contents: mine.reduce(apply, readFileSync(path, 'utf8')), loader: 'ts' };
      });
    },
  };
}

function apply(text: string, { file, find, put }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file}: found ${parts.length - 1} times, not once: ${find}`);
  return parts.join(put);
}
