// Running a daemon: load its state, start the driver, listen, tell the supervisor, and end in order on a signal.

import { join } from 'node:path';
import { holdDirectory } from '../adapters/disk/hold.ts';
import { createStore } from '../adapters/disk/store.ts';
import { createPlainListener, type PlainReport } from '../adapters/http/plain-listener.ts';
import { measurePeers, measureRegister } from '../adapters/metrics/measured.ts';
import { EXIT } from '../catalog/exit-codes.ts';
import type { StepFunction } from '../core/effects.ts';
import { createDriver, type Driver } from '../driver/driver.ts';
import type { DriverEvent, FenceControl, Perform } from '../driver/events.ts';
import type { Log } from '../ports/log.ts';
import type { Register } from '../ports/register.ts';
import type { Store } from '../ports/store.ts';
import { isReadableFormat, stateDocument, stateFormat } from '../wire/state-files.ts';
import { type Base, type Role, StartRefused } from './base.ts';

export type Loaded<Durable> = { readonly durable: Durable; readonly amnesia: boolean };

/**
 * Q8: absent is a new voter; damaged is amnesia. Throws StartRefused where another start may find all that it holds, since the
 * first step writes: a file that cannot be read, or one of a newer version.
 */
export function loadState<Durable>(
  store: Store,
  log: Log,
  read: (document: unknown) => Durable | null,
  empty: Durable,
): Loaded<Durable> {
  const found = store.load();
  if (found.kind === 'absent') return { durable: empty, amnesia: false };
  if (found.kind === 'unreadable')
    throw new StartRefused(`its state cannot be read, so it does not start: ${found.detail}`, EXIT.unsafe);
  if (found.kind === 'found' && !isReadableFormat(found.formatVersion))
    throw new StartRefused(
      `its state is of format ${found.formatVersion}, which a newer version wrote: install that one again; the file was left as it is`,
      EXIT.unsafe,
    );
  const durable = found.kind === 'found' ? read(found.document) : null;
  if (durable !== null) return { durable, amnesia: false };
  log.event('error', 'state.damaged', {
    why: found.kind === 'damaged' ? found.detail : 'it does not have the form of a state',
  });
  return { durable: empty, amnesia: true };
}

/** Throws StartRefused unless the state is this process's alone: from here to its end, so before anything of it is read. */
export async function openStore(base: Base, role: Role): Promise<Store & { close(): Promise<void> }> {
  const { stateDirectory } = base.config.paths;
  const held = await holdDirectory(role, stateDirectory);
  if (held.kind === 'rejected') throw new StartRefused(heldElsewhere(role, stateDirectory), EXIT.unsafe);
  if (held.kind === 'unknown')
    throw new StartRefused(
      `whether another ${role} runs on the state in ${stateDirectory} cannot be told, so it does not start: ${held.detail}`,
      EXIT.unsafe,
    );
  const path = join(stateDirectory, `${role}.state`);
  const store = createStore({ path, formatVersion: stateFormat });
  return { ...store, save: (durable) => store.save(stateDocument(role, durable)) };
}

/** Whoever reads it has typed the command while the service runs, or is the service while somebody's command runs. */
function heldElsewhere(role: Role, directory: string): string {
  return (
    `another siteward ${role} runs on the state in ${directory}, so this one does not start: each would undo votes of the other. ` +
    `The other one works on, and this one has changed nothing. "systemctl status siteward-${role}" shows whether it is the service: ` +
    'then there is nothing to do. If not, end the one that was started by hand, and systemd starts the service within a second'
  );
}

export type Running<State, Event, Durable, Deed extends { readonly kind: string }, Value> = {
  readonly base: Base;
  readonly step: StepFunction<State, Event, Durable, Deed>;
  readonly initial: State;
  readonly store: Store & { close(): Promise<void> };
  readonly register: Register | null;
  readonly perform: Perform<Deed, Value>;
  readonly fence: FenceControl<State> | null;
  readonly namePersist?: (durable: Durable) => readonly string[];
  /** Sets the gauges from the state; called at each scrape. */
  readonly measure: (state: State) => void;
  readonly health: (state: State) => PlainReport;
  readonly entry: (state: State) => PlainReport;
  /** Closes the role's own adapters, in reverse order of opening. */
  readonly close: () => Promise<void>;
};

/** Starts everything and returns once the daemon serves. It ends by a signal, or by exit code 1 when it cannot go on. */
export async function runDaemon<
  State,
  Event extends DriverEvent<Value>,
  Durable,
  Deed extends { readonly kind: string },
  Value,
>(running: Running<State, Event, Durable, Deed, Value>): Promise<Driver<State>> {
  const { base } = running;
  const { log, metrics, config, part, supervisor } = base;
  const fatal = (reason: string): void => {
    log.event('error', 'process.fatal', { reason });
    log.flush();
    process.exit(EXIT.bug);
  };
  const driver = createDriver({
    step: running.step,
    initial: running.initial,
    clock: base.clock,
    random: base.random,
    store: running.store,
    log,
    peers: measurePeers(base.peers, metrics),
    register: running.register && measureRegister(running.register, metrics),
    perform: running.perform,
    fence: running.fence,
    onFatal: fatal,
    onStepped: () => supervisor.alive(),
    afterEffect: base.afterEffect,
    ...(running.namePersist === undefined ? {} : { namePersist: running.namePersist }),
  });
  const plain = createPlainListener({
    address: config.listen === 'own' ? part.host.address : null,
    port: config.ports.metrics,
    metrics: () => {
      running.measure(driver.state());
      return metrics.render();
    },
    health: () => running.health(driver.state()),
    entry: () => running.entry(driver.state()),
  });
  const close = async (signal: string): Promise<void> => {
    log.event('info', 'process.stopping', { signal });
    supervisor.stopping();
    await driver.stop();
    await Promise.allSettled([base.server.close(), plain.close(), base.peers.close(), running.close()]);
    await running.store.close();
    log.flush();
    process.exit(EXIT.ok);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void close(signal));
  process.on('uncaughtException', (error) => fatal(error.stack ?? error.message));
  process.on('unhandledRejection', (reason) => fatal(`unhandled: ${String(reason)}`));
  driver.start();
  // A taken port must not end a guard whose database is healthy (I5): it asks by itself, and tries to listen again.
  await Promise.all([
    listen(log, 'peers', () => base.server.listen(driver.handle)),
    listen(log, 'metrics', () => plain.listen()),
  ]);
  log.event('info', 'process.started', { me: base.me, node: process.version, state: config.paths.stateDirectory });
  supervisor.ready();
  base.started();
  return driver;
}

const listenAgainMs = 1000;

/** Resolves after the first try; a failed one is repeated until it succeeds. */
async function listen(log: Log, what: 'peers' | 'metrics', begin: () => Promise<void>): Promise<void> {
  try {
    await begin();
  } catch (error) {
    log.event('error', 'listen.failed', { what, why: error instanceof Error ? error.message : String(error) });
    setTimeout(() => void listen(log, what, begin), listenAgainMs);
  }
}
