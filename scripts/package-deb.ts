/**
 * Makes the Debian package out of the sources, systemd/ and deploy/debian: deploy/dist/siteward_VERSION_ARCH.deb. The
 * same tree gives the same bytes: every date is that of the newest entry of the changelog, every mode and owner is said
 * here, names are sorted, nothing of the building machine is in it.
 *
 *   node scripts/package-deb.ts [--version VERSION] [--out DIRECTORY] [--level none|0..9]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildBinary } from './build-binary.ts';
import { packageFile, root } from './bundle.ts';
import { licencesOf } from './licences.ts';
import { bashCompletion, hostManualPage, manualPage } from './operator-pages.ts';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

type Entry = { readonly path: string; readonly content: string | Buffer; readonly mode?: number };

const debian = (name: string): string => readFileSync(join(root, 'deploy/debian', name), 'utf8');
const source = (path: string): Buffer => readFileSync(join(root, path));
const packed = (content: string | Buffer): Buffer => gzipSync(content, { level: 9 });

/** Everything but the binary. */
function entries(options: { readonly version: string; readonly epoch: number; readonly packages: readonly string[] }) {
  const date = new Date(options.epoch * 1000).toISOString().slice(0, 10);
  const page = { version: options.version, date };
  const { copyright, texts } = licencesOf(options.packages);
  const units = readdirSync(join(root, 'systemd')).filter((name) => /\.(service|socket)$/.test(name));
  const share = 'usr/share/doc/siteward';
  return [
    { path: 'usr/lib/siteward/siteward-fuse', content: source('systemd/siteward-fuse'), mode: 0o755 },
    { path: 'usr/lib/siteward/siteward-postgresql', content: source('systemd/siteward-postgresql'), mode: 0o755 },
    ...units.map((name) => ({ path: `usr/lib/systemd/system/${name}`, content: source(`systemd/${name}`) })),
    {
      path: 'usr/lib/systemd/system/postgresql@.service.d/siteward.conf',
      content: source('systemd/postgresql-inhibit.conf'),
    },
    { path: 'usr/lib/systemd/system-preset/50-siteward.preset', content: debian('preset') },
    { path: 'usr/lib/sysusers.d/siteward.conf', content: debian('sysusers.conf') },
    { path: 'usr/lib/tmpfiles.d/siteward.conf', content: debian('tmpfiles.conf') },
    { path: 'etc/needrestart/conf.d/siteward.conf', content: debian('needrestart.conf') },
    { path: 'usr/share/bash-completion/completions/siteward', content: bashCompletion() },
    { path: 'usr/share/man/man8/siteward.8.gz', content: packed(manualPage(page)) },
    { path: 'usr/share/man/man8/siteward-host.8.gz', content: packed(hostManualPage(page)) },
    { path: 'usr/share/lintian/overrides/siteward', content: debian('lintian-overrides') },
    { path: `${share}/changelog.gz`, content: packed(debian('changelog')) },
    { path: `${share}/copyright`, content: copyright },
    { path: `${share}/licences.gz`, content: packed(texts) },
    { path: `${share}/examples/cluster.example.yaml`, content: source('docs/cluster.example.yaml') },
    { path: `${share}/examples/siteward.rules.yml`, content: source('deploy/prometheus/siteward.rules.yml') },
    { path: `${share}/README.Debian`, content: source('docs/INSTALL.md') },
    ...['CONFIG', 'ERRORS', 'HOSTS', 'METRICS', 'RUNBOOK'].map((name) => ({
      path: `${share}/${name}.md`,
      content: source(`docs/${name}.md`),
    })),
  ] satisfies Entry[];
}

function write(tree: string, { path, content, mode = 0o644 }: Entry): void {
  const target = join(tree, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  chmodSync(target, mode);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function writeControl(tree: string, version: string, architecture: string): void {
  const paths = filesBelow(tree).filter((path) => statSync(path).isFile());
  const sum = (path: string): string => createHash('md5').update(readFileSync(path)).digest('hex');
  const isLink = (path: string): boolean => path.endsWith('/siteward-host');
  const real = paths.filter((path) => !isLink(path));
  const size = Math.ceil(real.reduce((total, path) => total + statSync(path).size, 0) / 1024);
  const control = debian('control')
    .replace('@VERSION@', version)
    .replace('@ARCHITECTURE@', architecture)
    .replace('@SIZE@', String(size));
  write(tree, { path: 'DEBIAN/control', content: control });
  write(tree, { path: 'DEBIAN/conffiles', content: debian('conffiles') });
  write(tree, {
    path: 'DEBIAN/md5sums',
    content: real.map((path) => `${sum(path)}  ${relative(tree, path)}\n`).join(''),
  });
  for (const name of ['postinst', 'prerm', 'postrm'])
    write(tree, { path: `DEBIAN/${name}`, content: debian(name), mode: 0o755 });
}

/** Folders last: what is written into them changes their date. */
function setDates(tree: string, epoch: number): void {
  for (const path of [...filesBelow(tree).reverse(), tree]) lutimesSync(path, epoch, epoch);
}

function newestEntry(): { readonly version: string; readonly epoch: number } {
  const changelog = debian('changelog');
  const version = /^siteward \(([^)]+)\)/.exec(changelog)?.[1];
  const date = /^ -- .*> {2}(.+)$/m.exec(changelog)?.[1];
  if (version === undefined || date === undefined) throw new Error('deploy/debian/changelog has no entry');
  return { version, epoch: Date.parse(date) / 1000 };
}

async function makePackage(version: string, epoch: number, out: string, level: string): Promise<string> {
  const architecture = architectures[process.arch];
  if (architecture === undefined) throw new Error(`there is no package for ${process.arch}`);
  const tree = mkdtempSync(join(tmpdir(), 'siteward-deb-'));
  try {
    chmodSync(tree, 0o755);
    const { packages } = await buildBinary(version, join(tree, 'usr/bin/siteward'));
    symlinkSync('siteward', join(tree, 'usr/bin/siteward-host'));
    for (const entry of entries({ version, epoch, packages })) write(tree, entry);
    for (const folder of ['etc/siteward/keys', 'etc/siteward/secrets'])
      mkdirSync(join(tree, folder), { recursive: true });
    writeControl(tree, version, architecture);
    for (const path of filesBelow(tree)) if (statSync(path).isDirectory()) chmodSync(path, 0o755);
    setDates(tree, epoch);
    const file = join(out, `siteward_${version}_${architecture}.deb`);
    mkdirSync(out, { recursive: true });
    const compression = level === 'none' ? ['-Znone'] : ['-Zxz', `-z${level}`];
    execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', tree, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch), LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return file;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { version: { type: 'string' }, out: { type: 'string' }, level: { type: 'string', default: '6' } },
});
const newest = newestEntry();
const version = values.version ?? packageFile(root).version;
if (values.version === undefined && newest.version !== version)
  throw new Error(`package.json says ${version}, the newest entry of deploy/debian/changelog ${newest.version}`);
const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? newest.epoch);
const file = await makePackage(version, epoch, values.out ?? join(root, 'deploy/dist'), values.level);
const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
console.log(`${sum}  ${relative(process.cwd(), file)} (${(statSync(file).size / 1e6).toFixed(1)} MB)`);
