/**
 * Writes what the sources know better than anybody into docs/: the configuration reference, its schema and example, and
 * the catalogues. With --check nothing is written, and a document that is out of step fails.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleFile, jsonSchema, referencePage } from '../src/config/pages.ts';
import { commandsPage, errorsPage, eventsPage, metricsPage } from './catalog-pages.ts';

type Page = () => string | undefined;

const pages: Readonly<Record<string, Page>> = {
  'CONFIG.md': referencePage,
  'cluster.schema.json': jsonSchema,
  'cluster.example.yaml': exampleFile,
  'ERRORS.md': errorsPage,
  'EVENTS.md': await eventsPage(),
  'METRICS.md': await metricsPage(),
  'CLI.md': await commandsPage(),
};

const docs = join(import.meta.dirname, '..', 'docs');
const checkOnly = process.argv.includes('--check');
const outOfStep: string[] = [];

mkdirSync(docs, { recursive: true });
for (const [name, page] of Object.entries(pages)) {
  const text = page();
  if (text === undefined) continue;
  const path = join(docs, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  outOfStep.push(`docs/${name}`);
  if (!checkOnly) writeFileSync(path, text);
}

if (outOfStep.length === 0) console.log('documents: in step with the sources');
else if (checkOnly) console.log(`documents: ${outOfStep.join(', ')} out of step; run: node scripts/gen-docs.ts`);
else console.log(`documents: wrote ${outOfStep.join(', ')}`);
process.exitCode = checkOnly && outOfStep.length > 0 ? 1 : 0;
