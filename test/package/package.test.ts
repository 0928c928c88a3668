// The Debian package on a system that boots: built twice, installed, a guarded primary founded on it, upgraded and
// downgraded under load, refused to be removed, disarmed, removed. Needs root, debootstrap and systemd-nspawn; the first
// run makes the image (test/machines/image, about a minute). Tests follow one another on one machine; what only computes
// goes on beside them, at a lower priority.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { bootMachine, type Machine, until, whyNot } from '../machines/machine.ts';
import {
  addresses,
  deadlineOf,
  guardHealth,
  isOver,
  leaseMs,
  mode,
  postmaster,
  prepare,
  prepareDatabase,
  sql,
  underLease,
  writable,
} from './cluster.ts';

const skip = whyNot() ?? false;
const root = join(import.meta.dirname, '../..');
const next = '99.0.1';

/** What a package is made of, in a place of its own: nobody edits it meanwhile, and no path of the tree gets into it. */
function copyOfTree(from: string, to: string): string {
  mkdirSync(to, { recursive: true });
  for (const each of [
    'src',
    'scripts',
    'systemd',
    'deploy/debian',
    'deploy/prometheus',
    'docs',
    'package.json',
    'tsconfig.json',
  ]) {
    mkdirSync(dirname(join(to, each)), { recursive: true });
    execFileSync('cp', ['-a', join(from, each), join(to, each)]);
  }
  execFileSync('cp', ['-al', join(from, 'node_modules'), join(to, 'node_modules')]);
  return to;
}

/** The level is for speed: nobody ships these. */
async function makePackage(tree: string, out: string, ...options: readonly string[]): Promise<string> {
  const args = [join(tree, 'scripts/package-deb.ts'), '--out', out, ...options];
  const { stdout } = await promisify(execFile)('nice', ['-n', '10', process.execPath, ...args], { cwd: tree });
  return join(tree, stdout.trim().split(/\s+/)[1] ?? '');
}

/** What lintian says of it, or null where there is none. */
async function lintian(file: string): Promise<string | null> {
  if (spawnSync('sh', ['-c', 'command -v lintian']).status !== 0) return null;
  const args = ['-n', '10', 'lintian', '--fail-on', 'error,warning', '--allow-root', file];
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('nice', args, (error, stdout) => resolve(error === null ? '' : `${stdout}${error.message}`));
  return promise;
}

