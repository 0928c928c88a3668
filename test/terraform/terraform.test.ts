// The Terraform code of deploy/terraform, as far as it can be checked without an AWS account. It needs Terraform (or
// OpenTofu, by SITEWARD_TERRAFORM_PROGRAM) and the aws provider, which is not here unless the environment says how:
//
//   SITEWARD_TERRAFORM_OFFLINE=PROGRAM   runs terraform with stand-ins for its providers and touches no account: everything
//   SITEWARD_TERRAFORM_DOWNLOAD=1        the real provider is downloaded (0.7 GB): validate and the mocked tests
//
// Without either only format and variables are checked. Nothing runs in the tree: each test has a copy, and its state
// goes with it. The outputs are shown to the command line as it is built (dist/, `make build`).

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseEnv } from 'node:util';
import { parse, stringify } from 'yaml';
import { exampleCluster } from '../../src/config/example.ts';
import { malformedLines, parseEnvFile } from '../../src/core/envfile/env-file.ts';

const root = join(import.meta.dirname, '../..');
const source = join(root, 'deploy/terraform');
const plain = process.env['SITEWARD_TERRAFORM_PROGRAM'] ?? 'terraform';
const offline = process.env['SITEWARD_TERRAFORM_OFFLINE'];
const withProvider = offline ?? (process.env['SITEWARD_TERRAFORM_DOWNLOAD'] === '1' ? plain : undefined);

const noTerraform =
  spawnSync(plain, ['version'], { stdio: 'ignore' }).status !== 0 && `${plain} is not installed: nothing is checked`;
const noProvider =
  noTerraform ||
  (withProvider === undefined && 'the aws provider is not at hand: see SITEWARD_TERRAFORM_OFFLINE and _DOWNLOAD');
const noStandIn = noTerraform || (offline === undefined && 'SITEWARD_TERRAFORM_OFFLINE is not set: nothing is applied');

