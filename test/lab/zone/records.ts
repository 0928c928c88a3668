// Record sets: what the API accepts as a value of each type, and the bytes that DNS answers for it.

import { isIPv4, isIPv6 } from 'node:net';

export type RecordSet = {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly values: readonly string[];
};

export const recordTypes: readonly string[] = ['A', 'AAAA', 'CNAME', 'NS', 'SOA', 'TXT'];

/** A TXT value longer than this is refused; each quoted string in it may have 255 characters. */
const txtValueMax = 4000;
const txtStringMax = 255;

/** The strings of a TXT value as DNS carries them, or why the value is refused in the words of the API. */
export function parseTxt(value: string): Buffer[] | string {
  const problem = (what: string) => `FATAL problem: ${what} encountered with '${value}'`;
  if (value.length > txtValueMax) return problem('TXTRDATATooLong (Value is longer than 4000 characters)');
  const strings: Buffer[] = [];
  let at = 0;
  while (at < value.length) {
    if (value[at] !== '"') {
      return problem('InvalidCharacterString (Value should be enclosed in quotation marks)');
    }
    const bytes: number[] = [];
    const start = at + 1;
    at = start;
    while (value[at] !== '"') {
      if (at >= value.length) return problem('InvalidCharacterString (Unterminated quotation mark)');
      const code = value.charCodeAt(at);
      if (value[at] === '\\') {
        const octal = /^[0-3][0-7]{2}/.exec(value.slice(at + 1));
        const next = value[at + 1];
        if (octal) bytes.push(Number.parseInt(octal[0], 8));
        else if (next === '"' || next === '\\') bytes.push(next.charCodeAt(0));
        else return problem('InvalidCharacterString (Invalid escape sequence)');
        at += octal ? 4 : 2;
      } else if (code < 0x20 || code > 0x7e) {
        return problem('UnsupportedCharacter (Value contains unsupported characters)');
      } else {
        bytes.push(code);
        at += 1;
      }
    }
    // Counted as written: whether AWS counts an escape as one or four characters is not documented, so the double
    // takes the stricter reading.
    if (at - start > txtStringMax) return problem('CharacterStringTooLong (Value is too long)');
    strings.push(Buffer.from(bytes));
    at += 1;
    if (at < value.length && value[at] !== ' ') {
      return problem('InvalidCharacterString (Strings should be separated by a space)');
    }
    while (value[at] === ' ') at += 1;
  }
  return strings.length > 0 ? strings : problem('InvalidCharacterString (Value is empty)');
}

/** Why a value is refused for a type, in the words of the API, or null. */
export function valueProblem(type: string, value: string): string | null {
  switch (type) {
    case 'A':
      return isIPv4(value)
        ? null
        : `FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '${value}'`;
    case 'AAAA':
      return isIPv6(value)
        ? null
        : `FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '${value}'`;
    case 'TXT': {
      const strings = parseTxt(value);
      return typeof strings === 'string' ? strings : null;
    }
    case 'SOA':
      return /^\S+ \S+( \d+){5}$/.test(value) ? null : `FATAL problem: SOARDATAInvalid encountered with '${value}'`;
    default:
      return /^[A-Za-z0-9_.-]+$/.test(value)
        ? null
        : `FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with '${value}'`;
  }
}

/** What dns-packet wants as `data` for a value. */
export function answerData(type: string, value: string): unknown {
  if (type === 'TXT') return parseTxt(value);
  if (type === 'CNAME' || type === 'NS') return value.replace(/\.$/, '');
  if (type !== 'SOA') return value;
  const [mname = '', rname = '', ...numbers] = value.split(' ');
  const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers.map(Number);
  return { mname: mname.replace(/\.$/, ''), rname: rname.replace(/\.$/, ''), serial, refresh, retry, expire, minimum };
}
