/**
 * Writes what the sources know better than anybody: the configuration reference, its schema and example, and the
 * catalogues into docs/, the alerts into deploy/prometheus/ as well. With --check nothing is written, and a document that is out of step fails.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exampleFile, jsonSchema, referencePage } from '../src/config/pages.ts';
import { commandsPage, errorsPage, eventsPage, metricsPage } from './catalog-pages.ts';
import { rulesFile, rulesPage } from './prometheus-pages.ts';

type Page = () => string | undefined;

const pages: Readonly<Record<string, Page>> = {
  'docs/CONFIG.md': referencePage,
  'docs/cluster.schema.json': jsonSchema,
  'docs/cluster.example.yaml': exampleFile,
  'docs/ERRORS.md': errorsPage,
  'docs/EVENTS.md': await eventsPage(),
  'docs/METRICS.md': await metricsPage(),
  'docs/CLI.md': await commandsPage(),
  [rulesFile]: rulesPage,
};

const top = join(import.meta.dirname, '..');
const checkOnly = process.argv.includes('--check');
const outOfStep: string[] = [];

for (const [name, page] of Object.entries(pages)) {
  const text = page();
  if (text === undefined) continue;
  const path = join(top, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  outOfStep.push(name);
  if (checkOnly) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

if (outOfStep.length === 0) console.log('documents: in step with the sources');
else if (checkOnly) console.log(`documents: ${outOfStep.join(', ')} out of step; run: node scripts/gen-docs.ts`);
else console.log(`documents: wrote ${outOfStep.join(', ')}`);
process.exitCode = checkOnly && outOfStep.length > 0 ? 1 : 0;
