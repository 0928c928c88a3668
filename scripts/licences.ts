/** Whose work is in the package, and on what terms: the copyright file that Debian asks for, and every licence's text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.ts';

type Part = { readonly name: string; readonly version: string; readonly licence: string; readonly text: string };

/** `folders` are those of node_modules whose code is in the binary. Throws on a package that does not say its terms. */
export function licencesOf(folders: readonly string[]): { readonly copyright: string; readonly texts: string } {
  const node = join(root, 'node_modules', `node-linux-${process.arch}`);
  const parts = [...folders.map((folder) => partOf(join(root, folder))), { ...partOf(node), name: 'Node.js' }];
  const width = Math.max(...parts.map((part) => `${part.name} ${part.version}`.length));
  const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: siteward
Comment: One program in which Node.js and the packages below are linked together. The text
 of each licence is in /usr/share/doc/siteward/licences.gz.
 .
${parts.map((part) => ` ${`${part.name} ${part.version}`.padEnd(width)}  ${part.licence}`).join('\n')}

Files: *
Copyright: 2026 siteward maintainers
License: Apache-2.0
 Licensed under the Apache License, Version 2.0 (the "License"); you may not use
 this work except in compliance with the License. Unless required by applicable
 law or agreed to in writing, software distributed under the License is
 distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND,
 either express or implied.
 .
 On Debian systems the full text of the License is in
 /usr/share/common-licenses/Apache-2.0.
`;
  const rule = '='.repeat(80);
  const texts = parts.map(
    (part) => `${rule}\n${part.name} ${part.version}: ${part.licence}\n${rule}\n\n${part.text}\n`,
  );
  return { copyright, texts: texts.join('\n') };
}

function partOf(folder: string): Part {
  const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
    /** Before npm knew `license`. */
    licenses?: readonly { type: string }[];
    author?: string | { name: string };
  };
  const { name, version, author } = found;
  const license = found.license ?? found.licenses?.map(({ type }) => type).join(', ');
  if (license === undefined) throw new Error(`${name} ${version} does not say under which licence it is`);
  const files = readdirSync(folder)
    .filter((each) => /^(licen[cs]e|copying|notice)/i.test(each))
    .sort();
  const by = typeof author === 'string' ? author : (author?.name ?? 'its authors');
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const text = texts.length === 0 ? `By ${by}; it comes without a text of its own.` : texts.join('\n\n');
  return { name, version, licence: license, text };
}
