/**
 * Only the rules that need types; everything else is Biome's (biome.json), which is a hundred times faster. Rules of
 * taste are left out on purpose: what is listed here has let an outage through somewhere.
 */
import { fileURLToPath } from 'node:url';
import { globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const typed = tseslint.plugin;

export default [
  globalIgnores(['**/dist/', '**/dist.*/', '**/node_modules/', '.state/']),
  {
    // app/ is a package of its own, with its own compiler settings.
    files: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('.', import.meta.url)) },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': typed },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      // A promise that nobody waits for loses its error; `void` says that it is meant.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: nodeTestCalls() }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unsafe-argument': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-unsafe-member-access': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: true }],
      // "[object Object]" in a reason helps nobody at night; numbers and booleans print as they are.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true, allowRegExp: false },
      ],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      // Closed unions stay closed: a new member shows every place that has to know it.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
    },
  },
  {
    // Not at the edge: there a value may change while a callback runs, which the compiler does not see.
    files: ['src/{catalog,config,core,driver,wire}/**/*.ts'],
    rules: {
      // A condition that is always true is a case that somebody believes is handled.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  {
    // Tests read JSON and break things on purpose.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-array-sort-compare': 'off',
    },
  },
];

/** node:test's functions return promises that the runner itself waits for. */
function nodeTestCalls() {
  return [
    {
      from: 'package',
      package: 'node:test',
      name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
    },
  ];
}
