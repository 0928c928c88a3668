// Requests and answers of the API as XML: read strictly (what is not understood is refused), written by templates.

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Action, Change } from './batch.ts';
import { type RecordSet, recordTypes } from './records.ts';
import type { ChangeInfo, Zone } from './store.ts';

const namespace = 'https://route53.amazonaws.com/doc/2013-04-01/';

/** An error of the API with its HTTP status; `message` is what AWS says. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** For what AWS has and the double does not: loud, so that nobody relies on it by accident. */
export function notImplemented(what: string): ApiError {
  return new ApiError(400, 'InvalidInput', `the lab's zone does not implement ${what}`);
}

function invalidXml(why: string): ApiError {
  return new ApiError(400, 'InvalidInput', `Invalid XML ; ${why}`);
}

function toXml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function fromXml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (all, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    const character = named[name];
    if (character === undefined) throw invalidXml(`unknown entity ${all}`);
    return character;
  });
}

type Node = { readonly name: string; readonly children: readonly Node[]; readonly text: string };

function toNode(raw: Record<string, unknown>): Node {
  const name = Object.keys(raw).find((key) => key !== ':@') ?? '';
  const parts = raw[name] as Record<string, unknown>[];
  const isText = (part: Record<string, unknown>) => '#text' in part;
  const text = parts.filter(isText).map((part) => String(part['#text']));
  const children = parts.filter((part) => !isText(part)).map(toNode);
  if (children.length > 0 && text.join('').trim() !== '') throw invalidXml(`text between the elements of ${name}`);
  return { name, children, text: fromXml(text.join('')) };
}

function parse(body: string): Node {
  const valid = XMLValidator.validate(body);
  if (valid !== true) throw invalidXml(valid.err.msg);
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    ignoreDeclaration: true,
  });
  const roots = (parser.parse(body) as Record<string, unknown>[]).filter((part) => !('#text' in part));
  const root = roots[0];
  if (root === undefined || roots.length > 1) throw invalidXml('one root element is expected');
  const xmlns = (root[':@'] as Record<string, string> | undefined)?.['@_xmlns'];
  if (xmlns !== namespace) throw invalidXml(`the root element's namespace must be ${namespace}`);
  return toNode(root);
}

/** The one child of each name; others than `allowed` are refused. */
function fields(node: Node, allowed: readonly string[]): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const child of node.children) {
    if (!allowed.includes(child.name)) throw notImplemented(`<${child.name}> in <${node.name}>`);
    if (found.has(child.name)) throw invalidXml(`<${child.name}> appears twice in <${node.name}>`);
    found.set(child.name, child);
  }
  return found;
}

function required(found: ReadonlyMap<string, Node>, name: string, parent: string): Node {
  const node = found.get(name);
  if (node === undefined) throw invalidXml(`<${name}> is missing in <${parent}>`);
  return node;
}

function toSet(node: Node, action: string): RecordSet {
  const found = fields(node, ['Name', 'Type', 'TTL', 'ResourceRecords']);
  const name = required(found, 'Name', node.name).text;
  const type = required(found, 'Type', node.name).text;
  if (!recordTypes.includes(type)) throw notImplemented(`records of type '${type}'`);
  const ttl = found.get('TTL')?.text;
  const values = (found.get('ResourceRecords')?.children ?? []).map((record) => {
    if (record.name !== 'ResourceRecord') throw notImplemented(`<${record.name}> in <ResourceRecords>`);
    return required(fields(record, ['Value']), 'Value', 'ResourceRecord').text;
  });
  if (ttl === undefined || values.length === 0) {
    throw new ApiError(
      400,
      'InvalidInput',
      'Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or ' +
        `TrafficPolicyInstanceId], but found none in Change with [Action=${action}, Name=${name}, Type=${type}, ` +
        'SetIdentifier=null]',
    );
  }
  if (!/^\d{1,10}$/.test(ttl) || Number(ttl) > 2_147_483_647) throw invalidXml(`TTL '${ttl}' is not valid`);
  return { name, type, ttl: Number(ttl), values };
}

