// What anything outside the core can answer. There is no fourth case: a time-out after sending is `unknown`, never
// `rejected`, because the other side may have done it (house rule: unknown is never down).

export type Done<T> = { readonly kind: 'done'; readonly value: T };
/** The other side answered and refused: `code` is from a closed list of the port, `detail` is for people. */
export type Rejected = { readonly kind: 'rejected'; readonly code: string; readonly detail: string };
/** No answer that can be relied on: it may or may not have happened. */
export type Unknown = { readonly kind: 'unknown'; readonly detail: string };

export type Outcome<T> = Done<T> | Rejected | Unknown;

export function done<T>(value: T): Done<T> {
  return { kind: 'done', value };
}

export function rejected(code: string, detail: string): Rejected {
  return { kind: 'rejected', code, detail };
}

export function unknown(detail: string): Unknown {
  return { kind: 'unknown', detail };
}
