/** How siteward's sources are bundled, for dist/ (build.ts) and for the single binary (build-binary.ts) alike. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';

export const root = join(import.meta.dirname, '..');

export function packageFile(folder: string): { readonly name: string; readonly version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string };
}

/**
 * Packages that others load inside a try block and do without. They must fail here as a missing module would: left to
 * run time they would be looked for beside the bundle, where a stray node_modules could answer, and the single binary
 * would print a warning at every start.
 */
const OPTIONAL_MODULES = /^(cpu-features|pg-native|@aws-sdk\/signature-v4-crt|supports-color)$|\.node$/;

const withoutOptionalModules: Plugin = {
  name: 'without-optional-modules',
  setup(setup) {
    setup.onResolve({ filter: OPTIONAL_MODULES }, ({ path }) => ({ path, namespace: 'optional' }));
    setup.onLoad({ filter: /./, namespace: 'optional' }, ({ path }) => ({
      contents: `throw Object.assign(new Error('not part of this build: ${path}'), { code: 'MODULE_NOT_FOUND' });`,
    }));
  },
};

export function bundleOptions(version: string) {
  return {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    define: { SITEWARD_VERSION: JSON.stringify(version) },
    // Names and lines stay as written: a stack trace in a journal must be readable without this tree.
    minify: false,
    legalComments: 'eof',
    charset: 'utf8',
    plugins: [withoutOptionalModules],
    logLevel: 'warning',
  } satisfies BuildOptions;
}
