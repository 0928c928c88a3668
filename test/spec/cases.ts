/**
 * What the checker runs: which model, with which bounds and options, and what must come out. A rule is weakened by one
 * macro, `MUT_<rule>_<how>` in the models; what is expected to hold although a rule is weakened says why.
 */

export interface Case {
  readonly name: string;
  readonly model: 'quorum' | 'lease' | 'sync' | 'era' | 'progress';
  /** Macros of the model: bounds as NAME=VALUE, options as NAME. */
  readonly options: string;
  readonly expect: Expectation;
  /** It is searched depth first although it is caught: sooner, but the way to it is not the shortest. */
  readonly depthFirst?: boolean;
}

export type Expectation =
  | { readonly kind: 'holds' }
  | { readonly kind: 'caught'; readonly rule: string }
  | { readonly kind: 'redundant'; readonly rule: string; readonly why: string };

function holds(model: Case['model'], name: string, options: string): Case {
  return { name: `${model}-${name}`, model, options, expect: { kind: 'holds' } };
}

/** The macro begins with the id of the rule that it weakens. */
function weakened(model: Case['model'], how: string, options: string): Case {
  const expect: Expectation = { kind: 'caught', rule: how.split('_')[0] ?? how };
  return { name: how.toLowerCase().replaceAll('_', '-'), model, options: `${options} MUT_${how}`, expect };
}

function caughtDeep(model: Case['model'], how: string, options: string): Case {
  return { ...weakened(model, how, options), depthFirst: true };
}

function redundant(model: Case['model'], how: string, options: string, why: string): Case {
  const expect: Expectation = { kind: 'redundant', rule: how.split('_')[0] ?? how, why };
  return { ...weakened(model, how, options), expect };
}

/** Some minutes on two cores: what `make test` runs. */
export const SMALL: readonly Case[] = [
  holds('quorum', 'register', 'B=6'),
  holds('quorum', 'agent-witness', 'B=6 WITNESS_AGENT'),
  holds('quorum', 'no-witness', 'B=6 NO_WITNESS'),
  holds('quorum', 'lost-agent', 'B=6 LOSE_AGENT'),
  holds('quorum', 'put-back-agent', 'B=5 LOSE_AGENT PUT_BACK'),
  holds('quorum', 'lost-register', 'B=5 LOSE_REGISTER'),
  holds('lease', 'register', 'B=3'),
  holds('lease', 'agent-witness', 'B=2 WITNESS_AGENT'),
  holds('lease', 'no-witness', 'B=3 NO_WITNESS CRASH_A=1 CRASH_G=1'),
  holds('lease', 'agent-crash', 'B=2 CRASH_A=1'),
  holds('lease', 'guard-crash', 'B=2 CRASH_G=1'),
  holds('lease', 'fuse', 'B=2 CRASH_G=1 FUSE'),
  holds('lease', 'lengths', 'B=2 LENGTHS'),
  holds('lease', 'late', 'B=1 CRASH_G=1 LATE'),
  holds('lease', 'register-made-anew', 'B=2 REJOIN'),
  holds('lease', 'failsafe', 'B=2 FAILSAFE CRASH_G=1'),
  holds('lease', 'told', 'B=2 TELL CRASH_G=1'),
  holds('sync', 'two-questions', 'B=3 QUESTIONS=2 CRASHES=0'),
  holds('sync', 'crash', 'B=3 QUESTIONS=1 CRASHES=1'),
  holds('era', 'ends', 'N=3 CRASHES=0'),
  holds('progress', 'settles', 'T=6 WAIT=3'),
];

/** Half an hour and several GiB: run by hand, the outcome is in docs/protocol/MODEL.md. */
export const LARGE: readonly Case[] = [
  holds('quorum', 'register-7', 'B=7'),
  holds('quorum', 'agent-witness-7', 'B=7 WITNESS_AGENT'),
  holds('quorum', 'lost-register-6', 'B=6 LOSE_REGISTER'),
  holds('lease', 'register-b4', 'B=4'),
  holds('lease', 'register-t3', 'B=3 T=3'),
  holds('lease', 'agent-witness-b3', 'B=3 WITNESS_AGENT'),
  holds('lease', 'no-witness-b4', 'B=4 NO_WITNESS CRASH_A=1 CRASH_G=1'),
  holds('lease', 'agent-crash-b3', 'B=3 CRASH_A=1'),
  holds('lease', 'both-crash', 'B=2 CRASH_A=1 CRASH_G=1'),
  holds('lease', 'fuse-b3', 'B=3 CRASH_G=1 FUSE'),
  holds('lease', 'lengths-b3', 'B=3 LENGTHS'),
  holds('lease', 'late-b2', 'B=2 LATE'),
  holds('lease', 'epochs-3', 'B=3 E=3 R2=2'),
  holds('lease', 'failsafe-e3', 'B=2 E=3 R1=1 R2=2 FAILSAFE CRASH_G=1'),
  holds('sync', 'crash-and-two-questions', 'B=3 QUESTIONS=2 CRASHES=1'),
  holds('era', 'ends-crash', 'N=3 CRASHES=1'),
  holds('era', 'ends-n4', 'N=4 CRASHES=0'),
];

