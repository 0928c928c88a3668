// What a change batch does to a zone: everything or nothing, by the rules of ChangeResourceRecordSets.

import { isWithin, nameProblem, normalName } from './names.ts';
import { type RecordSet, valueProblem } from './records.ts';

export type Action = 'CREATE' | 'DELETE' | 'UPSERT';
export type Change = { readonly action: Action; readonly set: RecordSet };
export type Records = ReadonlyMap<string, RecordSet>;

/** AWS's limits per request; an UPSERT counts double. */
const recordsMax = 1000;
const charactersMax = 32_000;

export function setKey(name: string, type: string): string {
  return `${normalName(name)} ${type}`;
}

function label(set: RecordSet): string {
  return `[name='${normalName(set.name)}', type='${set.type}']`;
}

function isSame(a: RecordSet, b: RecordSet): boolean {
  const sorted = (set: RecordSet) => JSON.stringify([...set.values].sort());
  return a.ttl === b.ttl && sorted(a) === sorted(b);
}

function formProblems(zone: string, { action, set }: Change): string[] {
  const bad = nameProblem(set.name);
  if (bad !== null) return [bad];
  const name = normalName(set.name);
  if (!isWithin(name, zone)) return [`RRSet with DNS name ${name} is not permitted in zone ${zone}`];
  if (action === 'DELETE') {
    if (name === zone && set.type === 'SOA') return ['A HostedZone must contain exactly one SOA record.'];
    if (name === zone && set.type === 'NS') {
      return ['A HostedZone must contain at least one NS record for the zone itself.'];
    }
    return [];
  }
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const value of set.values) {
    const problem = valueProblem(set.type, value);
    if (problem !== null) problems.push(`Invalid Resource Record: '${problem}'`);
    if (seen.has(value)) problems.push(`Duplicate Resource Record: '${value}'`);
    seen.add(value);
  }
  if ((set.type === 'CNAME' || set.type === 'SOA') && set.values.length > 1) {
    problems.push(`RRSet of type ${set.type} with DNS name ${name} has more than one value`);
  }
  return problems;
}

/** A set may be touched once, or by DELETE then CREATE: that pair is the compare-and-swap (W2). */
function combinationProblems(changes: readonly Change[]): string[] {
  const actions = new Map<string, { set: RecordSet; actions: Action[] }>();
  for (const { action, set } of changes) {
    const key = setKey(set.name, set.type);
    const entry = actions.get(key) ?? { set, actions: [] };
    entry.actions.push(action);
    actions.set(key, entry);
  }
  const problems: string[] = [];
  for (const entry of actions.values()) {
    const sequence = entry.actions.join('+');
    if (entry.actions.length === 1 || sequence === 'DELETE+CREATE') continue;
    problems.push(
      'The request contains an invalid set of changes for a resource record set ' +
        `'${entry.set.type} ${normalName(entry.set.name)}'`,
    );
  }
  return problems;
}

function limitProblems(changes: readonly Change[]): string[] {
  let records = 0;
  let characters = 0;
  for (const { action, set } of changes) {
    const weight = action === 'UPSERT' ? 2 : 1;
    records += weight * set.values.length;
    characters += weight * set.values.reduce((sum, value) => sum + value.length, 0);
  }
  const problems: string[] = [];
  if (records > recordsMax) problems.push(`Number of records limit of ${recordsMax} exceeded.`);
  if (characters > charactersMax) problems.push(`Number of characters limit of ${charactersMax} exceeded.`);
  return problems;
}

function cnameProblem(zone: string, records: Records, set: RecordSet): string | null {
  const name = normalName(set.name);
  if (set.type === 'CNAME' && name === zone) {
    return `RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${zone}`;
  }
  const clash = [...records.values()].some(
    (other) => other.name === name && other.type !== set.type && (other.type === 'CNAME' || set.type === 'CNAME'),
  );
  if (!clash) return null;
  return (
    `RRSet of type ${set.type} with DNS name ${name} is not permitted as it conflicts with other records ` +
    `with the same DNS name in zone ${zone}`
  );
}

function applyOne(zone: string, records: Map<string, RecordSet>, { action, set }: Change): string | null {
  const key = setKey(set.name, set.type);
  const current = records.get(key);
  if (action === 'DELETE') {
    if (current === undefined) return `Tried to delete resource record set ${label(set)} but it was not found`;
    if (!isSame(current, set)) {
      return `Tried to delete resource record set ${label(set)} but the values provided do not match the current values`;
    }
    records.delete(key);
    return null;
  }
  if (action === 'CREATE' && current !== undefined) {
    return `Tried to create resource record set ${label(set)} but it already exists`;
  }
  const clash = cnameProblem(zone, records, set);
  if (clash !== null) return clash;
  records.set(key, { ...set, name: normalName(set.name) });
  return null;
}

/** The records after the batch, or the messages of its InvalidChangeBatch; `records` is never touched. */
export function applyBatch(
  zone: string,
  records: Records,
  changes: readonly Change[],
): { readonly records: Map<string, RecordSet> } | { readonly messages: readonly string[] } {
  const before = [
    ...changes.flatMap((change) => formProblems(zone, change)),
    ...combinationProblems(changes),
    ...limitProblems(changes),
  ];
  if (before.length > 0) return { messages: before };
  const next = new Map(records);
  const messages: string[] = [];
  const failed = new Set<string>();
  for (const change of changes) {
    const key = setKey(change.set.name, change.set.type);
    if (failed.has(key)) continue;
    const message = applyOne(zone, next, change);
    if (message === null) continue;
    messages.push(message);
    failed.add(key);
  }
  return messages.length > 0 ? { messages } : { records: next };
}
