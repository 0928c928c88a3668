// Commits that wait for a standby which is away (zero-loss mode), as the application meets them: never called done while they are in
// doubt, never left behind on the server, and done once the wait ends well.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { envText, TestInstance } from './app-instance.ts';
import { eventually, TestPostgres } from './app-postgres.ts';

describe('the Birthday application in zero-loss mode', { concurrency: false, timeout: 60_000 }, () => {
  let server: TestPostgres;
  let app: TestInstance;

  before(async () => {
    server = await TestPostgres.create();
    const migration = new TestInstance();
    migration.writeEnv(envText(server.port));
    await migration.run('migrate', { MIGRATE_HOST: server.folder, MIGRATE_USER: 'postgres' });
    await migration.remove();
  });
  after(() => server?.remove());
  beforeEach(() => {
    app = new TestInstance();
  });
  afterEach(async () => {
    await waitFor('');
    await server.sql('ALTER ROLE dbuser RESET client_min_messages');
    await app.remove();
  });

  /** Of a standby of that name, which does not exist. */
  async function waitFor(standby: string): Promise<void> {
    await server.sql(`ALTER SYSTEM SET synchronous_standby_names = '${standby}'`);
    await server.sql('SELECT pg_reload_conf()');
    await eventually('it is loaded', 5000, async () =>
      assert.deepEqual(await server.sql('SHOW synchronous_standby_names'), [{ synchronous_standby_names: standby }]),
    );
  }
  const waiting = async (): Promise<number> =>
    (await server.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")).length;
  const saved = async (name: string): Promise<number> =>
    (await server.sql(`SELECT FROM base.users WHERE username = '${name}'`)).length;

  it('answers 503 and says that the write is in doubt; nothing of it stays behind on the server', async () => {
    await app.start(server.port, { HOLD_MS: '1200', QUERY_TIMEOUT_MS: '400' });
    await app.becomes('serving', 10_000);
    const { since } = await app.ready();
    await waitFor('away');
    const writes = ['anna', 'bert', 'carl'].map((name) => app.put(name, '2000-01-01'));
    await eventually('all wait', 3000, async () => assert.equal(await waiting(), 3));
    for (const { status, headers, text } of await Promise.all(writes)) {
      assert.deepEqual([status, headers['retry-after']], [503, '1']);
      assert.match(text, /Whether this was saved is not known yet/);
    }
    await eventually('nobody waits any more', 2000, async () => assert.equal(await waiting(), 0));
    assert.equal(await saved('anna'), 1, 'it was committed here, and the other site may never get it');
    const { state, since: sinceNow } = await app.ready();
    assert.deepEqual([state, sinceNow], ['serving', since], 'the database is well');
  });

  it('the very first attempt in doubt is no success, whatever the role says about warnings', async () => {
    await server.sql('ALTER ROLE dbuser SET client_min_messages = error');
    await app.start(server.port, { HOLD_MS: '300', QUERY_TIMEOUT_MS: '400' });
    await app.becomes('serving', 10_000);
    await waitFor('away');
    const { status, text } = await app.put('dora', '2000-01-01');
    assert.equal(status, 503);
    assert.match(text, /not known yet/);
  });

  it('a person who cancels the wait makes no success of it', async () => {
    await app.start(server.port, { HOLD_MS: '100' });
    await app.becomes('serving', 10_000);
    await waitFor('away');
    const write = app.put('emil', '2000-01-01');
    await eventually('it waits', 3000, async () => assert.equal(await waiting(), 1));
    await server.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    assert.equal((await write).status, 503);
  });

  it('is done once commits do not wait any more, with one answer for all its attempts; reads go on meanwhile', async () => {
    await app.start(server.port, { HOLD_MS: '15000', QUERY_TIMEOUT_MS: '400' });
    await app.becomes('serving', 10_000);
    assert.equal((await app.put('frida', '2000-01-01')).status, 204);
    await waitFor('away');
    const write = app.put('gerd', '2000-01-01');
    const until = Date.now() + 1500;
    while (Date.now() < until) assert.equal((await app.get('/hello/frida')).status, 200);
    await waitFor('');
    assert.equal((await write).status, 204);
    assert.equal(await saved('gerd'), 1);
  });
});
