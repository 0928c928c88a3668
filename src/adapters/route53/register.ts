// The register witness in one TXT record (W1, W2): the adapter reads one string and swaps one exact string for another.

import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { done, type Outcome } from '../../core/outcome.ts';
import type { Register } from '../../ports/register.ts';
import { openZone, type Route53Options, refuse, type Zone } from './client.ts';
import { decodeTxt, encodeTxt, txtValueMax } from './txt.ts';

export type Route53Register = Register & { close(): void };

/** The text in a record set; a set that is not one plain TXT value is none of ours (W3: unreadable). */
function textOf(set: ResourceRecordSet): Outcome<string> {
  const [record, ...others] = set.ResourceRecords ?? [];
  const where = set.Name ?? 'the record';
  if (set.SetIdentifier !== undefined || record?.Value === undefined || others.length > 0) {
    return refuse('unreadable', `the record set ${where} does not hold exactly one plain value`);
  }
  const text = decodeTxt(record.Value);
  return text === null ? refuse('unreadable', `the value of ${where} is no quoted text`) : done(text);
}

/** `options.ttlSeconds` does not matter to anybody: the register is never read through DNS. */
export function createRegister(options: Route53Options): Route53Register {
  const zone: Zone = openZone(options);
  // What was last seen, exactly as the API gave it: DELETE has to match values *and* TTL, and a person may have restored
  // the same text in another form. A wrong guess costs one conflict and the read after it.
  let seen: { readonly text: string; readonly set: ResourceRecordSet } | null = null;

  const toSet = (text: string): ResourceRecordSet | null => {
    const value = encodeTxt(text);
    if (value === null) return null;
    return { Name: options.name, Type: 'TXT', TTL: options.ttlSeconds, ResourceRecords: [{ Value: value }] };
  };

  return {
    async read(deadlineMs) {
      const outcome = await zone.list('TXT', deadlineMs);
      if (outcome.kind !== 'done') return outcome;
      if (outcome.value === null) return done(null);
      const text = textOf(outcome.value);
      if (text.kind === 'done') seen = { text: text.value, set: outcome.value };
      return text;
    },
    async swap(expected, next, deadlineMs) {
      const tooLong = refuse(
        'too-long',
        `the value would be longer than the ${txtValueMax} characters of a TXT record`,
      );
      const nextSet = toSet(next);
      if (nextSet === null) return tooLong;
      const create = { Action: 'CREATE' as const, ResourceRecordSet: nextSet };
      const oldSet = expected === null ? null : seen?.text === expected ? seen.set : toSet(expected);
      if (expected !== null && oldSet === null) return tooLong;
      const changes = oldSet === null ? [create] : [{ Action: 'DELETE' as const, ResourceRecordSet: oldSet }, create];
      const outcome = await zone.change(changes, 'siteward register', deadlineMs);
      if (outcome.kind !== 'done') return outcome;
      seen = { text: next, set: nextSet };
      return done(undefined);
    },
    close: () => zone.close(),
  };
}
