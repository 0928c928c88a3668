/** From nothing to two watched sites: the packages, the image, the hosts, and deploy/deploy, twice. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { insist } from '../../lab/scenarios/kit/scenario.ts';
import { agreement } from '../../lab/scenarios/kit/world.ts';
import { REPOSITORY } from '../../lab/src/paths.ts';
import { type Archives, applicationArchives } from '../application-image.ts';
import { writeInventory } from '../inventory.ts';
import type { Step } from '../plan.ts';
import type { Packages, Rehearsal } from '../rehearsal.ts';

const execute = promisify(execFile);

/** The version after the present one, as far as the rehearsal is concerned. */
const NEXT = '99.0.1';

/** Both packages; they are built beside whatever else is going on. */
export function packagesOf(rehearsal: Rehearsal): Promise<Packages> {
  rehearsal.packages ??= buildPackages();
  return rehearsal.packages;
}

const INPUTS = ['src', 'scripts', 'systemd', 'deploy/debian', 'docs', 'package.json', 'package-lock.json'];

/** Kept as long as nothing of what goes into them has changed. */
async function buildPackages(): Promise<Packages> {
  const out = join(REPOSITORY, '.state/rehearsal/packages', fingerprint());
  if (!existsSync(join(out, 'complete'))) {
    rmSync(join(out, '..'), { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const script = join(REPOSITORY, 'scripts/package-deb.ts');
    const make = (...options: readonly string[]) =>
      execute(process.execPath, [script, '--out', out, '--level', 'none', ...options], { cwd: REPOSITORY });
    await make();
    await make('--version', NEXT);
    writeFileSync(join(out, 'complete'), '');
  }
  const names = readdirSync(out).filter((name) => name.endsWith('.deb'));
  const [next = '', now = ''] = [true, false].map((isNext) => names.find((name) => name.includes(NEXT) === isNext));
  return { now: join(out, now), next: join(out, next) };
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    const path = join(REPOSITORY, input);
    const files = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort() : [''];
    for (const file of files.map((name) => join(path, name)).filter((each) => statSync(each).isFile()))
      hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 12);
}

export async function archivesOf(rehearsal: Rehearsal): Promise<Archives> {
  rehearsal.archives ??= await applicationArchives(rehearsal.say);
  return rehearsal.archives;
}

export async function deployOnce(rehearsal: Rehearsal): Promise<number> {
  const { stdout } = await rehearsal.deploy(await deployWords(rehearsal), 1_800_000);
  return (JSON.parse(stdout) as { readonly changed: number }).changed;
}

/** Deploys again and insists that nothing was to be done. */
export async function deployAgain(rehearsal: Rehearsal): Promise<void> {
  const changed = await deployOnce(rehearsal);
  insist(changed === 0, `a second run changed ${changed} things; its log lies in .state/deploy`);
  rehearsal.note('0 changed');
}

async function deployWords(rehearsal: Rehearsal): Promise<readonly string[]> {
  const archives = await archivesOf(rehearsal);
  const image = ['--image', 'birthday:1', '--archive', archives['birthday:1']];
  return ['deploy', '--yes', '--json', '--package', (await packagesOf(rehearsal)).now, ...image];
}

export const deployingSteps: readonly Step[] = [
  {
    name: 'build',
    title: "side by side: this version and a next one as packages; the hosts' system; the application's images",
    run: async (rehearsal) => {
      await Promise.all([packagesOf(rehearsal), archivesOf(rehearsal)]);
    },
  },
  {
    name: 'boot',
    title: 'six hosts boot, each with a systemd of its own',
    run: async (rehearsal) => {
      await rehearsal.fleet.boot(rehearsal.say, rehearsal.tied);
      writeInventory(rehearsal.fleet, {});
    },
  },
  {
    name: 'deploy',
    title: 'deploy/deploy --hosts, then resume',
    run: async (rehearsal) => {
      await deployOnce(rehearsal);
      rehearsal.fleet.adoptDatabaseAccount();
      await rehearsal.fleet.mustExec('site1-svc', ['siteward', 'resume'], { timeoutMs: 30_000 });
      await agreement(rehearsal.fleet, { primary: 'site1', entry: 'site1', epoch: 1 }, 120_000);
    },
  },
  { name: 'again', title: 'deploy/deploy again: nothing to do', run: deployAgain },
];