/** No credentials: whatever runs here, it cannot reach an account. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))),
  AWS_EC2_METADATA_DISABLED: 'true',
  TF_IN_AUTOMATION: '1',
  TF_INPUT: '0',
  CHECKPOINT_DISABLE: '1',
};

function run(program: string, cwd: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { cwd, env: environment, encoding: 'utf8', timeout: 300_000, maxBuffer: 2 ** 26 });
}

function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-terraform-'));
  const filter = (path: string) => !/^(\.terraform|.*\.tfvars|.*\.tfstate.*|backend\.tf)$/.test(basename(path));
  cpSync(source, folder, { recursive: true, verbatimSymlinks: true, filter });
  return folder;
}

function succeeds(program: string, cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(program, cwd, args);
  assert.equal(status, 0, `${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

test('every variable says what it is, and has a validation that says what to write, and a test of it', () => {
  const read = (pattern: string) =>
    globSync(join(source, pattern))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
  const tests = read('tests/*.tftest.hcl');
  const variables = [...read('variables*.tf').matchAll(/^variable "(\w+)" \{\n(.*?)^\}/gms)];
  assert.ok(variables.length > 20);
  for (const [, name = '', body = ''] of variables) {
    assert.match(body, /description = ".{20,}"/, name);
    const validations = body.split('validation {').slice(1);
    const messages = validations.map((each) => /error_message = "(.*)"/.exec(each)?.[1] ?? '');
    assert.ok(messages.length > 0, `${name} takes anything`);
    for (const message of messages) assert.ok(message.startsWith(name) && message.length > 30, `${name}: ${message}`);
    const tried = tests.split(`expect_failures = [var.${name}]`).length - 1;
    assert.ok(tried >= validations.length, `${name}: ${validations.length} validations, ${tried} tests`);
  }
});

test('format', { skip: noTerraform }, () => {
  succeeds(plain, source, 'fmt', '-check', '-diff', '-recursive', '-no-color');
});

describe('with the provider', { skip: noProvider }, () => {
  const program = withProvider ?? '';
  let folder = '';
  before(() => {
    folder = copy();
    succeeds(program, folder, 'init', '-backend=false', '-no-color');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('validate', () => {
    succeeds(program, folder, 'validate', '-no-color');
  });

  test('the tests of the code itself, all with mocked providers', () => {
    const said = succeeds(program, folder, 'test', '-no-color');
    assert.match(said, /Success! \d+ passed, 0 failed/);
  });
});

type State = {
  readonly resources: {
    readonly type: string;
    readonly name: string;
    readonly mode: string;
    readonly instances: { readonly attributes: Record<string, unknown> }[];
  }[];
};

const operator = {
  service_name: 'birthday.example.com',
  zone_id: 'Z0123456789ABCDEFGHIJ',
  admin_cidrs: ['198.51.100.7/32'],
  ssh_public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkAgiZ5mvn8sUeD operator@example',
};

const choices = [
  { title: 'a register, one record, an existing zone', hasAgent: false, variables: {} },
  {
    title: 'an agent witness, health checks, a zone of its own',
    hasAgent: true,
    variables: { witness: 'agent', dns_mode: 'health-check', zone_id: null },
  },
];

function places(hasWitness: boolean) {
  const witness = {
    regions: ['birthday-witness eu-north-1 172.22.1.10'],
    routes: [
      'eu-central-1 to 172.22.0.0/16',
      'eu-north-1 to 172.20.0.0/16',
      'eu-north-1 to 172.21.0.0/16',
      'eu-west-1 to 172.22.0.0/16',
    ],
  };
  return {
    regions: [
      'birthday-site1-app eu-west-1 172.20.1.20',
      'birthday-site1-db eu-west-1 172.20.1.30',
      'birthday-site1-svc eu-west-1 172.20.1.10',
      'birthday-site2-app eu-central-1 172.21.1.20',
      'birthday-site2-db eu-central-1 172.21.1.30',
      'birthday-site2-svc eu-central-1 172.21.1.10',
      ...(hasWitness ? witness.regions : []),
    ],
    routes: [
      'eu-central-1 to 172.20.0.0/16',
      'eu-west-1 to 172.21.0.0/16',
      ...(hasWitness ? witness.routes : []),
    ].sort(),
  };
}

for (const { title, hasAgent, variables } of choices) {
  describe(`from nothing to nothing: ${title}`, { skip: noStandIn }, () => {
    const program = offline ?? '';
    let folder = '';
    const stateFile = () => join(folder, 'terraform.tfstate');
    const state = () => JSON.parse(readFileSync(stateFile(), 'utf8')) as State;
    const attributes = (type: string) =>
      state()
        .resources.filter((resource) => resource.mode === 'managed' && resource.type === type)
        .flatMap((resource) => resource.instances.map((instance) => instance.attributes));
    const nothingToDo = () => succeeds(program, folder, 'plan', '-detailed-exitcode', '-no-color');

    before(() => {
      folder = copy();
      writeFileSync(join(folder, 'terraform.tfvars.json'), JSON.stringify({ ...operator, ...variables }));
      succeeds(program, folder, 'init', '-no-color');
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    test('it is applied, and then there is nothing left to do', () => {
      succeeds(program, folder, 'apply', '-auto-approve', '-no-color');
      nothingToDo();
    });

    test('siteward takes what comes out, once the hosts have added their keys', (t) => {
      const command = join(root, 'dist/siteward.js');
      if (!existsSync(command)) return t.skip('dist/ is not built: make build');
      const raw = (name: string) => succeeds(program, folder, 'output', '-raw', name);
      const { ssh, keys } = exampleCluster();
      const pins = hasAgent ? { ...keys, witness: keys['site1-agent'].map((pin) => pin.replace(/^./, '0')) } : keys;
      const inventory = parse(raw('inventory')) as { all: { vars: { siteward_cluster: object } } };
      // As an operator would, and as the playbook does.
      const files = {
        'cluster.yaml': `${raw('cluster_yaml')}\n${stringify({ ssh, keys: pins })}`,
        'from-inventory.yaml': stringify({ ...inventory.all.vars.siteward_cluster, ssh, keys: pins }),
      };
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(folder, name), text);
        const said = succeeds(process.execPath, folder, command, 'config', 'check', name);
        assert.match(
          said,
          new RegExp(`^${name} is good: cluster birthday, witness ${hasAgent ? 'agent' : 'route53'}, dns `),
        );
      }
      for (const [site, dbhost] of Object.entries({ site1: '172.20.1.30', site2: '172.21.1.30' })) {
        const text = raw(`${site}_env`);
        assert.deepEqual(malformedLines(parseEnvFile(text)), []);
        const expected = { dbhost, dbport: '5432', dbname: 'revolutdb', dbuser: 'dbuser', dbappname: 'birthday' };
        assert.deepEqual({ ...parseEnv(text) }, expected);
      }
    });

    test('every host is in its region, and every network knows the way to the others', () => {
      const regions = attributes('aws_instance').map((host) => {
        const { Name: name } = host['tags'] as { Name: string };
        return [name, host['region'], host['private_ip']].join(' ');
      });
      const routes = attributes('aws_route')
        .filter((route) => (route['vpc_peering_connection_id'] ?? '') !== '')
        .map((route) => [route['region'], 'to', route['destination_cidr_block']].join(' '));
      assert.deepEqual({ regions: regions.sort(), routes: routes.sort() }, places(hasAgent));
    });

    test('only the port of the service is open to everybody', () => {
      const rules = attributes('aws_vpc_security_group_ingress_rule');
      assert.ok(rules.length > 50, `${rules.length} rules`);
      const open = rules.filter((rule) => rule['cidr_ipv4'] === '0.0.0.0/0' || rule['cidr_ipv6'] === '::/0');
      assert.deepEqual(
        open.map((rule) => [rule['from_port'], rule['to_port']]),
        [
          [8000, 8000],
          [8000, 8000],
        ],
      );
      // AWS takes no other characters there, and the stand-in does not know.
      for (const rule of rules) assert.match(String(rule['description']), /^[\w .:/()#,@[\]+=&;{}!$*-]+$/);
      for (const type of ['aws_security_group', 'aws_default_security_group'])
        for (const group of attributes(type))
          assert.deepEqual([group['ingress'] ?? [], group['egress'] ?? []], [[], []], `${type} has rules of its own`);
    });

    test('there is no secret in the state', () => {
      const text = readFileSync(stateFile(), 'utf8');
      for (const word of ['PRIVATE KEY', 'dbpass=', 'SECRET_KEY=', 'secret_access_key'])
        assert.ok(!text.includes(word), `the state contains ${word}`);
      for (const host of attributes('aws_instance')) assert.equal(host['password_data'] ?? '', '');
    });

    test('a plan after a failover, and after a newer image came out, changes nothing', () => {
      const moved = state();
      for (const resource of moved.resources)
        for (const { attributes: found } of resource.instances) {
          if (resource.type === 'aws_route53_record' && resource.name === 'entry') {
            found['records'] = ['192.0.2.99'];
            found['ttl'] = 60;
          }
          if (resource.type === 'aws_instance') found['ami'] = 'ami-00000000000000000';
        }
      writeFileSync(stateFile(), JSON.stringify(moved));
      nothingToDo();
    });

    test('it is destroyed without a rest', () => {
      succeeds(program, folder, 'destroy', '-auto-approve', '-no-color');
      assert.deepEqual(state().resources, []);
    });
  });
}
