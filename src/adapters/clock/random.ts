import { randomBytes } from 'node:crypto';
import type { RandomSource } from '../../ports/clock.ts';

export function createRandomSource(): RandomSource {
  return { bits: () => randomBytes(16).toString('hex') };
}