export const WEAKENED: readonly Case[] = [
  weakened('quorum', 'Q1_BALLOT_NOT_ON_DISK', 'B=4'),
  weakened('quorum', 'Q2_LOWER_RECORD', 'B=4'),
  weakened('quorum', 'Q2_ACCEPT_BELOW_PROMISE', 'B=4'),
  weakened('quorum', 'Q2_QUORUM_OF_ONE', 'B=4'),
  weakened('quorum', 'Q2_PASSED_OVER_OF_THREE', 'B=4'),
  weakened('quorum', 'Q3_VOTE_BEFORE_FSYNC', 'B=4'),
  weakened('quorum', 'Q8_VOTES_AFTER_LOSS', 'B=5 LOSE_AGENT'),
  weakened('quorum', 'Q8_REJOIN_AT_OLD_BALLOT', 'B=5 LOSE_AGENT'),
  weakened('quorum', 'Q8_PROMISE_ALONE', 'B=4 LOSE_AGENT PUT_BACK'),
  weakened('quorum', 'W2_WRITE_WITHOUT_CAS', 'B=4'),
  weakened('quorum', 'W3_OLD_VALUE_USED', 'B=5 LOSE_REGISTER'),
  weakened('quorum', 'W4_REJOIN_BELOW_A_PROMISE', 'B=5 LOSE_REGISTER'),

  weakened('lease', 'Q6_WHAT_THE_ROUND_WAS_FOR', 'B=2 R1=1'),
  weakened('lease', 'L1_QUORUM_OF_ONE', 'B=1 R1=1'),
  weakened('lease', 'L1_FROM_THE_ANSWER', 'B=1 R1=1'),
  weakened('lease', 'L1_ROUNDS_ADDED_UP', 'B=1'),
  weakened('lease', 'L1_ROUNDS_REUSED', 'B=1 CRASH_G=1 LATE R1=1'),
  weakened('lease', 'L2_ACCEPTED_NOT_KNOWN', 'B=2 R1=1'),
  weakened('lease', 'L2_ANY_EPOCH', 'B=1 R1=1'),
  weakened('lease', 'L3_PROMISE_IGNORED', 'B=1 R1=1'),
  weakened('lease', 'L3_PROMISE_SHORT', 'B=1 R1=1'),
  weakened('lease', 'L3_ACCEPT_DROPS_PROMISE', 'B=2 R1=1'),
  weakened('lease', 'L3_SHORTER_BRINGS_FORWARD', 'B=1 LENGTHS'),
  weakened('lease', 'L3_OLDER_LOWERS_ROUND', 'B=1 LATE'),
  weakened('lease', 'L4_NO_QUARANTINE', 'B=1 R1=1 CRASH_A=1'),
  weakened('lease', 'L4_RELEASE_ENDS_QUARANTINE', 'B=1 CRASH_A=1'),
  weakened('lease', 'L4_QUARANTINE_OF_SHORT', 'B=1 CRASH_A=1 LENGTHS'),
  weakened('lease', 'L5_OVER_A_LATER_ROUND', 'B=1 LATE'),
  weakened('lease', 'L5_SHORTER_OVER_LONGER', 'B=1 LENGTHS'),
  weakened('lease', 'L5_ANY_EPOCH', 'B=1 R1=1'),
  redundant(
    'lease',
    'L5_BY_ANY_AGENT',
    'B=2',
    'a lease still binds two voters; what it is for is l5-by-one-that-refuses',
  ),
  weakened('lease', 'L6_NO_WATCH', 'B=1 R1=1'),
  weakened('lease', 'L6_WATCH_SHORT', 'B=1 R1=1'),
  weakened('lease', 'L6_NONCE_NOT_NAMED', 'B=1'),
  weakened('lease', 'L6_SAME_PRIMARY_CLEARS_NONCE', 'B=2 R1=1'),
  weakened('lease', 'L7_NO_ROUND_CHECK', 'B=1'),
  weakened('lease', 'L7_ANY_NONCE', 'B=1'),
  weakened('lease', 'L7_GRANTS_IN_FLIGHT_COUNT', 'B=1 R1=1'),
  weakened('lease', 'L7_NOT_FENCED', 'B=1 R1=1'),
  weakened('lease', 'L7_ANY_GUARDS_PROMISE', 'B=2 E=3'),
  redundant('lease', 'L8_ACQUIRES', 'B=1 FAILSAFE CRASH_G=1', 'the refusals alone are enough'),
  redundant(
    'lease',
    'L8_NO_REFUSAL',
    'B=1 FAILSAFE CRASH_G=1',
    'renewing alone is enough; without both: l8-acquires-and-no-refusal',
  ),
  weakened('lease', 'L8_ACQUIRES_AND_NO_REFUSAL', 'B=1 R1=1 FAILSAFE MUT_L8_ACQUIRES MUT_L8_NO_REFUSAL'),
  weakened('lease', 'L8_NO_START_WAIT', 'B=1 FAILSAFE CRASH_G=1'),
  weakened('lease', 'L8_WAIT_COVERS_PROMOTION_ONLY', 'B=2 E=3 R1=1 R2=2 FAILSAFE CRASH_G=1 NO_WITNESS'),
  weakened('lease', 'L8_VOW_NOT_KEPT', 'B=1 FAILSAFE'),
  weakened('lease', 'L8_VOW_SHORT', 'B=1 FAILSAFE'),
  weakened('lease', 'L9_FENCED_LATE', 'B=1 R1=1'),
  weakened('lease', 'L10_WRITES_WITHOUT_LEASE', 'B=1 R1=1'),
  redundant('lease', 'L10_EPOCH_NOT_ON_DISK', 'B=1 CRASH_G=1', 'no voter grants the older epoch any more'),
  weakened('lease', 'L10_NOTES_WHAT_IS_NOT_CHOSEN', 'B=1 R1=1 TELL'),
  weakened('lease', 'L11_RELEASES_WHAT_RUNS', 'B=1 R1=1 CRASH_G=1 FUSE'),
  weakened('lease', 'W4_REJOIN_AS_RELEASED', 'B=2 R1=1 REJOIN'),

  weakened('sync', 'V5_SYNC_NOT_ASKED_FOR', 'B=3 CRASHES=0'),
  weakened('sync', 'V8_OLD_WORD', 'B=3 QUESTIONS=1 CRASHES=0'),
  weakened('sync', 'V8_NO_CHANGE_OF_ITS_OWN', 'B=3 QUESTIONS=1 CRASHES=0'),
  weakened('sync', 'V8_NAMED_BEFORE_SYNC', 'B=3 QUESTIONS=1 CRASHES=0'),
  weakened('sync', 'V8_QUESTION_STAYS_OPEN', 'B=3 QUESTIONS=1 CRASHES=0'),
  weakened('sync', 'V8_FALLS_BACK_UNASKED', 'B=3 QUESTIONS=1 CRASHES=0'),
  weakened('sync', 'V8_WAITS_NOT_ON_DISK', 'B=3 QUESTIONS=1 CRASHES=0'),
  caughtDeep('sync', 'V8_EARLIER_QUESTION', 'B=3 CRASHES=0'),
  caughtDeep('sync', 'V8_QUESTION_NUMBER_REUSED', 'B=3 QUESTIONS=1 CRASHES=1'),
  redundant(
    'sync',
    'V8_BACK_TO_LOWER_BALLOT',
    'B=3 QUESTIONS=1 CRASHES=0',
    'a fresh change answers and a named ballot must be found again',
  ),

  weakened('progress', 'L5_BY_ONE_THAT_REFUSES', 'T=3 WAIT=2'),
  weakened('progress', 'L7_WAITS_FOR_EVER', 'T=3 WAIT=2'),
  weakened('progress', 'V4_REFUSES_WHAT_NOBODY_CAN_REPLACE', 'T=3 WAIT=2'),

  weakened('era', 'FORCE_NO_WAIT', 'N=3 CRASHES=0'),
  weakened('era', 'FORCE_WAIT_FROM_BEING_TOLD', 'N=3 CRASHES=0'),
  weakened('era', 'FORCE_GRANTS_ALONE_AFTER_THE_END', 'N=3 CRASHES=0'),
  redundant(
    'era',
    'FORCE_REGISTER_AS_RELEASED',
    'N=3 CRASHES=0',
    'of any two voters one still waits: the other agent, or the one that ruled alone',
  ),
];
