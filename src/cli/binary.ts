// The single binary of the Debian package: the same file under both names, which one was called decides. Loaded on
// demand as everywhere, so that the forced SSH command starts without the daemons' libraries.

import { basename } from 'node:path';

const program = basename(process.argv0) === 'siteward-host' ? import('./host.ts') : import('../main.ts');
void program;
