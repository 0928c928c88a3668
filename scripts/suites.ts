/**
 * What `make check`, `make test` and `make test-slow` consist of: each suite is one command with a time limit. How they
 * are run and reported is the business of run-suites.ts.
 */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

export interface Suite {
  readonly name: string;
  readonly command: readonly string[];
  readonly limitSeconds: number;
  /** Namespaces, mounts and firewall rules of the lab need it. */
  readonly asRoot?: boolean;
  /** Its lines are shown as they come, because they take long and somebody may be waiting for them. */
  readonly shown?: boolean;
  /** It takes `--minutes`: after so long it begins no further part of its work, and says what it left out. */
  readonly inParts?: boolean;
  /** Is left out where the minutes of the plan are over. */
  readonly mayBeLeftOut?: boolean;
}

/** Suites of one stage run side by side; a stage that measures times has one suite. */
type Stage = readonly Suite[];

const root = join(import.meta.dirname, '..');
const has = (path: string): boolean => existsSync(join(root, path));

const checks: Stage = [
  { name: 'types', command: ['sh', '-c', typesCommand()], limitSeconds: 300 },
  { name: 'typed-lint', command: ['eslint', '--max-warnings=0', '.'], limitSeconds: 300 },
  { name: 'format-and-lint', command: ['biome', 'ci', '--error-on-warnings', '--colors=off'], limitSeconds: 180 },
  {
    name: 'imports',
    command: ['depcruise', '--output-type', 'err-long', ...['src', 'test', 'scripts', 'app/src'].filter(has)],
    limitSeconds: 180,
  },
  { name: 'dead-code', command: ['knip', '--no-progress', '--no-config-hints'], limitSeconds: 180 },
  { name: 'house-rules', command: ['node', 'scripts/tidy.ts'], limitSeconds: 180 },
  ...(has('scripts/gen-docs.ts')
    ? [{ name: 'docs-in-step', command: ['node', 'scripts/gen-docs.ts', '--check'], limitSeconds: 60 }]
    : []),
];

/** `tsc` alone would check src/core with Node's types in sight; app/ is a package of its own. */
function typesCommand(): string {
  const projects = ['tsconfig.json', 'src/core/tsconfig.json', 'app/tsconfig.json'].filter(has);
  return projects
    .map(
      (project) =>
        `tsc --noEmit --incremental --tsBuildInfoFile .state/${project.replaceAll('/', '-')}buildinfo -p ${project}`,
    )
    .join(' && ');
}

/** Test files of a folder, run by node:test. A folder without any is no suite. */
function nodeTests(name: string, folder: string, limitSeconds: number): Stage {
  const files = globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort();
  if (files.length === 0) return [];
  const perTestMs = (limitSeconds * 1000) / 2;
  const options = ['--test-reporter=spec', '--test-concurrency=2', `--test-timeout=${perTestMs}`];
  return [{ name, command: ['node', '--test', ...options, ...files], limitSeconds }];
}

/** The same suites again and again: properties begin with another seed each time, which fast-check prints if it finds something. */
function repeated(suites: Stage, rounds: number): Stage {
  const script = `for round in $(seq ${rounds}); do echo "round $round"; "$@" || exit 1; done`;
  return suites.map(({ name, command, limitSeconds }) => ({
    name: `${name}-repeated`,
    command: ['sh', '-c', script, 'sh', ...command],
    limitSeconds: limitSeconds * rounds,
  }));
}

const unit = nodeTests('unit', 'test/unit', 120);
const property = nodeTests('property', 'test/property', 180);
const contract = nodeTests('contract', 'test/contract', 300);
const application = nodeTests('application', 'app/test', 180);
const labUnit = nodeTests('lab-parts', 'test/lab', 180);

function lab(...args: string[]): Stage {
  if (!has('test/lab/suite')) {
    console.log('there is no test/lab/suite: the scenarios are left out');
    return [];
  }
  const slow = args.includes('--slow');
  const name = slow ? 'lab-slow' : 'lab';
  return [
    {
      name,
      command: ['test/lab/suite', ...args],
      limitSeconds: slow ? 2700 : 2100,
      asRoot: true,
      shown: true,
      inParts: true,
    },
  ];
}

