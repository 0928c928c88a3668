/**
 * Makes dist/: what a host needs besides a Node binary, and nothing else (hosts never see node_modules).
 *
 *   dist/siteward.js       every role and command; role code sits in chunks that are loaded on demand
 *   dist/siteward-host.js  the forced SSH command of application and database hosts: on its own, so that it starts fast
 *   dist/siteward-fuse     the fuse, as it is
 *   app/dist/main.js       the Birthday application, from its own packages
 *
 * Run by `npm run build`. Parts that are not in the tree are left out and named.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');

/**
 * Packages that others load inside a try block and do without. They must fail here as a missing module would: left to
 * run time they would be looked for beside dist/, where a stray node_modules could answer.
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

/** CommonJS packages expect these three names, which an ES module does not have. */
const COMMONJS_NAMES = [
  `import { createRequire as sitewardCreateRequire } from 'node:module';`,
  `const require = sitewardCreateRequire(import.meta.url);`,
  `const __filename = import.meta.filename;`,
  `const __dirname = import.meta.dirname;`,
].join('\n');

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Names and lines stay as written: a stack trace in a journal must be readable without this tree.
  minify: false,
  legalComments: 'eof',
  charset: 'utf8',
  banner: { js: COMMONJS_NAMES },
  plugins: [withoutOptionalModules],
  logLevel: 'warning',
} satisfies BuildOptions;

/** One program: where it comes from, in which folder it ends, and how it gets into the folder that is being filled. */
interface Part {
  readonly from: string;
  readonly folder: 'dist' | 'app/dist';
  readonly file: string;
  make(folder: string): Promise<void>;
}

const parts: readonly Part[] = [
  {
    from: 'src/main.ts',
    folder: 'dist',
    file: 'siteward.js',
    make: async (outdir) => {
      const entryPoints = { siteward: 'src/main.ts' };
      await build({ ...shared, entryPoints, outdir, splitting: true, chunkNames: 'chunks/[name]-[hash]' });
    },
  },
  {
    from: 'src/cli/host.ts',
    folder: 'dist',
    file: 'siteward-host.js',
    make: async (folder) => {
      await build({ ...shared, entryPoints: ['src/cli/host.ts'], outfile: join(folder, 'siteward-host.js') });
    },
  },
  {
    from: 'systemd/siteward-fuse',
    folder: 'dist',
    file: 'siteward-fuse',
    make: async (folder) => copyFileSync(join(root, 'systemd/siteward-fuse'), join(folder, 'siteward-fuse')),
  },
  {
    // The lab and the container image take app/dist alone, so this bundle too does without node_modules.
    from: 'app/src/main.ts',
    folder: 'app/dist',
    file: 'main.js',
    make: async (folder) => {
      await build({ ...shared, entryPoints: ['app/src/main.ts'], outfile: join(folder, 'main.js') });
    },
  },
];

/**
 * Fills a folder beside the old one and swaps them at the end: a build that fails leaves the old one in place, and who
 * starts a program meanwhile gets all of one build.
 */
async function makeFolder(folder: Part['folder']): Promise<void> {
  const wanted = parts.filter((part) => part.folder === folder);
  const present = wanted.filter((part) => existsSync(join(root, part.from)));
  for (const part of wanted) {
    if (!present.includes(part)) console.log(`build: ${folder}/${part.file} left out, there is no ${part.from}`);
  }
  if (present.length === 0) return;

  const fresh = join(root, `${folder}.new.${process.pid}`);
  const old = join(root, `${folder}.old.${process.pid}`);
  try {
    mkdirSync(fresh, { recursive: true });
    for (const part of present) {
      const path = join(fresh, part.file);
      await part.make(fresh);
      chmodSync(path, 0o755);
      console.log(`build: ${folder}/${part.file} ${Math.ceil(statSync(path).size / 1024)} KiB`);
    }
    writePackageFile(join(root, folder, '..', 'package.json'), join(fresh, 'package.json'));
    if (existsSync(join(root, folder))) renameSync(join(root, folder), old);
    renameSync(fresh, join(root, folder));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** The folder is copied alone; without this file Node would take its modules for CommonJS. */
function writePackageFile(source: string, target: string): void {
  const { name, version } = JSON.parse(readFileSync(source, 'utf8')) as { name: string; version: string };
  writeFileSync(target, `${JSON.stringify({ name, version, type: 'module' })}\n`);
}

await makeFolder('dist');
await makeFolder('app/dist');
