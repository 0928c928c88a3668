/** The demo's paper: plain lines anywhere; on a terminal colours, and one live line at the bottom. */
const isTerminal = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
const hasColour = isTerminal && process.env['NO_COLOR'] === undefined;

const paint = (code: string) => (text: string) => (hasColour ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint('1');
export const dim = paint('2');
export const red = paint('31');
export const green = paint('32');
export const yellow = paint('33');
export const cyan = paint('36');

let live = '';

const erase = () => (live === '' ? '' : '\r\x1b[2K');

export function line(text = ''): void {
  process.stdout.write(`${erase()}${text}\n${live}`);
}

/** Replaces the bottom line; does nothing where there is no terminal. Empty takes it away. */
export function liveLine(text: string): void {
  if (!isTerminal) return;
  const width = (process.stdout.columns || 100) - 1;
  const before = erase();
  live = text.slice(0, width);
  process.stdout.write(`${before}${live === '' ? '' : dim(live)}`);
  if (live !== '') live = dim(live);
}

export function heading(text: string): void {
  line();
  line(bold(cyan(`== ${text}`)));
}

/** Keeps the live line new until the work is done. */
export async function withLiveLine<T>(text: () => string, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => liveLine(text()), 100);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    liveLine('');
  }
}
