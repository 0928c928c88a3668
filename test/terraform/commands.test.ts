// deploy/deploy, failover, destroy and the scripts of deploy/ci on the operator's side: what they ask, refuse and call,
// above all after a run that stopped halfway. Hosts and AWS are played (operator-bed.ts); the rehearsal has real hosts,
// and below, where SITEWARD_TERRAFORM_OFFLINE is set, Terraform is real too.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, OperatorBed } from './operator-bed.ts';

const noPython = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status !== 0 && 'python3 is not installed';
const offline = process.env['SITEWARD_TERRAFORM_OFFLINE'];

const HOSTS = ['svc', 'app', 'db'].flatMap((part) => [`site1-${part}`, `site2-${part}`]);
const host = { siteward_cluster: { cluster: 'birthday' }, application_image: 'birthday', application_archive: '' };

/** What ansible-inventory makes of an inventory. */
const inventory = {
  _meta: { hostvars: Object.fromEntries(HOSTS.map((name) => [name, { ...host, ansible_host: `${name}.test` }])) },
  ...Object.fromEntries(
    ['svc', 'app', 'db'].map((part) => [`allsites-${part}`, { hosts: [`site1-${part}`, `site2-${part}`] }]),
  ),
};

/** What plan.yml finds. */
function found(image: string, siteward = '') {
  const bare = { siteward, writable: '', data: '', primary: '', system: 'Debian 12' };
  return Object.fromEntries(
    HOSTS.map((name) => {
      const part = name.slice(-3).replace('-', '');
      return [name, { ...bare, group: `allsites-${part}`, image: part === 'app' ? image : '' }];
    }),
  );
}

function instance(site: string, part: string, actions: readonly string[], types = ['t3.medium', 't3.medium']) {
  const [was, will] = types;
  return {
    address: `module.${site}.module.host["${part}"].aws_instance.this`,
    mode: 'managed',
    type: 'aws_instance',
    change: {
      actions,
      before: actions.join() === 'create' ? null : { tags: { Name: `birthday-${site}-${part}` }, instance_type: was },
      after: actions.at(-1) === 'delete' ? null : { instance_type: will },
    },
  };
}

const tagged = { tags_all: { cluster: 'birthday', 'managed-by': 'terraform' } };
const resource = { mode: 'managed', type: 'aws_vpc', address: 'module.site1.aws_vpc.this', values: tagged };
const values = { root_module: { child_modules: [{ child_modules: [{ resources: [resource] }] }] } };

/** A plan as `terraform show -json` shows it; the variable says another name than the tags of what is there. */
const plan = (...changes: readonly object[]) => ({
  variables: { cluster: { value: 'other' } },
  prior_state: { values },
  resource_changes: [
    { address: 'aws_vpc.x', mode: 'managed', type: 'aws_vpc', change: { actions: ['update'] } },
    ...changes,
  ],
});

const operator = {
  service_name: 'birthday.example.com',
  zone_id: 'Z0123456789ABCDEFGHIJ',
  admin_cidrs: ['198.51.100.7/32'],
  ssh_public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkAgiZ5mvn8sUeD operator@example',
};

const changing = (content: object): readonly Answer[] => [
  { call: /^terraform plan/, code: 2 },
  { call: /^terraform show -json .*tfplan/, says: content },
];
const made: Answer = { call: /^terraform output -json/, says: { inventory: { value: 'all: {}\n' } } };
const listed: Answer = { call: /^ansible-inventory/, says: inventory };
const replacing = plan(instance('site1', 'db', ['delete', 'create']), instance('site2', 'db', ['no-op']));

