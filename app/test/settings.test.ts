// What an instance is told: its environment and its .env file, right or refused as a whole.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, readConfig } from '../src/config.ts';
import { isSameDatabase, parseSettings } from '../src/env-file.ts';

const good = `
# which database
SECRET_KEY=abc
dbhost=172.20.1.30
dbport=5432
dbname=revolutdb
dbuser=dbuser
dbpass='p#ss "word"=1'
dbappname=birthday
`;
const settings = {
  host: '172.20.1.30',
  port: 5432,
  database: 'revolutdb',
  user: 'dbuser',
  password: 'p#ss "word"=1',
  applicationName: 'birthday',
};

describe('.env', () => {
  it('gives the database settings', () => assert.deepEqual(parseSettings(good, '.env'), settings));
  it('needs neither SECRET_KEY nor dbappname', () => {
    const text = good.replace(/^(SECRET_KEY|dbappname).*$/gm, '');
    assert.deepEqual(parseSettings(text, '.env'), settings);
  });
  it('reads Windows line ends', () => assert.deepEqual(parseSettings(good.replaceAll('\n', '\r\n'), '.env'), settings));

  const bad: [change: string, text: string, message: RegExp][] = [
    ['empty', '', /dbport is missing/],
    ['cut off', good.slice(0, good.indexOf('dbuser')), /dbuser is missing/],
    ['no password', good.replace(/dbpass.*/, 'dbpass='), /dbpass is missing/],
    ['a port that is none', good.replace('5432', '54x'), /dbport is not a port/],
    ['a port out of range', good.replace('5432', '65536'), /dbport is not a port/],
  ];
  for (const [change, text, message] of bad) {
    it(`is refused: ${change}`, () => {
      assert.throws(
        () => parseSettings(text, '.env'),
        (error) => error instanceof ConfigError && message.test(error.message),
      );
    });
  }
  it('says in no message what the password is', () => {
    assert.throws(
      () => parseSettings(good.replace('5432', 'x'), '.env'),
      (error) => !String(error).includes('word'),
    );
  });

  it('names the same database or another one', () => {
    assert.equal(isSameDatabase(settings, parseSettings(good, '.env')), true);
    for (const [key, value] of Object.entries({ host: '172.21.1.30', port: 5433, password: 'other' })) {
      assert.equal(isSameDatabase(settings, { ...settings, [key]: value }), false, key);
    }
  });
});

describe('environment', () => {
  it('has a default for everything', () => {
    const config = readConfig({});
    assert.deepEqual([config.host, config.port, config.envFile, config.epochFile], ['0.0.0.0', 8000, '.env', '.epoch']);
    assert.deepEqual([config.timeZone, config.accessLog, config.limits.holdMs], ['UTC', false, 15_000]);
  });
  it('puts the epoch file beside the .env file, or elsewhere, or nowhere', () => {
    assert.equal(readConfig({ ENV_FILE: '/srv/app/.env' }).epochFile, '/srv/app/.epoch');
    assert.equal(readConfig({ EPOCH_FILE: '/var/lib/app/epoch' }).epochFile, '/var/lib/app/epoch');
    assert.equal(readConfig({ EPOCH_FILE: '' }).epochFile, null);
  });
  const bad: [key: string, value: string][] = [
    ['APP_PORT', '0'],
    ['APP_PORT', '8e3'],
    ['HOLD_MS', '-1'],
    ['HOLD_MS', '1.5'],
    ['POOL_MAX', '0'],
    ['TIME_ZONE', 'Mars/Olympus'],
    ['LOG_LEVEL', 'loud'],
    ['ACCESS_LOG', 'yes'],
  ];
  for (const [key, value] of bad) {
    it(`is refused: ${key}=${value}`, () => {
      assert.throws(
        () => readConfig({ [key]: value }),
        (error) => error instanceof ConfigError && error.message.startsWith(key),
      );
    });
  }
});
