/**
 * The application's images, made where no registry is reached: a base out of the cached system's own files and the pinned
 * Node, and app/Dockerfile over it, by the script that a CI server runs, in a machine of its own that has a Docker engine.
 * Kept under .state/rehearsal by what goes into them.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../lab/src/paths.ts';
import { bootMachine, imageDirectory, type Machine } from '../machines/machine.ts';

const folder = join(REPOSITORY, '.state/rehearsal');

/** Two versions that differ in their name only, and one that does not start. */
export const TAGS = ['birthday:1', 'birthday:2', 'birthday:broken'] as const;
export type Tag = (typeof TAGS)[number];
export type Archives = Readonly<Record<Tag, string>>;

const SELF = 'test/rehearsal/application-image.ts';
const inputs = ['app/Dockerfile', 'app/dist/main.js', 'app/package.json', 'deploy/ci/build-image', SELF];

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const path of inputs) hash.update(readFileSync(join(REPOSITORY, path)));
  for (const name of readdirSync(join(REPOSITORY, 'app/migrations')).sort())
    hash.update(readFileSync(join(REPOSITORY, 'app/migrations', name)));
  return hash.update(process.version).digest('hex').slice(0, 12);
}

/** What Node and the Dockerfile's commands need, of the system that the hosts run too. */
function baseTar(image: string): string {
  const file = join(folder, 'base.tar');
  const without = ['python3*', 'perl*', 'systemd', 'locale', 'gconv'].map((each) => `--exclude=${each}`);
  const parts = [
    'bin',
    'sbin',
    'lib',
    'lib64',
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'usr/lib64',
    'etc/passwd',
    'etc/group',
    'tmp',
  ];
  const present = parts.filter((part) => existsSync(join(image, part)));
  execFileSync('tar', ['-C', image, ...without, '-cf', file, ...present]);
  const node = realpathSync(process.execPath);
  execFileSync('tar', ['-rf', file, '--transform', `s,^.*$,usr/bin/node,`, '-P', node]);
  return file;
}

export async function applicationArchives(say: (text: string) => void): Promise<Archives> {
  const key = fingerprint();
  const archives = Object.fromEntries(
    TAGS.map((tag) => [tag, join(folder, `${tag.replace(':', '-')}-${key}.tar`)]),
  ) as Archives;
  if (Object.values(archives).every((path) => existsSync(path))) return archives;
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.startsWith('birthday-')) rmSync(join(folder, name));
  const machine = await bootMachine('siteward-build', [], { image: 'rehearsal', plain: '/var/lib/docker' });
  try {
    build(machine);
    for (const [tag, path] of Object.entries(archives)) {
      machine.take(`/srv/${tag.replace(':', '-')}.tar`, `${path}.new`);
      renameSync(`${path}.new`, path);
    }
  } finally {
    await machine.off();
    rmSync(join(folder, 'base.tar'), { force: true });
  }
  say(`built ${TAGS.join(', ')}`);
  return archives;
}

/** It brings the schema up to date, as any other, and then does not serve. */
const BROKEN = `FROM birthday:1
ENTRYPOINT ["sh", "-c", "[ $0 = serve ] || exec node main.js $0; echo this image is broken; exit 1"]
CMD ["serve"]
`;

function build(machine: Machine): void {
  const groups = 'awk \'$3 == "cgroup" { print $2 }\' /proc/mounts | xargs -r -n 1 mount -o remount,rw,bind';
  machine.sh(groups);
  machine.sh('DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables 2>&1');
  const base = machine.bring(baseTar(imageDirectory('rehearsal')));
  machine.sh(`docker import ${base} base:24; rm ${base}`);
  const tree = join(folder, 'app.tar');
  execFileSync('tar', ['-C', REPOSITORY, '--exclude=node_modules', '-cf', tree, 'app', 'deploy/ci']);
  machine.sh(`mkdir /srv/tree; tar -C /srv/tree -xf ${machine.bring(tree)}`);
  rmSync(tree);
  const settings = 'BASE_IMAGE=base:24 BUILD_NETWORK=none';
  for (const tag of TAGS.slice(0, 2))
    machine.sh(`${settings} /srv/tree/deploy/ci/build-image ${tag} /srv/${tag.replace(':', '-')}.tar`);
  machine.put('/srv/Dockerfile', BROKEN);
  machine.sh('docker build --quiet --network none --tag birthday:broken - </srv/Dockerfile');
  machine.sh('docker save --output /srv/birthday-broken.tar birthday:broken');
}
