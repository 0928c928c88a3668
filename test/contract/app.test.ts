// The Birthday application against real PostgreSQL servers: what it answers, and what its requests meet while databases stop, freeze,
// change sides, or are not the ones to serve from (I8).
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { envText, Load, TestInstance } from './app-instance.ts';
import { DB, eventually, slowLogins, TestPostgres } from './app-postgres.ts';

describe('the Birthday application', { concurrency: false, timeout: 120_000 }, () => {
  let one: TestPostgres;
  let two: TestPostgres;
  let app: TestInstance;

  before(async () => {
    one = await TestPostgres.create();
    const migration = new TestInstance();
    migration.writeEnv(envText(one.port));
    for (const _ of ['first', 'again']) {
      const code = await migration.run('migrate', { MIGRATE_HOST: one.folder, MIGRATE_USER: 'postgres' });
      assert.equal(code, 0, migration.output);
    }
    await migration.remove();
    await one.stop('SIGINT');
    two = await TestPostgres.copyOf(one);
    await Promise.all([one.start(), two.start()]);
  });

  after(async () => {
    await Promise.all([one?.remove(), two?.remove()]);
  });

  beforeEach(async () => {
    for (const each of [one, two]) {
      if (each.pid() === null) await each.start();
      // Nothing replicates here, so what the load reads lies in both.
      await each.sql(`
        DROP TABLE IF EXISTS siteward.cluster;
        TRUNCATE base.users;
        INSERT INTO base.users SELECT 'load' || chr(97 + n), '2000-01-01' FROM generate_series(0, 19) n`);
    }
    app = new TestInstance();
  });

  afterEach(async () => {
    await app.remove();
    one.signalAll('SIGCONT');
  });

  it('answers with the right messages and codes', async () => {
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    const today = new Date().toISOString().slice(0, 10);
    const body = JSON.stringify({ dateOfBirth: '1990-02-03' });
    const rows: [string, string, string | undefined, number, RegExp][] = [
      ['GET', '/hello/anna', undefined, 404, /There is no user anna/],
      ['PUT', '/hello/anna', body, 204, /^$/],
      ['POST', '/hello/anna', body, 204, /^$/],
      [
        'GET',
        '/hello/anna',
        undefined,
        200,
        /^\{"message":"Hello, anna! (Your birthday is in \d+ day\(s\)|Happy birthday!)"\}$/,
      ],
      ['GET', '/hello/Anna', undefined, 404, /no user Anna/],
      ['PUT', '/hello/anna1', body, 400, /letters/],
      ['PUT', `/hello/${'a'.repeat(21)}`, body, 400, /letters/],
      ['GET', `/hello/${'a'.repeat(2000)}`, undefined, 400, /letters/],
      ['GET', '/hello/%ZZ', undefined, 400, /./],
      ['PUT', '/hello/anna', '{"dateOfBirth":"2001-02-29"}', 400, /calendar/],
      ['PUT', '/hello/anna', '{"dateOfBirth":20010228}', 400, /body must be/],
      ['PUT', '/hello/anna', `{"dateOfBirth":"${today}"}`, 400, /before today/],
      ['PUT', '/hello/anna', '{"dateOfBirth":', 400, /./],
      ['PUT', '/hello/anna', 'null', 400, /body must be/],
      ['PUT', '/hello/anna', undefined, 400, /body must be/],
      ['PUT', '/hello/anna', JSON.stringify({ dateOfBirth: 'x'.repeat(5000) }), 413, /./],
      ['DELETE', '/hello/anna', undefined, 405, /Only GET/],
      ['POST', '/readyz', undefined, 405, /Only GET/],
      ['GET', '/', undefined, 404, /nothing here/],
      ['GET', '/hello/', undefined, 400, /letters/],
    ];
    for (const [method, path, sent, status, text] of rows) {
      const answer = await app.send(method, path, sent);
      assert.equal(answer.status, status, `${method} ${path} ${sent ?? ''}: ${answer.text}`);
      assert.match(answer.text, text);
      if (status === 405) assert.match(String(answer.headers['allow']), /GET/);
    }
    assert.equal((await app.send('PUT', '/hello/anna', 'dateOfBirth=1', { type: 'text/csv' })).status, 415);
    assert.deepEqual(await one.sql(`SELECT username, birthday::text FROM base.users WHERE username !~ 'load'`), [
      { username: 'anna', birthday: '1990-02-03' },
    ]);
  });

  it('tells its database, what that says of itself, and no secret', async () => {
    await one.setEpoch(7, 2, 'site2');
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    const found = await app.ready();
    assert.equal(found.status, 200);
    assert.deepEqual(found.database, { host: '127.0.0.1', port: one.port });
    assert.deepEqual(found.epoch, { eraNumber: 2, eraSite: 'site2', epoch: 7 });
    assert.equal(found.writable, true);
    assert.equal(found.holding, 0);
    assert.ok(found.ageMs < 1000);
    assert.ok(!app.output.includes(DB.password));
    assert.ok(!JSON.stringify(found).includes(DB.password));
  });

  it('moves to another database at SIGHUP without a failed request', async (t) => {
    await Promise.all([one.setEpoch(1), two.setEpoch(2)]);
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    const load = new Load(app, 20);
    let sentBefore = 0;
    for (const target of [two, one, two]) {
      await eventually('some requests', 5000, () => assert.ok(load.sent > sentBefore + 100));
      if (target === one) await one.setEpoch(2);
      app.writeEnv(envText(target.port));
      app.reload();
      await eventually('the new database', 5000, async () => {
        const { database, state } = await app.ready();
        assert.deepEqual({ port: database.port, state }, { port: target.port, state: 'serving' });
      });
      sentBefore = load.sent;
    }
    await eventually('requests after the moves', 5000, () => assert.ok(load.sent > sentBefore + 100));
    await load.stop();
    t.diagnostic(`${load.sent} requests, the slowest took ${Math.round(load.slowestMs)} ms`);
    assert.deepEqual(load.failures, []);
    const [left] = await one.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'birthday-test'`,
    );
    assert.deepEqual(left, { n: 0 });
  });

  it('holds requests while the database is stopped and goes on when it is back', async () => {
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    const load = new Load(app, 10);
    await eventually('some requests', 5000, () => assert.ok(load.sent > 100));
    await one.stop();
    await app.becomes('holding', 5000);
    await eventually('held requests', 5000, async () => assert.equal((await app.ready()).holding, 10));
    const found = await app.ready();
    assert.deepEqual([found.status, found.writable, found.epoch], [200, null, null]);
    await one.start();
    await app.becomes('serving', 10_000);
    const sent = load.sent;
    await eventually('requests again', 5000, () => assert.ok(load.sent > sent + 50));
    await load.stop();
    assert.deepEqual(load.failures, []);
  });

  it('serves neither from a read-only database, nor in recovery, nor of a lower epoch', async () => {
    await one.setEpoch(5);
    await two.setEpoch(5);
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    const isHeld = async (reason: string, meanwhile: () => Promise<void>) => {
      await eventually(reason, 5000, async () => assert.equal((await app.ready()).reason, reason));
      let isAnswered = false;
      const held = app.put('held', '2000-01-01').finally(() => {
        isAnswered = true;
      });
      await eventually('held', 5000, async () => assert.equal((await app.ready()).holding, 1));
      assert.equal(isAnswered, false);
      await meanwhile();
      assert.equal((await held).status, 204);
    };

    await one.sql(`ALTER DATABASE ${DB.name} SET default_transaction_read_only = on`);
    await one.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'birthday-test'`,
      'postgres',
    );
    await isHeld('read-only', async () => {
      await one.sql(`ALTER DATABASE ${DB.name} RESET default_transaction_read_only`, 'postgres');
    });

    app.writeEnv(envText(two.port));
    await two.stop('SIGINT');
    two.makeStandby();
    await two.start();
    app.reload();
    await isHeld('in-recovery', async () => {
      assert.equal((await app.ready()).writable, false);
      await two.sql('SELECT pg_promote()');
    });

    // The epoch rises where it serves; the other database is then an old one.
    await two.setEpoch(6);
    await eventually('epoch 6', 5000, async () => assert.equal((await app.ready()).epoch.epoch, 6));
    app.writeEnv(envText(one.port));
    app.reload();
    await isHeld('stale-epoch', async () => {
      assert.equal((await app.ready()).epoch.epoch, 5);
      assert.deepEqual(await one.sql(`SELECT username FROM base.users WHERE username = 'held'`), [
        { username: 'held' },
      ]);
      await one.sql('TRUNCATE base.users');
      await one.setEpoch(6);
    });

    // A restart remembers.
    await one.setEpoch(4);
    await app.stop();
    await app.start(one.port);
    await eventually('refused', 5000, async () => assert.equal((await app.ready()).reason, 'stale-epoch'));
    assert.equal((await app.ready()).status, 503);
  });

  it('notices a frozen database, holds, and serves from the other one after SIGHUP', async (t) => {
    await Promise.all([one.setEpoch(1), two.setEpoch(2)]);
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    const load = new Load(app, 20);
    await eventually('some requests', 5000, () => assert.ok(load.sent > 100));
    one.signalAll('SIGSTOP');
    await app.becomes('holding', 5000);
    const asked = performance.now();
    assert.equal((await app.ready()).status, 200);
    assert.ok(performance.now() - asked < 500, 'readiness does not wait for the database');
    app.writeEnv(envText(two.port));
    app.reload();
    const reloadedAt = performance.now();
    await app.becomes('serving', 5000);
    const sent = load.sent;
    await eventually('requests again', 5000, () => assert.ok(load.sent > sent + 50));
    await load.stop();
    const stuckMs = performance.now() - reloadedAt;
    t.diagnostic(`all stuck requests were answered ${Math.round(stuckMs)} ms after SIGHUP`);
    assert.ok(stuckMs < 3000, `every stuck request was answered within ${stuckMs} ms`);
    assert.deepEqual(load.failures, []);
  });

  it('answers 503 with Retry-After when a hold is over, and when too many are held', async () => {
    await app.start(one.port, { HOLD_MS: '700', HOLD_MAX: '2', READY_HOLD_MS: '900' });
    await app.becomes('serving', 10_000);
    await one.stop();
    const begun = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => app.put('anna', '2000-01-01')));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [503, 503, 503],
    );
    assert.ok(answers.every(({ headers }) => headers['retry-after'] === '1'));
    assert.ok(performance.now() - begun < 2000);
    await eventually('not ready for ever', 5000, async () => assert.equal((await app.ready()).status, 503));
    assert.equal((await app.get('/livez')).status, 200);
    await one.start();
    await eventually('ready again', 5000, async () => assert.equal((await app.ready()).status, 200));
  });

  it('asks a database for few logins at a time, however many requests wait', async () => {
    const slow = await slowLogins(one.port, 200);
    try {
      await app.start(slow.port);
      await app.becomes('serving', 10_000);
      const answers = await Promise.all(Array.from({ length: 30 }, () => app.get('/hello/loada')));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.ok(slow.most() <= 2, `${slow.most()} at once`);
      assert.ok(slow.all() > 2, `${slow.all()} in all`);
    } finally {
      await app.stop();
      slow.close();
    }
  });

  it('does not write for a client that is gone', async () => {
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    await one.stop();
    const gone = new AbortController();
    const left = app.put('gone', '2000-01-01', gone.signal).catch(() => 'left');
    const stays = app.put('stays', '2000-01-01');
    await eventually('both held', 5000, async () => assert.equal((await app.ready()).holding, 2));
    gone.abort();
    assert.equal(await left, 'left');
    await one.start();
    assert.equal((await stays).status, 204);
    assert.deepEqual(await one.sql(`SELECT username FROM base.users WHERE username !~ 'load'`), [
      { username: 'stays' },
    ]);
  });

  it('sends a statement that was too slow again, and serves the others meanwhile', async () => {
    await app.start(one.port, { QUERY_TIMEOUT_MS: '1500' });
    await app.becomes('serving', 10_000);
    const { since } = await app.ready();
    const release = await one.lockUser('loada');
    const slow = app.put('loada', '1999-01-01');
    const others = Date.now() + 3000;
    while (Date.now() < others) assert.equal((await app.put('loadb', '1999-01-01')).status, 204);
    await release();
    assert.equal((await slow).status, 204);
    assert.equal((await app.ready()).since, since);
  });

  it('keeps the old settings when the new .env is bad, and says so', async () => {
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    app.writeEnv(envText(two.port).replace(/^dbpass.*$/m, ''));
    app.reload();
    await eventually('the error', 5000, async () => assert.match((await app.ready()).envError, /dbpass is missing/));
    assert.equal((await app.ready()).database.port, one.port);
    assert.equal((await app.put('anna', '2000-01-01')).status, 204);
    app.writeEnv(envText(two.port));
    app.reload();
    await eventually('the error is over', 5000, async () => assert.equal((await app.ready()).envError, null));
    assert.equal((await app.ready()).database.port, two.port);
  });

  it('finishes what was begun at SIGTERM and ends with 0', async () => {
    await app.start(one.port);
    await app.becomes('serving', 10_000);
    await one.stop();
    const held = app.put('anna', '2000-01-01');
    await eventually('held', 5000, async () => assert.equal((await app.ready()).holding, 1));
    const stopped = app.stop();
    await one.start();
    assert.equal((await held).status, 204);
    assert.equal(await stopped, 0);
  });
});
