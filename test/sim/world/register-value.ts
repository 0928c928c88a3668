// What the register's one line says, for checkers, which ask again and again of the same line.

import type { RegisterState } from '../../../src/core/quorum/register-state.ts';
import { parseRegisterState } from '../../../src/wire/register-codec.ts';

let last: { readonly text: string; readonly state: RegisterState | null } = { text: '', state: null };

/** Null: there is no line, or it cannot be read. */
export function registerValue(text: string | null): RegisterState | null {
  if (text === null) return null;
  if (text !== last.text) last = { text, state: parseRegisterState(text) };
  return last.state;
}