describe('the Debian package', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-package-'));
  // Beside node_modules, so that those can be linked.
  const trees = join(root, '.state/package/trees');
  let tree = '';
  let machine: Machine;
  let now = '';
  let later = '';
  let again: Promise<string>;
  let said: Promise<string | null>;

  before(async () => {
    rmSync(trees, { recursive: true, force: true });
    tree = copyOfTree(root, join(trees, 'one'));
    const made = makePackage(tree, join(folder, 'once'), '--level', '0');
    machine = await bootMachine('siteward-package', addresses);
    now = await made;
    later = await makePackage(tree, join(folder, 'later'), '--level', 'none', '--version', next);
    const another = copyOfTree(tree, join(trees, 'in/another'));
    again = makePackage(another, join(folder, 'again'), '--level', '0');
    said = again.then(() => lintian(now));
    // Whoever waits for it is told.
    said.catch(() => undefined);
  });
  after(async () => {
    await machine?.off();
    await said?.catch(() => undefined);
    for (const each of [folder, trees]) rmSync(each, { recursive: true, force: true });
  });

  const install = (file: string): string =>
    machine.sh(`DEBIAN_FRONTEND=noninteractive dpkg -i ${machine.bring(file)} 2>&1`);
  const property = (unit: string, name: string): string => machine.sh(`systemctl show -P ${name} ${unit}`);
  const pidOf = (unit: string): string => property(`${unit}.service`, 'MainPID');
  const state = (unit: string): string => machine.run(`systemctl is-active ${unit}`).out;

  test('installing enables and starts nothing, and says what to do next', () => {
    const said = install(now);
    assert.match(said, /nothing was enabled or started/);
    const units = machine.sh("systemctl list-unit-files --no-legend 'siteward*' | awk '{print $2}' | sort -u");
    assert.deepEqual(units.split('\n').sort(), ['disabled', 'static']);
    assert.equal(machine.run("systemctl list-units --no-legend 'siteward*'").out, '');
    assert.match(machine.sh('siteward --version'), /^siteward \d+\.\d+\.\d+, Node 24\./);
    assert.match(machine.sh('siteward config check /usr/share/doc/siteward/examples/cluster.example.yaml'), /is good/);
    assert.equal(machine.sh('NODE_OPTIONS=--no-such-option siteward --version 2>&1').includes('no-such-option'), false);
    assert.match(machine.run('siteward-host').err, /^siteward-host: /);
    assert.equal(machine.run('command -v node npm').out, '');
    machine.sh('grep -q SitewardChecksStopped /usr/share/doc/siteward/examples/siteward.rules.yml');
    machine.sh('gzip -t /usr/share/man/man8/siteward.8.gz /usr/share/man/man8/siteward-host.8.gz');
    const completed =
      'source /usr/share/bash-completion/completions/siteward; COMP_WORDS=(siteward disa) COMP_CWORD=1; _siteward; echo $COMPREPLY';
    assert.equal(machine.sh(`bash --norc -c '${completed}'`), 'disarm');
  });

  test('systemd has nothing to say about the units, and lets them do little', () => {
    const files = machine
      .sh('ls /usr/lib/systemd/system/siteward-*.service /usr/lib/systemd/system/siteward-*.socket')
      .split('\n');
    assert.equal(files.length, 6);
    const { out, err } = machine.run(`systemd-analyze verify --man=no ${files.join(' ')}`);
    assert.equal(`${out}${err}`, '');
    for (const file of files.filter((each) => each.endsWith('.service'))) {
      const said = machine.run(`systemd-analyze security --offline=true --threshold=25 ${file}`);
      assert.equal(said.status, 0, said.out.split('\n').at(-1));
    }
    machine.put(
      '/srv/needrestart.pl',
      'our %nrconf; do q(/etc/needrestart/conf.d/siteward.conf); die $@ if $@; print keys %{$nrconf{override_rc}};',
    );
    assert.equal(
      machine.sh('perl -w /srv/needrestart.pl | grep -c "siteward-.*postgresql\\|postgresql.*siteward-"'),
      '1',
    );
  });

  test('a running PostgreSQL is taken under a lease without a restart', async () => {
    prepareDatabase(machine);
    prepare(machine);
    const before = postmaster(machine);
    machine.sh('systemctl enable --now siteward-agent siteward-agent-2 siteward-witness siteward-fuse siteward-guard');
    for (const unit of ['agent', 'agent-2', 'witness', 'guard', 'fuse'])
      assert.equal(state(`siteward-${unit}`), 'active', unit);
    machine.sh('siteward init --primary site1');
    await underLease(machine, 30_000);
    await until('the fuse is armed', 10_000, () =>
      machine.run('test -e /var/lib/siteward/fuse.armed').status === 0 ? true : null,
    );
    assert.equal(postmaster(machine), before);
    const fuse = pidOf('siteward-fuse');
    // Not everywhere may root say so to the kernel.
    const told = machine.run('echo -1 >/proc/self/oom_score_adj').status === 0;
    assert.equal(
      told ? machine.sh(`cat /proc/${fuse}/oom_score_adj`) : property('siteward-fuse', 'OOMScoreAdjust'),
      '-1000',
    );
    assert.equal(
      machine.sh(`stat -c %U /proc/${fuse} /proc/${pidOf('siteward-guard')} /proc/${pidOf('siteward-agent')}`),
      'siteward-fuse\npostgres\nsiteward-agent',
    );
  });

  test('the guard may ask root for its own database and for nothing else', async () => {
    const ask = (user: string, line: string): string =>
      machine.run(
        `runuser -u ${user} -- perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => q(/run/siteward-postgresql)) or die qq($!\\n); print $s qq(${line}\\n); print <$s>' 2>&1`,
      ).out;
    assert.match(ask('postgres', 'stop siteward-fuse.service'), /drives postgresql@15-main\.service only/);
    assert.match(ask('siteward-agent', 'stop postgresql@15-main.service'), /Permission denied/);
    const before = postmaster(machine);
    // Its agent may not have heard yet that the guard holds its first lease.
    await until('a restart is taken', 30_000, () => (machine.run('siteward restart').status === 0 ? true : null));
    await until('another postmaster', 30_000, () =>
      machine.run('head -n 1 /var/lib/postgresql/15/main/postmaster.pid').out === before ? null : true,
    );
    await underLease(machine, 30_000);
    await until('writable', 10_000, () => (writable(machine) ? true : null));
    await until('systemd has seen it start', 20_000, () => (state('postgresql@15-main') === 'active' ? true : null));
  });

  test('a guard or a fuse that is killed or stands still is back within the lease', async () => {
    const before = postmaster(machine);
    for (const [unit, signal] of [
      ['siteward-guard', 'KILL'],
      ['siteward-guard', 'STOP'],
      ['siteward-fuse', 'KILL'],
      ['siteward-fuse', 'STOP'],
    ] as const) {
      const deadline = deadlineOf(machine);
      const old = pidOf(unit);
      machine.sh(`kill -${signal} ${old}`);
      await until(`another ${unit} after SIG${signal}`, 10_000, () => (['0', old].includes(pidOf(unit)) ? null : true));
      await isOver(deadline);
      await underLease(machine, 20_000);
      assert.equal(guardHealth(machine)?.fuseAlive, true);
      assert.equal(postmaster(machine), before, `${unit}, SIG${signal}`);
    }
  });

  test('a boot finds the signal file that a lost start took away, before it starts PostgreSQL', async () => {
    machine.sh('systemctl stop siteward-guard');
    await until('the fuse has ended it', 40_000, () =>
      machine.run('pgrep -u postgres -x postgres').status === 0 ? null : true,
    );
    machine.sh('systemctl stop siteward-fuse postgresql@15-main');
    machine.sh('rm -f /run/siteward/fuse.deadline /var/lib/postgresql/15/main/standby.signal');
    // A link in its place is made by nobody who is root.
    machine.sh('ln -s /etc/siteward-was-here /var/lib/postgresql/15/main/standby.signal');
    machine.run('systemctl start postgresql@15-main; systemctl stop postgresql@15-main');
    assert.equal(machine.run('test -e /etc/siteward-was-here').status, 1);
    machine.sh('rm -f /var/lib/postgresql/15/main/standby.signal');
    machine.sh('systemctl start postgresql@15-main; systemctl start siteward-fuse');
    assert.equal(sql(machine, 'SELECT pg_is_in_recovery()'), 't');
    assert.equal(machine.sh('stat -c %U:%a /var/lib/postgresql/15/main/standby.signal'), 'postgres:600');
    machine.sh('systemctl start siteward-guard');
    await underLease(machine, 60_000);
    await until('writable', 20_000, () => (writable(machine) ? true : null));
  });

  test('a guard whose fuse looks into other directories does not start', () => {
    const told = property('siteward-guard', 'Environment');
    for (const [name, at, key] of [
      ['SITEWARD_DATA_DIRECTORY', '/var/lib/postgresql/15/main', 'database.dataDirectory'],
      ['SITEWARD_STATE_DIRECTORY', '/var/lib/siteward', 'paths.stateDirectory'],
      ['SITEWARD_RUN_DIRECTORY', '/run/siteward', 'paths.runDirectory'],
    ] as const) {
      assert.ok(told.split(' ').includes(`${name}=${at}`), told);
      const { status, out, err } = machine.run(
        `cd /; timeout 10 runuser -u postgres -- env ${name}=/elsewhere siteward guard`,
      );
      assert.equal(status, 3, `${out}${err}`);
      assert.ok(`${out}${err}`.includes(`${key}: the units of this host are for /elsewhere`), `${out}${err}`);
    }
  });

  test('a guarded primary is not left without its guard', () => {
    const { status: code, err, out } = machine.run('dpkg -r siteward');
    assert.notEqual(code, 0);
    assert.match(`${out}${err}`, /siteward disarm/);
    assert.equal(state('siteward-guard'), 'active');
    assert.equal(machine.sh('dpkg -l siteward | tail -n 1 | cut -c 1-2'), 'ri');
  });

  for (const [what, file, version] of [
    ['an upgrade', () => later, next],
    ['a downgrade', () => now, null],
  ] as const) {
    test(`${what} restarts everything and fails no write`, async () => {
      const before = postmaster(machine);
      const pids = ['fuse', 'guard', 'agent', 'witness'].map((each) => pidOf(`siteward-${each}`));
      const load = machine.start(
        'runuser -u postgres -- bash -c \'while [ ! -e /tmp/enough ]; do psql -qXAt -d revolutdb -c "INSERT INTO writes VALUES (1)" >/dev/null 2>&1 && echo y || echo n; sleep 0.02; done\'',
      );
      let written = '';
      load.stdout?.on('data', (text: Buffer) => {
        written += text.toString();
      });
      const gone = new Promise((resolve) => load.once('exit', resolve));
      try {
        await until('writes', 60_000, () => (written.length > 20 ? true : null));
        install(file());
        await isOver(deadlineOf(machine));
        await underLease(machine, 20_000);
      } finally {
        machine.run('touch /tmp/enough');
        await gone;
        machine.run('rm /tmp/enough');
      }
      assert.equal(written.includes('n'), false, `writes failed: ${written.replaceAll('\n', '')}`);
      assert.ok(written.length > 80, `only ${written.length / 2} writes`);
      assert.equal(postmaster(machine), before);
      for (const [index, each] of ['fuse', 'guard', 'agent', 'witness'].entries()) {
        assert.equal(state(`siteward-${each}`), 'active', each);
        assert.notEqual(pidOf(`siteward-${each}`), pids[index], each);
      }
      if (version !== null) assert.match(machine.sh('siteward --version'), new RegExp(`^siteward ${version},`));
    });
  }

  test('a guard that is stopped stops no database before its lease ends; then the fuse does', async () => {
    const before = postmaster(machine);
    const left = guardHealth(machine)?.leaseLeftMs ?? 0;
    assert.ok(left > 2000, `${left} ms left`);
    machine.sh('systemctl stop siteward-guard');
    const stopped = performance.now();
    assert.ok(writable(machine));
    assert.equal(postmaster(machine), before);
    await until('the fuse has ended it', leaseMs + 3000, () => (writable(machine) ? null : true));
    const lasted = performance.now() - stopped;
    assert.ok(lasted > left - 2500, `it was ended after ${lasted} ms, ${left} ms were left`);
    machine.sh('systemctl start siteward-guard');
    await underLease(machine, 60_000);
    await until('writable', 20_000, () => (writable(machine) ? true : null));
  });

  test('disarm asks first, is recorded, and the running database does not notice', async () => {
    machine.sh('siteward resume');
    await until('not paused', 20_000, () => (mode(machine) === 'auto' ? true : null));
    const refused = machine.run('siteward disarm', 'birthday site1\n');
    assert.match(refused.err, /not paused/);
    machine.sh('siteward pause --reason test');
    const unsure = machine.run('siteward disarm', 'yes\n');
    assert.match(unsure.err, /not confirmed: nothing was changed/);
    assert.equal(state('siteward-guard'), 'active');

    const before = postmaster(machine);
    const deadline = deadlineOf(machine);
    machine.sh('siteward disarm', 'birthday site1\n');
    await isOver(deadline);
    assert.equal(postmaster(machine), before);
    assert.ok(writable(machine));
    assert.match(machine.sh('cat /var/lib/siteward/disarmed.log'), /"site":"site1","as":"primary","epoch":"1"/);
    machine.sh('systemctl restart postgresql@15-main');
    assert.equal(sql(machine, 'SELECT pg_is_in_recovery()'), 'f');
    assert.ok(writable(machine));
  });

  test('after that the package goes, and keys and votes stay', () => {
    machine.sh('systemctl stop siteward-agent-2; dpkg -P siteward 2>&1');
    assert.equal(machine.run('command -v siteward').out, '');
    assert.equal(machine.run("systemctl list-units --no-legend 'siteward-*' | grep -v agent-2").out, '');
    assert.ok(writable(machine));
    machine.sh('test -e /etc/siteward/keys/site1-guard.key -a -e /var/lib/siteward/guard.state');
    assert.equal(machine.run('ls /etc/systemd/system/multi-user.target.wants').out.includes('siteward-guard'), false);
  });

  test('a shutdown that takes long stops the guard and not the fuse: no database outlives its deadline', async () => {
    install(now);
    machine.sh('systemctl stop postgresql@15-main');
    // As the guard leaves it with `database.control: pg_ctl`: no unit stops it.
    const server =
      '/usr/lib/postgresql/15/bin/pg_ctl -s -w -D /var/lib/postgresql/15/main -o "-c config_file=/etc/postgresql/15/main/postgresql.conf"';
    machine.sh(
      `setsid setpriv --reuid=postgres --regid=postgres --init-groups ${server} -l /tmp/server.log start </dev/null >/dev/null 2>&1`,
    );
    machine.put(
      '/etc/systemd/system/slow.service',
      '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 60\nTimeoutStopSec=90\n',
    );
    machine.sh('systemctl daemon-reload; systemctl start slow siteward-fuse; touch /var/lib/siteward/fuse.armed');
    const deadline = uptime() * 1000 + 8000;
    machine.sh(`echo ${Math.floor(deadline)} >/run/siteward/fuse.deadline`);
    machine.sh('systemctl poweroff --no-block');
    await until('it shuts down', 20_000, () =>
      machine.run('systemctl is-system-running').out === 'stopping' ? true : null,
    );
    await isOver(deadline);
    const left = (): string => machine.run('pgrep -u postgres -x postgres').out;
    await until('the fuse has ended it', 5000, () => (left() === '' ? true : null));
    assert.equal(state('siteward-fuse'), 'active');
    assert.equal(state('slow'), 'deactivating');
  });

  test('two builds in two places give the same bytes', async () => {
    const other = await again;
    assert.ok(readFileSync(now).equals(readFileSync(other)), `${now} and ${other} differ`);
  });

  test('lintian has nothing to say but what the overrides name', async (t) => {
    const words = await said;
    if (words === null) return t.skip('lintian is not installed');
    assert.equal(words, '');
  });
});