describe('commands of deploy/', { skip: noPython }, () => {
  let bed: OperatorBed;
  const lastInventory = '.state/deploy/inventory.yaml';
  before(() => {
    bed = new OperatorBed('terraform', 'ansible-inventory', 'ansible-playbook', 'ssh', 'docker');
    bed.put('package.deb', '');
    bed.put('inventory.yaml', 'all: {}\n');
  });
  after(() => bed.end());

  test('of a plan, what takes hosts away or down', () => {
    const content = plan(
      instance('site1', 'db', ['delete', 'create']),
      instance('site2', 'db', ['create', 'delete']),
      instance('site1', 'app', ['delete']),
      instance('site2', 'svc', ['update'], ['t3.small', 't3.large']),
      instance('site1', 'svc', ['update']),
      instance('site2', 'app', ['create']),
      { ...instance('site9', 'db', ['read']), mode: 'data' },
    );
    const text = 'import json, places; print(json.dumps(places.endangered(json.loads(sys.argv[1]))))';
    const { out, err } = bed.python(text, JSON.stringify(content));
    assert.deepEqual(
      JSON.parse(out || err),
      {
        'birthday-site1-db': 'is replaced, its disk is lost',
        'birthday-site2-db': 'is replaced, its disk is lost',
        'birthday-site1-app': 'is removed, its disk is lost',
        'birthday-site2-svc': 'is stopped, to become t3.large',
      },
      err,
    );
  });

  test('deploy --yes does not replace a host; without --yes the name of the cluster has to be typed', () => {
    const deploy = ['deploy', '--package', 'package.deb', '--image', 'registry.test/birthday:1'];
    bed.answers(...changing(replacing), made, listed, { call: /plan\.yml/, facts: found('birthday:1') });
    const refused = bed.run([...deploy, '--yes']);
    assert.equal(refused.code, 4, refused.err);
    assert.match(refused.err, /birthday-site1-db is replaced/);
    assert.equal(bed.run(deploy, 'yes\n').code, 4);
    assert.equal(bed.run(deploy).code, 4);
    assert.doesNotMatch(bed.calls(), /terraform apply/);
    const typed = bed.run(deploy, 'birthday\nyes\n');
    assert.equal(typed.code, 0, typed.err);
    assert.match(bed.calls(), /terraform apply -input=false \S+\.tfplan\n[\s\S]*site\.yml/);
  });

  test('deploy makes no machines that it could not finish: without a package, without an image', () => {
    bed.answers(...changing(plan(instance('site1', 'application', ['create']))), made, listed);
    const noPackage = bed.run(['deploy', '--yes', '--image', 'registry.test/birthday:1']);
    assert.match(noPackage.err, /make deb/);
    const noFile = bed.run(['deploy', '--yes', '--package', 'nowhere.deb']);
    assert.match(noFile.err, /there is no file .*nowhere\.deb/);
    const noImage = bed.run(['deploy', '--yes', '--package', 'package.deb']);
    assert.match(noImage.err, /--image NAME.*--archive TAR/);
    assert.deepEqual([noPackage.code, noFile.code, noImage.code], [1, 1, 1]);
    assert.doesNotMatch(bed.calls(), /terraform apply/);
  });

  test('new machines are waited for until each lets the operator in', () => {
    const booting = { call: /^ssh .*site2-db\.test sudo true/, code: 255, complains: 'Connection refused', times: 1 };
    const facts = { call: /plan\.yml/, facts: found('') };
    bed.answers(...changing(plan(instance('site1', 'application', ['create']))), made, listed, booting, facts);
    const done = bed.run([
      'deploy',
      '--yes',
      '--json',
      '--package',
      'package.deb',
      '--image',
      'registry.test/birthday:1',
    ]);
    assert.equal(done.code, 0, done.err);
    assert.match(done.err, /waiting for SSH: site2-db\n/);
    assert.match(
      bed.calls(),
      /terraform apply[\s\S]*site2-db\.test sudo true[\s\S]*site2-db\.test sudo true[\s\S]*plan\.yml[\s\S]*site\.yml/,
    );
    assert.equal((JSON.parse(done.out) as { ok: boolean }).ok, true);
  });

  test('one that does not let in is named, with its own words', () => {
    const wait =
      'import hosts\ntry: hosts.wait_for_hosts(hosts.Inventory("inventory.yaml"), 0.1, 0.2)\nexcept hosts.Stop as stop: print(stop)';
    bed.answers(listed, {
      call: /^ssh .*site1-app/,
      code: 255,
      complains: 'Warning: x\nPermission denied (publickey).\n',
    });
    assert.match(bed.python(wait).out, /no way in to\n {2}site1-app: Permission denied \(publickey\)\.\n/);
    bed.answers(listed, {
      call: /^ssh .*site1-app/,
      code: 255,
      complains: '@ HOST IDENTIFICATION HAS CHANGED! @\nfailed.\n',
    });
    assert.match(bed.python(wait).out, /another key.*site1-app[\s\S]*ssh-keygen -R site1-app\.test/);
  });

  test('a plan for hosts without an image names no image either, and stops before anything is changed', () => {
    const deploy = ['deploy', '--hosts', 'inventory.yaml', '--yes', '--package', 'package.deb'];
    bed.answers(listed, { call: /plan\.yml/, facts: found('') });
    const stopped = bed.run(deploy);
    assert.equal(stopped.code, 1);
    assert.match(stopped.err, /site1-app and site2-app have none: --image NAME/);
    assert.doesNotMatch(bed.calls(), /site\.yml/);
    bed.answers(listed, { call: /plan\.yml/, facts: found('birthday:7', '0.1') });
    const again = bed.run(['deploy', '--hosts', 'inventory.yaml', '--yes']);
    assert.equal(again.code, 0, again.err);
  });

  test('an archive is called by the name that is in it', () => {
    const archive = bed.put('made/image.tar', '');
    const manifest = bed.put('made/manifest.json', [{ RepoTags: ['birthday:42'] }]);
    spawnSync('tar', ['-C', join(manifest, '..'), '-cf', archive, 'manifest.json']);
    const deploy = ['deploy', '--hosts', 'inventory.yaml', '--yes', '--package', 'package.deb', '--archive'];
    bed.answers(listed, { call: /plan\.yml/, facts: found('') });
    const done = bed.run([...deploy, 'made/image.tar']);
    assert.equal(done.code, 0, done.err);
    assert.match(bed.calls(), /site\.yml.*"application_image": "birthday:42"/);
    assert.match(bed.run([...deploy, 'made/image.tar', '--image', 'birthday']).err, /has birthday:42: name one/);
    assert.match(bed.run([...deploy, 'made/manifest.json']).err, /is no archive/);
  });

  test('destroy judges by what Terraform manages, not by outputs, and knows the name by its tags', () => {
    const half: readonly Answer[] = [{ call: /^terraform show -json$/, says: { values } }, ...changing(plan())];
    bed.put(lastInventory, 'all: {}\n');
    bed.answers(...half);
    assert.equal(bed.run(['destroy'], '\n').code, 4);
    assert.equal(bed.run(['destroy', '--yes', '--name', 'other']).code, 4);
    assert.doesNotMatch(bed.calls(), /terraform apply/);
    const gone = bed.run(['destroy', '--json'], 'birthday\n');
    assert.equal(gone.code, 0, gone.err);
    assert.match(bed.calls(), /terraform init [\s\S]*terraform plan .*-destroy\n[\s\S]*terraform apply/);
    assert.deepEqual([JSON.parse(gone.out), bed.has(lastInventory)], [{ ok: true, changed: null }, false]);
  });

  test('destroy with an empty state: nothing, unless hosts are known of', () => {
    bed.answers({ call: /^terraform show -json$/, says: { format_version: '1.0' } });
    const nothing = bed.run(['destroy', '--yes', '--json']);
    assert.deepEqual([nothing.code, nothing.out], [0, '{"ok": true, "changed": 0}\n']);
    bed.put(lastInventory, 'all: {}\n');
    const elsewhere = bed.run(['destroy', '--yes']);
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.err, /their state is elsewhere/);
    rmSync(join(bed.folder, lastInventory));
  });

  test('an inventory without a group, or without the name of the cluster, is named; an empty line destroys nothing', () => {
    bed.answers({ ...listed, says: { _meta: { hostvars: {} } } });
    assert.match(bed.run(['destroy', '--hosts', 'inventory.yaml'], '\n').err, /names no host in allsites-svc/);
    bed.answers({ ...listed, says: { ...inventory, _meta: { hostvars: { 'site1-svc': {} } } } });
    const nameless = bed.run(['destroy', '--hosts', 'inventory.yaml'], '\n');
    assert.match(nameless.err, /siteward_cluster\.cluster is not set/);
    assert.equal(nameless.code, 1);
    assert.doesNotMatch(bed.calls(), /destroy\.yml/);
  });

  test("failover takes the last deployment's hosts where the state cannot be read, and asks a fresh checkout's backend", () => {
    const agents = { call: /siteward status --json/, says: { agents: { 'site1-svc': { record: { epoch: 1 } } } } };
    const lost: Answer = { call: /^terraform output/, code: 1, complains: 'Error: no such bucket' };
    const moved: Answer = { call: /siteward failover$/, says: 'moved' };
    bed.put(lastInventory, 'all: {}\n');
    bed.answers(lost, listed, agents, moved);
    const last = bed.run(['failover', '--yes']);
    assert.deepEqual([last.code, last.out], [0, 'moved\n'], last.err);
    assert.match(last.err, /no such bucket[\s\S]*The hosts of the last deployment/);
    assert.doesNotMatch(bed.calls(), /terraform init/);
    rmSync(join(bed.folder, lastInventory));
    bed.answers({ ...lost, times: 1 }, made, listed, agents, moved);
    const fresh = bed.run(['failover', '--yes']);
    assert.equal(fresh.code, 0, fresh.err);
    assert.match(bed.calls(), /terraform output[\s\S]*terraform init[\s\S]*terraform output/);
    rmSync(join(bed.folder, lastInventory));
    bed.answers(lost);
    assert.match(bed.run(['failover', '--yes']).err, /no such bucket[\s\S]*--hosts/);
  });

  test('Ctrl-C lets Terraform save what it has made', async () => {
    const apply: Answer = { call: /^terraform apply/, saves: true };
    bed.answers(apply, ...changing(plan()), made, listed);
    const command = bed.start(['deploy', '--yes', '--package', 'package.deb']);
    const ended = new Promise<number | null>((resolve) => command.once('exit', resolve));
    for (let tries = 0; tries < 200 && !bed.calls().includes('terraform apply'); tries++) await delay(50);
    process.kill(-(command.pid ?? Number.NaN), 'SIGINT');
    assert.equal(await ended, 130);
    assert.ok(bed.has('saved'), 'Terraform was killed');
  });

  test('scripts of deploy/ci take paths as their caller means them, and miss what is not there', () => {
    bed.answers();
    const options = ['-i defaults.yaml', `-i ${join(bed.folder, 'inventory.yaml')}`].join(' ');
    assert.equal(bed.run(['ci/update-siteward', 'inventory.yaml', 'package.deb']).code, 0);
    assert.match(
      bed.calls(),
      new RegExp(`${options} upgrade-siteward.yml -e siteward_package='${bed.folder}/package.deb'`),
    );
    assert.equal(bed.run(['ci/update-application', 'inventory.yaml', 'birthday:2', 'package.deb']).code, 0);
    assert.match(bed.calls(), new RegExp(`application_archive='${bed.folder}/package.deb'`));
    bed.answers();
    assert.match(bed.run(['ci/update-siteward', 'inventory.yaml']).err, /no package in deploy\/dist: make deb/);
    for (const missing of [
      ['nothing.yaml', 'package.deb'],
      ['inventory.yaml', 'nothing.deb'],
    ])
      assert.notEqual(bed.run(['ci/update-siteward', ...missing]).code, 0, missing.join(' '));
    assert.notEqual(bed.run(['ci/update-application', 'nothing.yaml', 'birthday:2']).code, 0);
    assert.equal(bed.calls(), '');
  });
});

