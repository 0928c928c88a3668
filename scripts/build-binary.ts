/**
 * Makes the single binary: Node, and in it all of siteward as one CommonJS file with its compiled code. A host needs
 * neither Node nor npm for it. The same sources on the same kind of machine give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, root } from './bundle.ts';
import { withBlob } from './elf-note.ts';

export type Binary = {
  /** The npm packages that are in it, as folders of node_modules. */
  readonly packages: readonly string[];
};

/** node-cron reads import.meta.url when it is loaded, which CommonJS does not have. */
const MODULE_URL = "const sitewardUrl = require('node:url').pathToFileURL(__filename).href;";

export async function buildBinary(version: string, target: string): Promise<Binary> {
  // Beside the sources, by relative names: no path of the machine that builds gets into the binary.
  const work = mkdtempSync(join(tmpdir(), 'siteward-binary-'));
  try {
    const { metafile } = await build({
      ...bundleOptions(version),
      entryPoints: [join(root, 'src/cli/binary.ts')],
      outfile: join(work, 'siteward.cjs'),
      format: 'cjs',
      metafile: true,
      define: { ...bundleOptions(version).define, 'import.meta.url': 'sitewardUrl' },
      banner: { js: MODULE_URL },
    });
    const settings = {
      main: 'siteward.cjs',
      output: 'siteward.blob',
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      // NODE_OPTIONS of whoever calls it changes nothing.
      execArgv: [],
      execArgvExtension: 'none',
    };
    writeFileSync(join(work, 'sea.json'), JSON.stringify(settings));
    const node = nodeProgram();
    // Compiled code holds hashes, whose seed Node draws at each start: with a fixed one here the same sources give the
    // same bytes. (--hash-seed would be a flag that the running program has to have, too.)
    execFileSync(node, ['--random-seed=1', '--experimental-sea-config', 'sea.json'], {
      cwd: work,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, withBlob(readFileSync(node), readFileSync(join(work, 'siteward.blob'))));
    chmodSync(target, 0o755);
    return { packages: packagesOf(Object.keys(metafile.inputs)) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function nodeProgram(): string {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin/node');
}

function packagesOf(inputs: readonly string[]): readonly string[] {
  const folders = inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort();
}
