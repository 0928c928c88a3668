/** From nothing to two watched sites: the packages, the image, the hosts, and deploy/deploy, twice. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
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

async function buildPackages(): Promise<Packages> {
  const out = join(REPOSITORY, '.state/rehearsal/packages');
  mkdirSync(out, { recursive: true });
  const make = async (...options: readonly string[]): Promise<string> => {
    const args = [join(REPOSITORY, 'scripts/package-deb.ts'), '--out', out, '--level', '1', ...options];
    const { stdout } = await execute(process.execPath, args, { cwd: REPOSITORY, encoding: 'utf8' });
    return join(REPOSITORY, stdout.trim().split(/\s+/)[1] ?? '');
  };
  return { now: await make(), next: await make('--version', NEXT) };
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
