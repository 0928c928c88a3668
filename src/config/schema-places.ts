/** The cluster file's sections about places and parties: sites, witness, pinned keys, the public name. See schema.ts. */
import { z } from 'zod';
import { absolutePath, dnsName, doc, duration, hostName, ipAddress, pinList, port, word } from './fields.ts';

const host = (example: string, address: string) => ({
  host: hostName().meta(doc('Name of the host, as `hostname` prints it there.', example)),
  address: ipAddress().meta(doc('IP address the other hosts reach it at; never a name.', address)),
});

export const siteSchema = z.strictObject({
  region: word(/^[a-z0-9-]+$/, 'is no region name: lower-case letters, digits and hyphens').meta(
    doc('AWS region of the site; decides whether a route53 witness would die with it (W5).', 'eu-west-1'),
  ),
  service: z
    .strictObject(host('site1-svc', '172.20.1.10'))
    .meta(doc('The service host: HAProxy, and the agent of this site.')),
  application: z
    .strictObject({
      ...host('site1-app', '172.20.1.20'),
      instances: z
        .array(port())
        .min(1)
        .max(64)
        .prefault([8001, 8002, 8003])
        .meta(doc('TCP port of each instance of the application.', [8001, 8002, 8003])),
    })
    .meta(doc('The application host and its instances.')),
  database: z
    .strictObject({
      ...host('site1-db', '172.20.1.30'),
      port: port().prefault(5432).meta(doc('Port of PostgreSQL.', 5432)),
    })
    .meta(doc('The database host: PostgreSQL, its guard and its fuse.')),
});

const route53 = (name: string) =>
  z.strictObject({
    hostedZoneId: word(/^Z[A-Z0-9]{1,31}$/, 'is no hosted zone id: Z and up to 31 capital letters and digits').meta(
      doc('Id of the Route 53 hosted zone.', 'Z0123456789ABCDEFGHIJ'),
    ),
    name: dnsName().meta(doc('Full name of the record in that zone.', name)),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'is no http or https address' })
      .optional()
      .meta(doc("Another endpoint than AWS's own.", 'http://172.22.1.20:4566')),
    credentialsFile: absolutePath()
      .optional()
      .meta(doc('AWS shared credentials file; without it the instance role is used.', '/etc/siteward/aws.credentials')),
  });

export const witnessSchema = z.strictObject({
  kind: z
    .enum(['route53', 'agent', 'none'])
    .meta(
      doc(
        "The third vote: a TXT record in a zone of its own (route53), a third agent on any host (agent), or none - then a lost primary's site waits for a person.",
        'route53',
      ),
    ),
  route53: route53('witness.birthday-witness.example')
    .optional()
    .meta(doc('The register, for kind route53. The zone holds nothing else (Q9).')),
  agent: z
    .strictObject(host('witness', '172.22.1.10'))
    .optional()
    .meta(doc('The host of `siteward witness`, for kind agent.')),
});

const PIN = ['XDkFVhqNwfcJUyUkg9EQ/eJNUf2mQreRZneFB5eQG6w='];

export const keysSchema = z.strictObject({
  directory: absolutePath()
    .prefault('/etc/siteward/keys')
    .meta(
      doc("Directory of this host's own private keys and certificates: NAME.key and NAME.crt.", '/etc/siteward/keys'),
    ),
  'site1-agent': pinList().meta(doc("Pinned public key of site1's agent.", PIN)),
  'site2-agent': pinList().meta(doc("Pinned public key of site2's agent.", PIN)),
  'site1-guard': pinList().meta(doc("Pinned public key of site1's guard.", PIN)),
  'site2-guard': pinList().meta(doc("Pinned public key of site2's guard.", PIN)),
  witness: pinList().optional().meta(doc('Pinned public key of the witness, for kind agent.', PIN)),
  operators: z
    .record(
      word(/^[a-z][a-z0-9._-]{0,31}$/, "is no operator's name: lower-case letters, digits, . _ -"),
      pinList().meta(doc('Pinned public key of the operator of this name.', PIN)),
    )
    .prefault({})
    .meta(doc('Pinned public keys of the people who may give orders, by name.')),
});

export const dnsSchema = z.strictObject({
  kind: z
    .enum(['route53', 'none'])
    .meta(
      doc(
        'Who serves the public name; none: siteward moves no name (an anycast address or somebody else does).',
        'route53',
      ),
    ),
  route53: route53('birthday.example.com').optional().meta(doc('The public name, for kind route53.')),
  ttl: duration().prefault('10s').meta(doc('TTL of the record.', '10s')),
  addresses: z
    .strictObject({
      site1: ipAddress()
        .optional()
        .meta(doc("Answer while site1 is the entry; its service host's address when absent.", '203.0.113.10')),
      site2: ipAddress()
        .optional()
        .meta(doc("Answer while site2 is the entry; its service host's address when absent.", '198.51.100.10')),
    })
    .prefault({})
    .meta(doc('Public addresses of the service hosts.')),
});
