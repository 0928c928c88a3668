// One order of the forced command: from its text to its one answer. Never throws.

import { join } from 'node:path';
import type { Token } from '../../core/observe/observation.ts';
import { type HostAnswer, type HostOrder, parseOrder } from '../../wire/host-orders.ts';
import { type ApplicationHost, notePath, readEnv, reloadEnv, stageEnv, switchEnv } from './application.ts';
import type { HostKind } from './arguments.ts';
import { fence } from './database.ts';
import { locked } from './lock.ts';
import { loadNote } from './note.ts';
import { errorCode, Refusal } from './refusal.ts';

/** `readInput` is called for `stage` alone, and gives up by itself when there is too much or it takes too long. */
export async function runOrder(kind: HostKind, text: string, readInput: () => Promise<Buffer>): Promise<HostAnswer> {
  try {
    const order = parseOrder(text);
    if (order === null) throw new Refusal('not-an-order', 'no order of siteward');
    if ((kind.kind === 'database') !== (order.verb === 'fence')) {
      throw new Refusal('not-an-order', `${order.verb} is no order for ${kind.kind} hosts`);
    }
    return await obey(kind, order, readInput);
  } catch (error) {
    const code = error instanceof Refusal ? error.code : 'failed';
    const detail = error instanceof Error ? error.message : errorCode(error);
    return { ok: false, code, detail, token: code === 'lower-token' ? seenToken(kind) : null };
  }
}

async function obey(kind: HostKind, order: HostOrder, readInput: () => Promise<Buffer>): Promise<HostAnswer> {
  const lock = join(kind.host.stateDirectory, 'lock');
  if (kind.kind === 'database') {
    if (order.verb !== 'fence') throw new Refusal('not-an-order', order.verb);
    const result = await locked(lock, kind.waitMs, () => fence(kind.host, order.token));
    return { ok: true, kind: 'fenced', ...result };
  }
  const { host } = kind;
  switch (order.verb) {
    case 'read':
      // Waits for nobody: files are replaced as wholes, and an agent must see the host while a reload takes long.
      return answerEnv(host, 0);
    case 'stage': {
      const content = await readInput();
      return locked(lock, kind.waitMs, () => {
        stageEnv(host, order.site, content);
        return answerEnv(host, 0);
      });
    }
    case 'switch':
      return locked(lock, kind.waitMs, async () => {
        const reloaded = await switchEnv(host, order.site, order.token);
        return answerEnv(host, reloaded);
      });
    case 'reload':
      return locked(lock, kind.waitMs, async () => answerEnv(host, await reloadEnv(host)));
    case 'fence':
      throw new Refusal('not-an-order', order.verb);
  }
}

function answerEnv(host: ApplicationHost, reloaded: number): HostAnswer {
  return { ok: true, kind: 'env', env: readEnv(host), reloaded };
}

/** So that an agent with an old record learns how far behind it is. */
function seenToken(kind: HostKind): Token | null {
  const path = kind.kind === 'database' ? join(kind.host.stateDirectory, 'database.json') : notePath(kind.host);
  try {
    return loadNote(path).token;
  } catch {
    return null;
  }
}
