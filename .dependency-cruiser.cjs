/**
 * Who may import whom. Everything that is not allowed here is forbidden, and each rule says why it exists: a rule whose
 * reason is gone is to be removed, not worked around. The rooms are described in docs/ARCHITECTURE.md.
 */

/** Only these folders may import the package named: to replace a library is then to rewrite one folder. */
const packageHomes = {
  '@aws-sdk/.*|@smithy/.*': '^src/adapters/route53/',
  axios: '^src/adapters/http/',
  'node-cron': '^src/adapters/cron/',
  pg: '^src/adapters/postgres/',
  pino: '^src/adapters/log/',
  'prom-client': '^src/adapters/metrics/',
  ssh2: '^src/adapters/ssh/',
  yaml: '^src/config/',
  zod: '^src/(catalog|config|wire)/',
};

const npm = '(^|/)node_modules/';

/** `from` may import nothing of this project but itself and `rooms`. */
function room(name, rooms, comment) {
  const allowed = [name, ...rooms].map((each) => `^src/${each}(/|[.]ts$)`);
  return {
    name: `${name}-imports`,
    severity: 'error',
    comment,
    from: { path: `^src/${name}/`, pathNot: '[.]test[.]ts$' },
    to: { path: '^(src|test|scripts|app)/', pathNot: allowed },
  };
}

/** `from` needs no outside module (core and node: modules count as outside). */
function noOutside(name, comment, but = []) {
  return {
    name: `${name}-takes-nothing-from-outside`,
    severity: 'error',
    comment,
    from: { path: `^src/${name}/`, pathNot: '[.]test[.]ts$' },
    to: { dependencyTypesNot: ['local', 'type-only'], pathNot: ['^src/', ...but] },
  };
}

module.exports = {
  forbidden: [
    room('core', [], 'The simulator runs the core as it is; anything else it imported would have to be simulated too.'),
    noOutside('core', 'The core is pure: no file, no network, no clock, no randomness, no library with a mood.'),
    room(
      'ports',
      ['core', 'catalog', 'wire'],
      'A port is a promise between core and world; it knows neither driver nor adapter.',
    ),
    {
      name: 'ports-hold-no-code',
      severity: 'error',
      comment:
        'Ports are interfaces only: code in a port would run in the real world and be left out of the simulated one.',
      from: { path: '^src/ports/' },
      to: { path: '^src/(?!ports/)', dependencyTypesNot: ['type-only'] },
    },
    noOutside('ports', 'An interface that names a library would let it leak through every room.'),
    room('catalog', ['core'], 'The closed lists are read by documents and tests; they must load without the rest.'),
    room(
      'wire',
      ['core'],
      'What goes over the wire is decided by the core alone, so that versions can be compared by reading one room.',
    ),
    room(
      'config',
      ['core', 'catalog'],
      'Configuration is read before anything starts, by tools too; it can start nothing.',
    ),
    room(
      'driver',
      ['core', 'catalog', 'ports', 'wire'],
      'The same driver runs in the simulator: it knows ports, never adapters.',
    ),
    noOutside('driver', 'The same driver runs in the simulator, where neither node: modules nor libraries exist.'),
    {
      name: 'adapters-imports',
      severity: 'error',
      comment:
        'Adapters hold no policy: they see types of the core, ports, the wire codec and the catalogues, never driver, roles or cli.',
      from: { path: '^src/adapters/' },
      to: { path: '^(src/(driver|roles|cli|main[.]ts)|test|scripts|app)' },
    },
    {
      name: 'adapters-keep-apart',
      severity: 'error',
      comment: 'An adapter that needs another one hides a decision: composition is the business of roles.',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/$1/' },
    },
    {
      name: 'nobody-imports-roles-but-cli',
      severity: 'error',
      comment:
        'Roles are composition: the top. Commands load them on demand, so that a process holds only what it needs.',
      from: { path: '^src/', pathNot: '^src/(roles|cli)/' },
      to: { path: '^src/roles/' },
    },
    {
      name: 'nobody-imports-cli-but-main',
      severity: 'error',
      comment: 'A command is for a person; a daemon that calls one has the wrong shape.',
      from: { path: '^src/', pathNot: '^src/(cli/|main[.]ts$)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'host-command-starts-fast',
      severity: 'error',
      comment: 'The forced SSH command starts anew for each order; a library would cost more time than its work.',
      from: { path: '^src/cli/host' },
      to: { path: [npm, '^src/(adapters|config|driver|roles)/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'shipped-code-stands-alone',
      severity: 'error',
      comment: 'dist/ is all that a host gets: what it needs cannot live among tests, scripts or in the application.',
      from: { path: '^src/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(test|scripts|app)/' },
    },
    {
      name: 'application-stands-alone',
      severity: 'error',
      comment: 'The application is an ordinary client of the service: it must not know how it is kept up.',
      from: { path: '^app/' },
      to: { path: '^(src|test|scripts)/' },
    },
    {
      name: 'simulator-has-no-adapters',
      severity: 'error',
      comment: 'Whatever touches the real world makes a simulated run unrepeatable.',
      from: { path: '^test/sim/' },
      to: { path: '^src/adapters/' },
    },
    ...Object.entries(packageHomes).map(([name, home]) => ({
      name: `one-home-for-${name.replaceAll(/[^a-z0-9-]/g, '')}`,
      severity: 'error',
      comment:
        'One folder imports a package, so that replacing it, or its next security advisory, is one folder to read.',
      from: { path: '^src/', pathNot: [home, '[.]test[.]ts$'] },
      to: { path: `node_modules/(${name})/` },
    })),
    {
      name: 'no-unlisted-package',
      severity: 'error',
      comment: 'What ships is what package.json names, with an exact version and a reason.',
      from: { path: '^(src|app/src)/', pathNot: '[.]test[.]ts$' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Two files that need each other are one file, or there is a third one missing.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'A module that nothing needs is read, kept and trusted for nothing.',
      from: { orphan: true, path: '^src/', pathNot: ['[.]d[.]ts$', '^src/main[.]ts$', '^src/cli/host[.]ts$'] },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'An import that does not resolve here does not resolve on a host either.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules'] },
    exclude: { path: ['^dist', '^app/dist', '^[.]state'] },
    // Types count: a type-only import of a driver in the core is still a core that knows its driver.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