/** As in the Makefile: a run is mostly garbage, and a worker each core. */
const SIM_NODE = ['--single-threaded-gc', '--max-semi-space-size=64'];

/** The simulator: seeds of its own each, so a seed that fails in one plan is not hidden by another. */
function simulator(name: string, limitSeconds: number, ...args: string[]): Stage {
  return [{ name, command: ['node', ...SIM_NODE, 'test/sim/main.ts', ...args], limitSeconds, shown: true }];
}

const fuzz = nodeTests('fuzz', 'test/fuzz', 180);
const simUnit = nodeTests('sim-parts', 'test/sim', 180);
const simSmoke = [
  ...simulator('sim', 900, '--seeds', '500', '--from', '1', '--minutes', '2', '--twice'),
  ...simulator('sim-pinned', 300, '--pinned', '--twice'),
];
const simMutants: Stage = [
  { name: 'sim-mutants', command: ['node', ...SIM_NODE, 'test/sim/mutants/main.ts'], limitSeconds: 900, shown: true },
];
const spec: Stage = [{ name: 'spec', command: ['node', 'test/spec/run.ts'], limitSeconds: 900, shown: true }];

/** Real software, random faults, a checked history: alone, because it measures times. These ten strike every kind of fault. */
const chaos: Stage = [
  {
    name: 'chaos',
    command: ['test/chaos/run', '--seeds', '10', '--from', '41'],
    limitSeconds: 2400,
    asRoot: true,
    shown: true,
    inParts: true,
  },
];

/** Whether the checker of chaos can fail at all: a fence broken on purpose, rows deleted and put back. */
const chaosControl: Stage = [
  {
    name: 'chaos-control',
    command: ['test/chaos/run-control'],
    limitSeconds: 600,
    asRoot: true,
    shown: true,
    mayBeLeftOut: true,
  },
];

const simBench: Stage = [
  {
    name: 'sim-bench',
    command: ['node', ...SIM_NODE, '--expose-gc', 'test/sim/bench.ts'],
    limitSeconds: 900,
    shown: true,
  },
];

/** The package on a booted machine: it measures times. It skips, and says so, what it lacks the means for. */
const packaging: Stage = nodeTests('package', 'test/package', 900).map((suite) => ({ ...suite, asRoot: true }));

/** What Terraform, as far as it is at hand, and ansible-lint say of deploy/. */
const deploying: Stage = [
  ...nodeTests('terraform', 'test/terraform', 600),
  { name: 'lint-deploy', command: ['deploy/ci/lint'], limitSeconds: 300 },
];

/** Six booted hosts, deployed as an operator does it: alone, because it measures times. */
const rehearsal: Stage = [
  {
    name: 'rehearsal',
    command: ['test/rehearsal/run'],
    limitSeconds: 3000,
    asRoot: true,
    shown: true,
    inParts: true,
  },
];

const PLANS: Readonly<Record<string, () => readonly Stage[]>> = {
  check: () => [checks],
  unit: () => [[...unit, ...property, ...application]],
  contract: () => [[...contract, ...labUnit]],
  lab: () => [lab()],
  // The lab measures times and so runs alone; of the rest, what is short goes first, so that a slip shows at once.
  sim: () => [simSmoke, simMutants],
  test: () => [
    [...checks, ...unit, ...property, ...application, ...simUnit, ...fuzz],
    [...contract, ...labUnit],
    [...simSmoke, ...spec],
    simMutants,
    lab(),
  ],
  // What comes last is left out first where the time is too short for all of it: a round with another witness, a later upgrade.
  slow: () => [
    [
      ...simulator('sim-3000', 1800, '--seeds', '3000', '--from', '10001', '--minutes', '2'),
      ...repeated(nodeTests('property', 'test/property', 120), 5),
      ...deploying,
      ...simBench,
    ],
    packaging,
    chaos,
    rehearsal,
    lab('--slow'),
    chaosControl,
  ],
};

/** The stages of a plan, or undefined when there is no plan of that name. */
export function stagesOf(plan: string): readonly Stage[] | undefined {
  return PLANS[plan]?.().filter((stage) => stage.length > 0);
}

export function planNames(): string[] {
  return Object.keys(PLANS);
}
