// The double of Route 53 against clients that are not ours: Debian's awscli for the API, dig for DNS.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { entryZone, type RunningZone, registerZone, startZone, zoneKeys } from '../lab/zone/start.ts';

const run = promisify(execFile);
const aws = '/usr/bin/aws';
const dig = '/usr/bin/dig';
const skipAws = existsSync(aws) ? false : `${aws} (package awscli) is not installed: the API is not tested against it`;
const skipDig = existsSync(dig) ? false : `${dig} (package bind9-dnsutils) is not installed: DNS is not tested`;

type Answer = { readonly ok: Record<string, unknown> | null; readonly error: string };
type Change = {
  readonly action: string;
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly values?: string[];
};

let zone: RunningZone;

async function route53(args: readonly string[], environment: Record<string, string> = {}): Promise<Answer> {
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: zone.directory,
    AWS_ACCESS_KEY_ID: zoneKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: zoneKeys.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_MAX_ATTEMPTS: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...environment,
  };
  try {
    const { stdout } = await run(aws, ['--endpoint-url', zone.endpoint, '--output', 'json', 'route53', ...args], {
      env,
      timeout: 20_000,
    });
    return { ok: JSON.parse(stdout) as Record<string, unknown>, error: '' };
  } catch (error) {
    return { ok: null, error: String((error as { stderr?: string }).stderr ?? error).trim() };
  }
}

function part<T>(answer: Answer, name: string): T {
  assert.notEqual(answer.ok, null, answer.error);
  return answer.ok![name] as T;
}

function change(zoneId: string, changes: readonly Change[]): Promise<Answer> {
  const batch = {
    Comment: 'test <&>',
    Changes: changes.map(({ action, name, type, ttl = 60, values = [] }) => ({
      Action: action,
      ResourceRecordSet: { Name: name, Type: type, TTL: ttl, ResourceRecords: values.map((Value) => ({ Value })) },
    })),
  };
  return route53(['change-resource-record-sets', '--hosted-zone-id', zoneId, '--change-batch', JSON.stringify(batch)]);
}

async function values(zoneId: string, name: string, type: string): Promise<readonly string[] | null> {
  const sets = await zone.control.records(zoneId);
  return sets.find((set) => set.name === `${name}.` && set.type === type)?.values ?? null;
}

before(async () => {
  zone = await startZone(['--insync-ms', '1500']);
});
after(async () => {
  await zone[Symbol.asyncDispose]();
});

