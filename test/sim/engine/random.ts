// Reproducible randomness: sfc32 (C. Doty-Humphrey, PractRand), 128 bits of state, whole numbers only. Every node and
// every fault has a fork of its own by name, so that one draw more in one of them shifts no other.

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string) {
    const [a, b, c, d] = hash128(seed);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
    for (let warmUp = 0; warmUp < 12; warmUp += 1) this.next();
  }

  /** 32 random bits. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from `low` to `high`, both included. */
  range(low: number, high: number): number {
    return low + (this.next() % (high - low + 1));
  }

  /** True in `part` of `whole` cases. */
  ratio(part: number, whole: number): boolean {
    return this.next() % whole < part;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.next() % from.length];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** The fork is named by a fresh draw and the label: the same label may be used again. */
  fork(label: string): Random {
    return new Random(`${this.next()}.${this.next()}.${label}`);
  }

  /** 128 bits as 32 hex digits. */
  bits(): string {
    let text = '';
    for (let word = 0; word < 4; word += 1) text += this.next().toString(16).padStart(8, '0');
    return text;
  }
}

/** cyrb128: spreads a text over four words; not for security. */
function hash128(text: string): [number, number, number, number] {
  let [h1, h2, h3, h4] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    h1 = h2 ^ Math.imul(h1 ^ code, 597399067);
    h2 = h3 ^ Math.imul(h2 ^ code, 2869860233);
    h3 = h4 ^ Math.imul(h3 ^ code, 951274213);
    h4 = h1 ^ Math.imul(h4 ^ code, 2716044179);
  }
  return [h1 ^ h2 ^ h3 ^ h4, h2 ^ h1, h3 ^ h1, h4 ^ h1];
}
