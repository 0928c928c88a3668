/**
 * Makes dist/: what a host needs besides a Node binary, and nothing else (hosts never see node_modules).
 *
 *   dist/siteward.js       every role and command; role code sits in chunks that are loaded on demand
 *   dist/siteward-host.js  the forced SSH command of application and database hosts: on its own, so that it starts fast
 *   dist/siteward-fuse     the fuse, as it is
 *   app/dist/main.js       the Birthday application, by its own build
 *
 * Run by `npm run build` and `make build`. Parts that are not in the tree are left out and named.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { bundleOptions, packageFile, root } from './bundle.ts';

/** CommonJS packages expect these three names, which an ES module does not have. */
const COMMONJS_NAMES = [
  `import { createRequire as sitewardCreateRequire } from 'node:module';`,
  `const require = sitewardCreateRequire(import.meta.url);`,
  `const __filename = import.meta.filename;`,
  `const __dirname = import.meta.dirname;`,
].join('\n');

const shared = {
  ...bundleOptions(packageFile(root).version),
  format: 'esm',
  banner: { js: COMMONJS_NAMES },
} satisfies BuildOptions;

/** One program: where it comes from, and how it gets into the folder that is being filled. */
interface Part {
  readonly from: string;
  readonly file: string;
  make(folder: string): Promise<void>;
}

const parts: readonly Part[] = [
  {
    from: 'src/main.ts',
    file: 'siteward.js',
    make: async (outdir) => {
      const entryPoints = { siteward: 'src/main.ts' };
      await build({ ...shared, entryPoints, outdir, splitting: true, chunkNames: 'chunks/[name]-[hash]' });
    },
  },
  {
    from: 'src/cli/host.ts',
    file: 'siteward-host.js',
    make: async (folder) => {
      await build({ ...shared, entryPoints: ['src/cli/host.ts'], outfile: join(folder, 'siteward-host.js') });
    },
  },
  {
    from: 'systemd/siteward-fuse',
    file: 'siteward-fuse',
    make: async (folder) => copyFileSync(join(root, 'systemd/siteward-fuse'), join(folder, 'siteward-fuse')),
  },
];

/**
 * Fills a folder beside the old one and swaps them at the end: a build that fails leaves the old one in place, and who
 * starts a program meanwhile gets all of one build.
 */
async function makeDist(): Promise<void> {
  const fresh = join(root, `dist.new.${process.pid}`);
  const old = join(root, `dist.old.${process.pid}`);
  try {
    mkdirSync(fresh, { recursive: true });
    for (const part of parts) {
      if (!existsSync(join(root, part.from))) {
        console.log(`build: dist/${part.file} left out, there is no ${part.from}`);
        continue;
      }
      await part.make(fresh);
      chmodSync(join(fresh, part.file), 0o755);
      report('dist', fresh, part.file);
    }
    writePackageFile(root, fresh);
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(fresh, join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** The application builds itself, here as in its Dockerfile, where nothing of siteward is at hand. */
function makeApplication(): void {
  const app = join(root, 'app');
  if (!existsSync(join(app, 'build.ts'))) {
    console.log('build: app/dist/main.js left out, there is no app/build.ts');
    return;
  }
  execFileSync(process.execPath, ['build.ts'], { cwd: app, stdio: 'inherit' });
  writePackageFile(app, join(app, 'dist'));
  report('app/dist', join(app, 'dist'), 'main.js');
}

/** The folder is copied alone; without this file Node would take its modules for CommonJS. */
function writePackageFile(source: string, folder: string): void {
  const { name, version } = packageFile(source);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`);
}

function report(shownFolder: string, folder: string, file: string): void {
  console.log(`build: ${shownFolder}/${file} ${Math.ceil(statSync(join(folder, file)).size / 1024)} KiB`);
}

try {
  await makeDist();
  makeApplication();
} catch {
  // What is wrong was said by esbuild, with file and line; a stack of this script would only hide it.
  console.error('build: failed, what was built before is still there');
  process.exitCode = 1;
}
