// One daemon of a role on one state directory. Two would each vote by what they had read themselves, and whoever wrote last
// would undo the other's votes (Q1, Q3).
//
// The lock is the name of a socket that is in no directory: the kernel gives it to one process and takes it back when that
// ends, however it ends, so nothing stale is left behind. It is not inherited: a database outlives its guard and must not
// keep the next one out. Such names belong to a network namespace; the units share the host's, as does who types a command.
// Like a port it could be taken by any account of the host, which then keeps the daemon from starting, but never makes it two.

import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';

/** Holds it to the end of the process. Rejected where another process does. */
export function holdDirectory(role: string, directory: string): Promise<Outcome<void>> {
  return new Promise((resolve) => {
    // Nobody has anything to say here; it must not keep a process alive that has nothing else to do.
    const server = createServer((caller) => caller.destroy()).unref();
    // For good: a caller that cannot be accepted is no reason to end.
    server.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? rejected('held', directory) : unknown(String(error))),
    );
    try {
      server.listen(nameOf(role, directory), () => resolve(done(undefined)));
    } catch (error) {
      resolve(unknown(String(error)));
    }
  });
}

/**
 * By what the directory is, not by how it is written: a link or a bind mount leads to the same files, while the same path in
 * two containers leads to different ones, which may share the host's network.
 */
function nameOf(role: string, directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `\0siteward-${role}-${dev}-${ino}`;
}