describe('the API, asked by awscli', { skip: skipAws }, () => {
  const txt = { name: 'cas.register.test', type: 'TXT' } as const;
  const id = registerZone.id;

  it('creates, and refuses to create twice', async () => {
    const made = await change(id, [{ action: 'CREATE', ...txt, values: ['"one \\"<&>\\" \'x\'"'] }]);
    assert.equal(part<{ Status: string }>(made, 'ChangeInfo').Status, 'PENDING');
    assert.deepEqual(await values(id, txt.name, 'TXT'), ['"one \\"<&>\\" \'x\'"']);
    const again = await change(id, [{ action: 'CREATE', ...txt, values: ['"two"'] }]);
    assert.match(
      again.error,
      /\(InvalidChangeBatch\).*\[Tried to create resource record set \[name='cas.register.test.', type='TXT'\] but it already exists\]/,
    );
  });

  it('deletes only what matches in every value and the TTL', async () => {
    const names = ['m0.register.test', 'm1.register.test', 'm2.register.test'];
    const both = ['"a"', '"b"'];
    const wrong = [{ values: ['"a"'] }, { values: both, ttl: 61 }, { values: ['"A"', '"b"'] }];
    await change(
      id,
      names.map((name) => ({ action: 'CREATE', name, type: 'TXT', values: both })),
    );
    const refused = await change(
      id,
      names.map((name, n) => ({ action: 'DELETE', name, type: 'TXT', ...wrong[n] })),
    );
    for (const name of names) {
      const words = `Tried to delete resource record set [name='${name}.', type='TXT'] but the values provided do not match the current values`;
      assert.ok(refused.error.includes(words), refused.error);
    }
    const right = names.map((name) => ({ action: 'DELETE', name, type: 'TXT', values: both.toReversed() }));
    assert.equal((await change(id, right)).error, '');
    assert.match((await change(id, right)).error, /InvalidChangeBatch.*but it was not found/);
  });

  it('takes DELETE and CREATE of one set in one batch as a compare-and-swap, all or nothing', async () => {
    await change(id, [{ action: 'UPSERT', ...txt, values: ['"1"'] }]);
    const swap = (from: string, to: string) =>
      change(id, [
        { action: 'DELETE', ...txt, values: [from] },
        { action: 'CREATE', ...txt, values: [to] },
        { action: 'UPSERT', name: 'by.register.test', type: 'TXT', values: [to] },
      ]);
    assert.equal((await swap('"1"', '"2"')).error, '');
    assert.match((await swap('"1"', '"3"')).error, /InvalidChangeBatch/);
    assert.deepEqual(await values(id, txt.name, 'TXT'), ['"2"']);
    assert.deepEqual(await values(id, 'by.register.test', 'TXT'), ['"2"'], 'the whole batch was refused');
  });

  it('refuses other combinations for one set, with AWS’s words', async () => {
    const remove = { action: 'DELETE', ...txt, values: ['"2"'] };
    const create = { action: 'CREATE', name: 'c.register.test', type: 'TXT', values: ['"2"'] };
    const answer = await change(id, [remove, remove, create, { ...create, action: 'DELETE' }]);
    assert.match(answer.error, /InvalidChangeBatch.*invalid set of changes for a resource record set 'TXT cas/);
    assert.match(answer.error, /invalid set of changes for a resource record set 'TXT c.register.test.'/);
  });

  it('refuses what is no record, with all messages of the batch at once', async () => {
    const name = 'new.register.test';
    const cases: readonly [Partial<Change>, RegExp][] = [
      [{ values: ['bare'] }, /InvalidCharacterString \(Value should be enclosed in quotation marks\)/],
      [{ values: [`"${'x'.repeat(256)}"`] }, /CharacterStringTooLong/],
      [{ values: [Array.from({ length: 16 }, () => `"${'x'.repeat(255)}"`).join(' ')] }, /longer than 4000/],
      [{ values: ['"a"', '"a"'] }, /Duplicate Resource Record/],
      [{ type: 'A', values: ['1.2.3'] }, /ARRDATAIllegalIPv4Address/],
      [{ name: 'x.elsewhere.test' }, /RRSet with DNS name x.elsewhere.test. is not permitted in zone register.test./],
      [{ name: 'a..register.test' }, /DomainLabelEmpty/],
    ];
    const changes = cases.map(([over], n) => ({
      action: 'CREATE',
      name: `n${n}.${name}`,
      type: 'TXT',
      values: ['"x"'],
      ...over,
    }));
    const answer = await change(id, changes);
    assert.match(answer.error, /\(InvalidChangeBatch\)/);
    for (const [, words] of cases) assert.match(answer.error, words);
    const clashes = await change(id, [
      { action: 'CREATE', name: 'register.test', type: 'CNAME', values: ['a.test'] },
      { action: 'CREATE', name: 'by.register.test', type: 'CNAME', values: ['a.test'] },
    ]);
    assert.match(clashes.error, /not permitted at apex.*conflicts with other records/);
    const soa = (await zone.control.records(id)).find((set) => set.type === 'SOA')!;
    const remove = { action: 'DELETE', name: 'register.test', type: 'SOA', ttl: 900, values: [...soa.values] };
    assert.match((await change(id, [remove])).error, /must contain exactly one SOA/);
    const mail = { action: 'CREATE', name, type: 'MX', values: ['10 a.test'] };
    assert.match((await change(id, [mail])).error, /does not implement records of type 'MX'/);
  });

  it('is loud about what it does not implement', async () => {
    assert.match((await route53(['list-hosted-zones'])).error, /does not implement GET/);
    const weighted = {
      Changes: [
        {
          Action: 'CREATE',
          ResourceRecordSet: {
            Name: 'w.register.test',
            Type: 'A',
            SetIdentifier: 'a',
            Weight: 1,
            TTL: 1,
            ResourceRecords: [{ Value: '192.0.2.1' }],
          },
        },
      ],
    };
    const args = ['change-resource-record-sets', '--hosted-zone-id', id, '--change-batch', JSON.stringify(weighted)];
    assert.match((await route53(args)).error, /does not implement <SetIdentifier>/);
  });

  it('lists from a name and type on, in pages', async () => {
    const list = async (...args: string[]) => {
      const answer = await route53([
        'list-resource-record-sets',
        '--no-paginate',
        '--hosted-zone-id',
        entryZone.id,
        ...args,
      ]);
      return answer.ok as {
        ResourceRecordSets: { Name: string; Type: string }[];
        IsTruncated: boolean;
        NextRecordName?: string;
      };
    };
    const address = { type: 'A', values: ['192.0.2.1'] };
    await change(entryZone.id, [
      { action: 'CREATE', name: 'b.siteward.test', ...address },
      { action: 'CREATE', name: 'B.siteward.test.', type: 'TXT', values: ['"b"'] },
      { action: 'CREATE', name: 'z.a.siteward.test', ...address },
    ]);
    const all = (await list()).ResourceRecordSets.map(({ Name, Type }) => `${Name} ${Type}`);
    assert.deepEqual(all, [
      'siteward.test. NS',
      'siteward.test. SOA',
      'z.a.siteward.test. A',
      'b.siteward.test. A',
      'b.siteward.test. TXT',
    ]);
    const one = await list('--start-record-name', 'b.siteward.test', '--start-record-type', 'TXT', '--max-items', '1');
    assert.deepEqual(
      one.ResourceRecordSets.map(({ Type }) => Type),
      ['TXT'],
    );
    const paged = await list('--max-items', '2');
    assert.deepEqual([paged.IsTruncated, paged.NextRecordName], [true, 'z.a.siteward.test.']);
  });

  it('finds zones and changes, and says when there are none', async () => {
    const zones = await route53(['list-hosted-zones-by-name', '--dns-name', 'register.test']);
    assert.equal(part<{ Id: string }[]>(zones, 'HostedZones')[0]?.Id, `/hostedzone/${id}`);
    assert.equal(
      part<{ Name: string }>(await route53(['get-hosted-zone', '--id', id]), 'HostedZone').Name,
      'register.test.',
    );
    assert.match(
      (await route53(['get-hosted-zone', '--id', 'ZNONE'])).error,
      /\(NoSuchHostedZone\).*No hosted zone found with ID: ZNONE/,
    );
    assert.match((await route53(['get-change', '--id', 'CNONE'])).error, /\(NoSuchChange\)/);
  });

  it('lets in nobody without the right key, secret or region', async () => {
    const ask = (environment: Record<string, string>) => route53(['get-hosted-zone', '--id', id], environment);
    assert.match((await ask({ AWS_ACCESS_KEY_ID: 'AKIAOTHER' })).error, /\(InvalidClientTokenId\)/);
    assert.match((await ask({ AWS_SECRET_ACCESS_KEY: 'wrong' })).error, /\(SignatureDoesNotMatch\)/);
    assert.match((await ask({ AWS_DEFAULT_REGION: 'eu-west-1' })).error, /valid region/);
    assert.equal((await fetch(`${zone.endpoint}/2013-04-01/hostedzone/${id}`)).status, 403);
  });

  it('shows the faults it is told to show', async () => {
    const upsert = () => change(id, [{ action: 'UPSERT', ...txt, values: ['"fault"'] }]);
    const before = await values(id, txt.name, 'TXT');
    for (const [mode, words] of [
      [{ throttle: 'all' }, /\(Throttling\).*Rate exceeded/],
      [{ priorRequest: true }, /\(PriorRequestNotComplete\)/],
      [{ fail: 500 }, /\(InternalFailure\)/],
    ] as const) {
      await zone.control.clearMode(id);
      await zone.control.setMode(id, mode);
      assert.match((await upsert()).error, words);
    }
    assert.deepEqual(await values(id, txt.name, 'TXT'), before);
    await zone.control.clearMode(id);
    await assert.rejects(zone.control.setMode(id, { slow: 1 } as never), /no such mode: slow/);
    assert.equal((await zone.control.counters())[`${id} ChangeResourceRecordSets Throttling`], 1);
  });
});

describe('DNS, asked by dig', { skip: skipDig }, () => {
  const ask = async (...args: string[]): Promise<string> => {
    const { host, port } = zone.dns;
    return (await run(dig, [`@${host}`, '-p', String(port), '+tries=1', '+time=2', ...args], { timeout: 10_000 }))
      .stdout;
  };
  const name = 'dns.siteward.test';

  it('answers with the TTL what is there, with authority, over UDP and TCP', async () => {
    await zone.control.putRecord(entryZone.id, { name, type: 'A', ttl: 10, values: ['192.0.2.7'] });
    for (const transport of ['+notcp', '+tcp']) {
      const text = await ask(transport, 'DNS.siteward.test', 'A');
      assert.match(text, /status: NOERROR/);
      assert.match(text, /flags: qr aa rd/);
      assert.match(text, /DNS\.siteward\.test\.\s+10\s+IN\s+A\s+192\.0\.2\.7/);
    }
  });

  it('says NXDOMAIN, or no data, with the SOA', async () => {
    const nothing = await ask('nothing.siteward.test', 'A');
    assert.match(nothing, /status: NXDOMAIN.*AUTHORITY: 1/s);
    assert.match(nothing, /siteward\.test\.\s+900\s+IN\s+SOA/);
    assert.match(await ask(name, 'AAAA'), /status: NOERROR.*ANSWER: 0, AUTHORITY: 1/s);
    await zone.control.putRecord(entryZone.id, {
      name: `x.empty.${entryZone.name}`,
      type: 'A',
      ttl: 1,
      values: ['192.0.2.1'],
    });
    assert.match(await ask(`empty.${entryZone.name}`, 'A'), /status: NOERROR.*ANSWER: 0/s);
    assert.match(await ask('www.example.org', 'A'), /status: REFUSED/);
  });

  it('follows a CNAME within the zone', async () => {
    await zone.control.putRecord(entryZone.id, {
      name: 'alias.siteward.test',
      type: 'CNAME',
      ttl: 5,
      values: [`${name}.`],
    });
    assert.match(await ask('alias.siteward.test', 'A'), /CNAME\s+dns\.siteward\.test\.\n.*192\.0\.2\.7/);
  });

  it('truncates over UDP, so that the asker comes back by TCP', async () => {
    const long = Array.from({ length: 8 }, (_, n) => `"${String(n).repeat(250)}"`).join(' ');
    await zone.control.putRecord(registerZone.id, { name: 'long.register.test', type: 'TXT', ttl: 1, values: [long] });
    assert.match(await ask('+ignore', 'long.register.test', 'TXT'), /flags: qr aa tc rd/);
    assert.equal((await ask('+short', 'long.register.test', 'TXT')).trim(), long);
  });

  it('shows a change only when it is INSYNC, and goes on after a power loss', { skip: skipAws }, async () => {
    const made = await change(entryZone.id, [{ action: 'UPSERT', name, type: 'A', values: ['192.0.2.8'] }]);
    const changeId = part<{ Id: string }>(made, 'ChangeInfo').Id;
    assert.equal((await ask('+short', name, 'A')).trim(), '192.0.2.7');
    await zone.restart();
    const deadline = performance.now() + 5000;
    while ((await ask('+short', name, 'A')).trim() !== '192.0.2.8') assert.ok(performance.now() < deadline);
    assert.equal(
      part<{ Status: string }>(await route53(['get-change', '--id', changeId]), 'ChangeInfo').Status,
      'INSYNC',
    );
  });
});
