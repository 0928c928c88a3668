// A string as the value of a TXT record and back, without loss: quoted strings of at most 255 characters, octal escapes
// for what Route 53 does not take as it is.

/** The API's limit for one value, quotation marks and escapes included. */
export const txtValueMax = 4000;
/** Counted with the escapes, which is right whichever way the API counts. */
const stringMax = 255;

/** One or more strings of printable ASCII and escapes, which is all that the API gives. */
const quotedStrings = /^"(?:[ !#-[\]-~]|\\[0-7]{3}|\\["\\])*"(?: +"(?:[ !#-[\]-~]|\\[0-7]{3}|\\["\\])*")* *$/;

function escapeByte(byte: number): string {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
  return `\\${byte.toString(8).padStart(3, '0')}`;
}

/** The value of the record, or null when the text is too long for one. */
export function encodeTxt(text: string): string | null {
  const strings: string[] = [];
  let current = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const escaped = escapeByte(byte);
    if (current.length + escaped.length > stringMax) {
      strings.push(current);
      current = '';
    }
    current += escaped;
  }
  const value = [...strings, current].map((string) => `"${string}"`).join(' ');
  return value.length > txtValueMax ? null : value;
}

/** The text of a record's value, however it was split and escaped; null when it is no value of quoted strings. */
export function decodeTxt(value: string): string | null {
  if (!quotedStrings.test(value)) return null;
  const bytes: number[] = [];
  let isInside = false;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (character === '"') {
      isInside = !isInside;
    } else if (character === '\\') {
      const octal = /^[0-7]{3}/.exec(value.slice(at + 1));
      bytes.push(octal ? Number.parseInt(octal[0], 8) & 0xff : value.charCodeAt(at + 1));
      at += octal ? 3 : 1;
    } else if (isInside) {
      bytes.push(value.charCodeAt(at));
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes));
  } catch {
    return null;
  }
}
