// Bundles the application to dist/main.js: one file, which starts in a fraction of the time that its packages' many files take.
import { build } from 'esbuild';

await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  legalComments: 'none',
  // The optional native driver is not installed; requiring it must fail as it does unbundled.
  external: ['pg-native'],
  // The bundled packages are CommonJS and ask for Node's own modules with require.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