export function parseChangeBatch(body: string): { readonly changes: Change[]; readonly comment: string | null } {
  const root = parse(body);
  if (root.name !== 'ChangeResourceRecordSetsRequest') throw invalidXml(`<${root.name}> is not expected`);
  const batch = fields(required(fields(root, ['ChangeBatch']), 'ChangeBatch', root.name), ['Comment', 'Changes']);
  const changes = required(batch, 'Changes', 'ChangeBatch').children.map((node) => {
    if (node.name !== 'Change') throw notImplemented(`<${node.name}> in <Changes>`);
    const found = fields(node, ['Action', 'ResourceRecordSet']);
    const action = required(found, 'Action', 'Change').text;
    if (action !== 'CREATE' && action !== 'DELETE' && action !== 'UPSERT') {
      throw invalidXml(`Value '${action}' at 'action' failed to satisfy constraint: [CREATE, DELETE, UPSERT]`);
    }
    return { action: action as Action, set: toSet(required(found, 'ResourceRecordSet', 'Change'), action) };
  });
  if (changes.length === 0) throw invalidXml('a ChangeBatch needs at least one Change');
  const comment = batch.get('Comment')?.text ?? null;
  if (comment !== null && comment.length > 256) throw invalidXml('Comment is longer than 256 characters');
  return { changes, comment };
}

function document(root: string, inner: string): string {
  return `<?xml version="1.0"?>\n<${root} xmlns="${namespace}">${inner}</${root}>`;
}

function element(name: string, value: string | number): string {
  return `<${name}>${toXml(String(value))}</${name}>`;
}

export function errorXml(error: ApiError, requestId: string): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  const inner = element('Type', type) + element('Code', error.code) + element('Message', error.message);
  return document('ErrorResponse', `<Error>${inner}</Error>${element('RequestId', requestId)}`);
}

export function changeXml(root: string, change: ChangeInfo, now: number): string {
  const inner =
    element('Id', `/change/${change.id}`) +
    element('Status', change.insyncAt <= now ? 'INSYNC' : 'PENDING') +
    element('SubmittedAt', new Date(change.submittedAt).toISOString()) +
    (change.comment === null ? '' : element('Comment', change.comment));
  return document(root, `<ChangeInfo>${inner}</ChangeInfo>`);
}

export type Page = { readonly sets: readonly RecordSet[]; readonly next: RecordSet | undefined; readonly max: number };

export function listXml({ sets, next, max }: Page): string {
  const items = sets.map((set) => {
    const values = set.values.map((value) => `<ResourceRecord>${element('Value', value)}</ResourceRecord>`).join('');
    const head = element('Name', set.name) + element('Type', set.type) + element('TTL', set.ttl);
    return `<ResourceRecordSet>${head}<ResourceRecords>${values}</ResourceRecords></ResourceRecordSet>`;
  });
  const inner =
    `<ResourceRecordSets>${items.join('')}</ResourceRecordSets>` +
    element('IsTruncated', next === undefined ? 'false' : 'true') +
    (next === undefined ? '' : element('NextRecordName', next.name) + element('NextRecordType', next.type)) +
    element('MaxItems', max);
  return document('ListResourceRecordSetsResponse', inner);
}

function hostedZoneXml(zone: Zone): string {
  const inner =
    element('Id', `/hostedzone/${zone.id}`) +
    element('Name', zone.name) +
    element('CallerReference', `lab-${zone.id}`) +
    `<Config>${element('PrivateZone', 'false')}</Config>` +
    element('ResourceRecordSetCount', zone.current.size);
  return `<HostedZone>${inner}</HostedZone>`;
}

export function zoneXml(zone: Zone): string {
  const servers = [1, 2].map((n) => element('NameServer', `ns-${n}.${zone.name.replace(/\.$/, '')}`)).join('');
  const delegation = `<DelegationSet><NameServers>${servers}</NameServers></DelegationSet>`;
  return document('GetHostedZoneResponse', hostedZoneXml(zone) + delegation);
}

export function zonesByNameXml(zones: readonly Zone[], dnsName: string | null, max: number): string {
  const inner =
    `<HostedZones>${zones.map(hostedZoneXml).join('')}</HostedZones>` +
    (dnsName === null ? '' : element('DNSName', dnsName)) +
    element('IsTruncated', 'false') +
    element('MaxItems', max);
  return document('ListHostedZonesByNameResponse', inner);
}
