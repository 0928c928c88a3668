// Domain names as Route 53 keeps them: lower case, with the final dot, in an order of labels from the right.

/** Why a name is refused, in the words of the API, or null. */
export function nameProblem(name: string): string | null {
  const quoted = `encountered with '${name}'`;
  const labels = name.replace(/\.$/, '').split('.');
  if (labels.some((label) => label === '')) return `FATAL problem: DomainLabelEmpty (Domain label is empty) ${quoted}`;
  if (labels.some((label) => label.length > 63)) {
    return `FATAL problem: DomainLabelTooLong (Domain label is too long) ${quoted}`;
  }
  if (name.length > 255) return `FATAL problem: DomainNameTooLong (Domain name is too long) ${quoted}`;
  // The API takes more (escapes, wildcards); siteward needs none of it, so the double takes none of it.
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) {
    return `FATAL problem: UnsupportedCharacter (Value contains unsupported characters) ${quoted}`;
  }
  return null;
}

export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** True for the zone's own name and everything below it; both normal. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

function reversed(name: string): string {
  return name.replace(/\.$/, '').split('.').reverse().join('.');
}

/** The order of ListResourceRecordSets: labels reversed, then the type. */
export function compareSets(a: { name: string; type: string }, b: { name: string; type: string }): number {
  const left = reversed(a.name);
  const right = reversed(b.name);
  if (left !== right) return left < right ? -1 : 1;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  return 0;
}
