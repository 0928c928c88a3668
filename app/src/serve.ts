// One instance of the application from start to stop: puts the parts together and answers the signals. SIGHUP re-reads the .env file;
// SIGTERM and SIGINT finish what was begun and end with 0.
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { calendarOf } from './birthday.ts';
import type { AppConfig } from './config.ts';
import { Database } from './database/database.ts';
import { HighestEpoch } from './database/epoch.ts';
import { type DatabaseSettings, isSameDatabase, readEnvFile } from './env-file.ts';
import { addRoutes } from './http.ts';
import { type Instance, readinessOf } from './readiness.ts';

const BODY_MAX_BYTES = 4096;
const REQUEST_TIMEOUT_MS = 10_000;
// Shorter than the 10 s after which a container is killed.
const STOP_GRACE_MS = 8000;

export async function serve(config: AppConfig): Promise<void> {
  const settings = await readEnvFile(config.envFile);
  const app = newServer(config);
  const highest = new HighestEpoch(config.epochFile, (error) => {
    app.log.warn({ file: config.epochFile, code: (error as NodeJS.ErrnoException).code }, 'epoch.not-kept');
  });
  await highest.load();
  const instance: Writable<Instance> = {
    name: config.name,
    startedAt: new Date(),
    envLoadedAt: new Date(),
    envError: null,
    isStopping: false,
  };
  const database = new Database({ settings, limits: config.limits, highest, log: app.log });
  const calendar = calendarOf(config.timeZone);
  addRoutes(app, {
    database,
    readiness: () => readinessOf(instance, database.status(), config.limits),
    today: () => calendar(new Date()),
  });
  onReload(config, settings, { app, instance, database });
  onStop({ app, instance, database });
  await app.listen({ host: config.host, port: config.port });
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Parts {
  readonly app: FastifyInstance;
  readonly instance: Writable<Instance>;
  readonly database: Database;
}

function newServer(config: AppConfig): FastifyInstance {
  return Fastify({
    logger: {
      level: config.logLevel,
      base: { instance: config.name, pid: process.pid },
      redact: ['password', 'dbpass', 'settings', '*.password', '*.dbpass', '*.settings'],
    },
    logController: new LogController({ disableRequestLogging: !config.accessLog }),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // While it stops, a request on a connection that was kept open is still served.
    return503OnClosing: false,
    // A name that is too long is a bad name (400), not an unknown path.
    routerOptions: { maxParamLength: 16_384 },
  });
}

/** One reload after the other; a file that cannot be used changes nothing but `envError`. */
function onReload(config: AppConfig, first: DatabaseSettings, { app, instance, database }: Parts): void {
  let settings = first;
  const reload = async (): Promise<void> => {
    try {
      const next = await readEnvFile(config.envFile);
      instance.envLoadedAt = new Date();
      instance.envError = null;
      const isSame = isSameDatabase(settings, next);
      app.log.info({ host: next.host, port: next.port, isSame }, 'env.loaded');
      if (isSame) return;
      settings = next;
      database.switchTo(next);
    } catch (error) {
      instance.envError = error instanceof Error ? error.message : 'unknown error';
      app.log.error({ reason: instance.envError }, 'env.refused');
    }
  };
  let last: Promise<void> = Promise.resolve();
  process.on('SIGHUP', () => {
    last = last.then(reload);
  });
}

function onStop({ app, instance, database }: Parts): void {
  const stop = async (signal: string): Promise<void> => {
    if (instance.isStopping) return;
    instance.isStopping = true;
    app.log.info({ signal }, 'instance.stopping');
    setTimeout(() => database.stopHolding(), STOP_GRACE_MS).unref();
    await app.close();
    await database.end();
    app.log.info({}, 'instance.stopped');
    process.exit(0);
  };
  // A request that was already here when the stop began would else leave its connection open, and the stop waiting for it.
  app.addHook('onSend', async (_request, reply) => {
    if (instance.isStopping) reply.header('connection', 'close');
  });
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}