describe('with Terraform itself', {
  skip: noPython || (offline === undefined && 'SITEWARD_TERRAFORM_OFFLINE is not set'),
}, () => {
  let bed: OperatorBed;
  before(() => {
    bed = new OperatorBed('ansible-inventory', 'ansible-playbook', 'ssh');
    // The stand-in looks for the real one behind this.
    bed.program(
      'terraform',
      '#!/bin/sh\nPATH=$(echo "$PATH" | cut -d : -f 2-) exec "$SITEWARD_TERRAFORM_OFFLINE" "$@"\n',
    );
    bed.put('package.deb', '');
  });
  after(() => bed.end());
  const terraform = (...words: readonly string[]) => bed.run(['../bin/terraform', '-chdir=deploy/terraform', ...words]);
  const deploy = ['deploy', '--yes', '--package', 'package.deb', '--image', 'registry.test/birthday:1'];

  test('from nothing without variables: what is missing is named, and there is nothing to destroy', () => {
    assert.match(bed.run(deploy).err, /copy terraform\.tfvars\.example/);
    assert.match(bed.run(['destroy']).err, /there is nothing to destroy/);
  });

  test('what a first apply left that stopped halfway is destroyed by the name of its cluster', () => {
    bed.put('deploy/terraform/terraform.tfvars.json', operator);
    const half = terraform('apply', '-auto-approve', '-no-color', '-target=module.site1.module.host');
    assert.equal(half.code, 0, half.err);
    assert.doesNotMatch(terraform('output', '-json').out, /inventory/);
    assert.equal(bed.run(['destroy'], 'nonsense\n').code, 4);
    const gone = bed.run(['destroy'], 'birthday\n');
    assert.equal(gone.code, 0, gone.err);
    assert.match(bed.run(['destroy']).err, /there is nothing to destroy/);
  });

  test('deploy makes them, leaves them, and does not replace one for --yes; then they are destroyed', () => {
    bed.answers(listed, { call: /plan\.yml/, facts: found('birthday:1') });
    const first = bed.run([...deploy, '--json']);
    assert.equal(first.code, 0, first.err);
    assert.equal((JSON.parse(first.out) as { ok: boolean }).ok, true);
    const again = bed.run(deploy);
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /No changes\./);
    bed.put('deploy/terraform/terraform.tfvars.json', { ...operator, site1: { subnet_cidr: '172.20.2.0/24' } });
    const refused = bed.run(deploy);
    assert.equal(refused.code, 4, refused.err);
    assert.match(refused.err, /birthday-site1-db is replaced, its disk is lost/);
    const gone = bed.run(['destroy', '--yes', '--name', 'birthday']);
    assert.equal(gone.code, 0, gone.err);
    assert.match(bed.run(['failover', '--yes']).err, /Terraform has made no hosts here/);
  });
});
