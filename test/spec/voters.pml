/*
 * Two agents and a witness, as the leases see them: the record that each has accepted, its promise to a guard (L3) or a
 * register's nonce (L5, L6), its quarantine (L4), and what a guard's rounds collected. See lease.pml.
 */

#define G1 0
#define G2 1
#define PRIMARY(epoch) (1 - ((epoch) & 1))

/* --- State ----------------------------------------------------------------------------------------------------------- */

byte promised[3];    /* durable: ballots. Q0: everybody begins with the record of epoch 1 at ballot 0. */
byte accepted[3];
byte epochOf[B + 1]; /* the record that the accept of a ballot carries; 0: none was sent; DEAD: nobody can accept it */
byte voted[B + 1];
byte chosen = 2;     /* the epochs of which a record was chosen, as bits */
#define DEAD 7
#define EPOCH_OF(b) (b == 0 -> 1 : epochOf[b])
#define EPOCH_AT(v) EPOCH_OF(accepted[v])

byte promise[3];    /* ticks for which the voter's grants still bind it; of a register: until its nonce is watched out */
byte grantedTo[3];  /* the highest round granted to the guard of its record's primary; of a register: its nonce's, 0 is
                       `released`. A nonce is (guard, round) here: what is written twice would only be watched longer. */
byte quarantine[3];
byte crashesA;

byte noted[2] = 1;   /* L10: the highest chosen epoch a guard learnt of, on disk; its rounds and its lease are of that */
byte lease[2];       /* ticks left */
byte last[2];        /* the last round begun */
byte ended[2];       /* the last round that no longer counts: ended by a release, a start or a newer epoch */
byte released[2];    /* the last round that a release was sent for */
byte left[2 * RMAX];   /* of each round: ticks until t0 + ttl, who granted it, its epoch */
byte grants[2 * RMAX];
byte epoch[2 * RMAX];
#define AT(g, k) (g * RMAX + k - 1)

#ifdef LENGTHS
bit quiet[2 * RMAX];
#define TTL(g, k) (quiet[AT(g, k)] -> 1 : T)
#else
#define TTL(g, k) T
#endif

#ifdef FAILSAFE
bit runs[2];       /* the database accepts writes */
byte ranIn[2];     /* the epoch in which it last did, on disk; Q0: that of site 1 has run in epoch 1 */
#define RAN_IN(g) (g == G1 && ranIn[g] == 0 -> 1 : ranIn[g])
byte vow[2];       /* L8: ticks for which it neither promotes nor starts */
byte startWait[2]; /* L8: the same after a start of its own, for an epoch in which it has not run before */
#endif

#ifdef MUT_Q6_WHAT_THE_ROUND_WAS_FOR
byte unaltered;   /* the ballots whose round was begun to alter nothing */
#endif
#ifdef MUT_L6_NONCE_NOT_NAMED
bit watchedOne;   /* some nonce was watched out, whatever is there now */
#endif
#ifdef REJOIN
bit lostRegister, rejoinedRegister;
#define REGISTER_USED (!lostRegister || rejoinedRegister)
#else
#define REGISTER_USED true
#endif

byte newest = 1;  /* the newest epoch in which a database was ever writable */
byte i, e;        /* scratch: 0 between steps */

/* --- What must hold -------------------------------------------------------------------------------------------------- */

inline assert_may_write(g) {
#ifdef FAILSAFE
  assert(I1 && !runs[OTHER(g)]);       /* I1: two databases writable at once */
#else
  assert(I1 && lease[OTHER(g)] == 0);  /* I1: two databases writable at once */
#endif
  assert(I3 && HAS(chosen, noted[g])); /* I3: writable in an epoch that was never chosen */
  assert(I3 && noted[g] >= newest);    /* I3: writable in an older epoch after a newer one */
  newest = noted[g]
}

/*
 * I7: from here a way leads on. With faults stopped and any two voters left, time frees both, a fresh ballot has the
 * newer of their records chosen, and a change of it, if that is wanted; so a guard may hold a lease again iff it has
 * noted no epoch beyond what those two hold.
 */
#define REACHES(v, w, g) (EPOCH_AT(v) >= noted[g] || EPOCH_AT(w) >= noted[g])
#ifdef NO_WITNESS
#define NO_TRAP(g) REACHES(A1, A2, g)
#else
#define NO_TRAP(g) (REACHES(A1, A2, g) && REACHES(A1, W, g) && REACHES(A2, W, g))
#endif
inline assert_no_trap() {
#ifdef MUT_L2_ACCEPTED_NOT_KNOWN
  skip /* it shows that, too; what it is for is I3 */
#else
  assert(I7 && NO_TRAP(G1) && NO_TRAP(G2)) /* I7: a guard waits for an epoch that two voters cannot reach */
#endif
}

#ifdef NO_WITNESS
#define CHOSEN(set) ((set) == 3)
#define LEASE_GRANTED(set) ((set) != 0)
#elif defined(MUT_L1_QUORUM_OF_ONE)
#define CHOSEN(set) MAJORITY(set)
#define LEASE_GRANTED(set) ((set) != 0)
#else
#define CHOSEN(set) MAJORITY(set)
#define LEASE_GRANTED(set) MAJORITY(set)
#endif

/* I2: chosen epochs never go back from one ballot to the next. */
#define FORK(b, c) (CHOSEN(voted[b]) && CHOSEN(voted[c]) && b < c && epochOf[b] > epochOf[c])
inline assert_chain(b) {
  i = 1;
  do
  :: i <= B -> assert(I2 && !FORK(i, b) && !FORK(b, i)); i++
  :: else -> break
  od;
  i = 0
}

/* --- The record ------------------------------------------------------------------------------------------------------ */

/* Ballots that nobody can accept any more, and that nobody holds, are all alike. */
inline forget_dead_ballots() {
  i = 1;
  do
  :: i < B ->
    if
    :: epochOf[i] != DEAD && promised[0] > i && promised[1] > i && promised[2] > i &&
       accepted[0] != i && accepted[1] != i && accepted[2] != i -> epochOf[i] = DEAD; voted[i] = 0
    :: else
    fi;
    i++
  :: else -> break
  od;
  i = 0
}

#define NEWEST_EPOCH(v, w) (accepted[v] > accepted[w] -> EPOCH_AT(v) : EPOCH_AT(w))
#define MAY_PREPARE(b, v, w) (epochOf[b] == 0 && promised[_pid] < b && promised[v] < b && promised[w] < b && \
  (REGISTER_USED || (v != W && w != W)))

/* Q1, Q2: one prepare at a majority; the newest record of two answers; the proposer promises at its own voter, too. */
inline prepare(b, v, w) {
  promised[_pid] = b; promised[v] = b; promised[w] = b;
  e = NEWEST_EPOCH(v, w)
}

inline propose_unaltered(b, v, w) {
  d_step {
    MAY_PREPARE(b, v, w) ->
    prepare(b, v, w);
    epochOf[b] = e; e = 0;
#ifdef MUT_Q6_WHAT_THE_ROUND_WAS_FOR
    unaltered = unaltered | BIT(b);
#endif
    forget_dead_ballots()
  }
}

#ifdef NO_WITNESS
#define OLDER_EPOCH(v, w) (accepted[v] < accepted[w] -> EPOCH_AT(v) : EPOCH_AT(w))
/* Q2: without a witness what only one of the two holds was not chosen, and may be passed over. */
inline propose_passing_over(b, v, w) {
  d_step {
    MAY_PREPARE(b, v, w) && accepted[v] != accepted[w] ->
    epochOf[b] = OLDER_EPOCH(v, w);
    prepare(b, v, w);
    e = 0;
    forget_dead_ballots()
  }
}
#endif

inline propose_change(b, v, w) {
  d_step {
    MAY_PREPARE(b, v, w) && NEWEST_EPOCH(v, w) < E ->
    prepare(b, v, w);
    epochOf[b] = e + 1; e = 0;
    forget_dead_ballots()
  }
}

/* Q6: a change of primary is what differs from the record that *this* voter holds, whatever the round was begun for. */
#ifdef MUT_Q6_WHAT_THE_ROUND_WAS_FOR
#define SAME_PRIMARY(v, b) (PRIMARY(epochOf[b]) == PRIMARY(EPOCH_AT(v)) || HAS(unaltered, b))
#else
#define SAME_PRIMARY(v, b) (PRIMARY(epochOf[b]) == PRIMARY(EPOCH_AT(v)))
#endif

/* L3, L4: which waits for its promise and its quarantine. */
#if defined(MUT_L3_PROMISE_IGNORED)
#define FREE(v) (quarantine[v] == 0)
#elif defined(MUT_L4_NO_QUARANTINE)
#define FREE(v) (promise[v] == 0)
#else
#define FREE(v) (promise[v] == 0 && quarantine[v] == 0)
#endif

/* L6: and at a register for the nonce that the CAS names, seen unchanged for its ttl, or `released`. */
#if defined(MUT_L6_NO_WATCH)
#define WATCHED_OUT true
#elif defined(MUT_L6_NONCE_NOT_NAMED)
#define WATCHED_OUT (promise[W] == 0 || watchedOne)
#else
#define WATCHED_OUT (promise[W] == 0)
#endif

/* L3, L6: what is promised to the old primary's guard is over, the nonce is `released`; the same primary alters neither. */
#define CHANGES(v, b) (PRIMARY(epochOf[b]) != PRIMARY(EPOCH_AT(v)))
#if defined(MUT_L3_ACCEPT_DROPS_PROMISE)
#define ENDS_PROMISE(v, b) (CHANGES(v, b) || v != W)
#elif defined(MUT_L6_SAME_PRIMARY_CLEARS_NONCE)
#define ENDS_PROMISE(v, b) (CHANGES(v, b) || v == W)
#else
#define ENDS_PROMISE(v, b) CHANGES(v, b)
#endif

inline vote(v, b) {
  if
  :: ENDS_PROMISE(v, b) -> promise[v] = 0; grantedTo[v] = 0
  :: else
  fi;
  promised[v] = b;
  accepted[v] = b;
  voted[b] = voted[b] | BIT(v);
  if
  :: CHOSEN(voted[b]) ->
    chosen = chosen | BIT(epochOf[b]);
    assert_chain(b)
  :: else
  fi;
  assert_no_trap();
  forget_dead_ballots()
}

#define ACCEPTABLE(v, b) (epochOf[b] != 0 && epochOf[b] != DEAD && b >= promised[v] && b > accepted[v])

inline accept(b) {
  d_step { ACCEPTABLE(_pid, b) && (SAME_PRIMARY(_pid, b) || FREE(_pid)) -> vote(_pid, b) }
}

inline accept_at_register(b) {
  d_step { REGISTER_USED && ACCEPTABLE(W, b) && (SAME_PRIMARY(W, b) || WATCHED_OUT) -> vote(W, b) }
}

/* --- Grants ---------------------------------------------------------------------------------------------------------- */

#ifdef LATE
#define RENEW_ARRIVES(g, k) (k <= last[g])
#else
#define RENEW_ARRIVES(g, k) (k > ended[g] && left[AT(g, k)] > 0)
#endif

/* L1: which grants count for round k, and until when they are good. */
#if defined(MUT_L1_ROUNDS_ADDED_UP)
#define COUNTED(g, k) (grants[AT(g, 1)] | grants[AT(g, 2)])
#else
#define COUNTED(g, k) grants[AT(g, k)]
#endif
#if defined(MUT_L1_FROM_THE_ANSWER)
#define GOOD_FOR(g, k) TTL(g, k)
#elif defined(MUT_L9_FENCED_LATE)
#define GOOD_FOR(g, k) (left[AT(g, k)] + 1)
#else
#define GOOD_FOR(g, k) left[AT(g, k)]
#endif

/* L1: a majority of grants of one round extends the lease to t0 + ttl, and an earlier deadline replaces no later one. */
inline count(g, k) {
  if
  :: k > ended[g] && left[AT(g, k)] > 0 && GOOD_FOR(g, k) > lease[g] && LEASE_GRANTED(COUNTED(g, k)) ->
    lease[g] = GOOD_FOR(g, k);
#ifndef FAILSAFE
    assert_may_write(g)
#endif
  :: else
  fi
}

/* L2: its own record has this epoch, and it knows that a record of this epoch was chosen. */
#define HAS_EPOCH(v, g, k) (EPOCH_AT(v) == epoch[AT(g, k)])
#define KNOWS_EPOCH(g, k) HAS(chosen, epoch[AT(g, k)])
#if defined(MUT_L2_ACCEPTED_NOT_KNOWN)
#define MAY_GRANT(v, g, k) HAS_EPOCH(v, g, k)
#elif defined(MUT_L2_ANY_EPOCH)
#define MAY_GRANT(v, g, k) (KNOWS_EPOCH(g, k) && (v != W || HAS_EPOCH(v, g, k)))
#elif defined(MUT_L5_ANY_EPOCH)
#define MAY_GRANT(v, g, k) (KNOWS_EPOCH(g, k) && (v == W || HAS_EPOCH(v, g, k)))
#else
#define MAY_GRANT(v, g, k) (HAS_EPOCH(v, g, k) && KNOWS_EPOCH(g, k))
#endif

/* L3: one deadline, the latest of all its grants, and the highest round: a shorter or older grant brings neither down. */
#if defined(MUT_L3_PROMISE_SHORT)
#define BOUND_FOR(v, g, k) AT_LEAST(promise[v], TTL(g, k) - 1)
#elif defined(MUT_L3_SHORTER_BRINGS_FORWARD)
#define BOUND_FOR(v, g, k) TTL(g, k)
#else
#define BOUND_FOR(v, g, k) AT_LEAST(promise[v], TTL(g, k))
#endif
#ifdef MUT_L3_OLDER_LOWERS_ROUND
#define HIGHEST_ROUND(v, k) k
#else
#define HIGHEST_ROUND(v, k) AT_LEAST(grantedTo[v], k)
#endif

inline grant(g, k) {
  d_step {
    RENEW_ARRIVES(g, k) && !HAS(grants[AT(g, k)], _pid) && MAY_GRANT(_pid, g, k) ->
    grants[AT(g, k)] = grants[AT(g, k)] | BIT(_pid);
    promise[_pid] = BOUND_FOR(_pid, g, k);
    grantedTo[_pid] = HIGHEST_ROUND(_pid, k);
    count(g, k)
  }
}

/* L5: over no later round of this guard, and over no longer ttl unless that was released or watched out. */
#ifdef MUT_L5_OVER_A_LATER_ROUND
#define NO_LATER_ROUND(g, k) (grantedTo[W] != k)
#else
#define NO_LATER_ROUND(g, k) (grantedTo[W] < k)
#endif
#if defined(LENGTHS) && !defined(MUT_L5_SHORTER_OVER_LONGER)
#define NO_LONGER_TTL(g, k) (promise[W] == 0 || grantedTo[W] == 0 || TTL(g, grantedTo[W]) <= TTL(g, k))
#else
#define NO_LONGER_TTL(g, k) true
#endif
#ifdef MUT_L5_BY_ANY_AGENT
#define BY_A_GRANTOR(g, k) true
#else
#define BY_A_GRANTOR(g, k) HAS(grants[AT(g, k)], _pid)
#endif
#if defined(MUT_L6_WATCH_SHORT)
#define WATCH_OF(g, k) (TTL(g, k) - 1)
#else
#define WATCH_OF(g, k) TTL(g, k)
#endif

/* L5: a CAS, by an agent that itself granted this round, under L2's conditions on the register's own record. */
inline grant_at_register(g, k) {
  d_step {
    REGISTER_USED && RENEW_ARRIVES(g, k) && BY_A_GRANTOR(g, k) && !HAS(grants[AT(g, k)], W) && MAY_GRANT(W, g, k) &&
      NO_LATER_ROUND(g, k) && NO_LONGER_TTL(g, k) ->
    grants[AT(g, k)] = grants[AT(g, k)] | BIT(W);
    promise[W] = WATCH_OF(g, k);
    grantedTo[W] = k;
    count(g, k)
  }
}

/* --- Releases, crashes ----------------------------------------------------------------------------------------------- */

#ifdef MUT_L7_NO_ROUND_CHECK
#define NO_LATER_GRANT(v, g) (released[g] != 0)
#else
#define NO_LATER_GRANT(v, g) (grantedTo[v] <= released[g])
#endif
#ifdef MUT_L7_ANY_GUARDS_PROMISE
#define PROMISED_TO(v, g) true
#else
#define PROMISED_TO(v, g) (PRIMARY(EPOCH_AT(v)) == g)
#endif
#ifdef MUT_L4_RELEASE_ENDS_QUARANTINE
#define END_QUARANTINE(v) quarantine[v] = 0
#define BOUND(v) (promise[v] + quarantine[v] > 0)
#else
#define END_QUARANTINE(v) skip
#define BOUND(v) (promise[v] > 0)
#endif

/* L7: an agent drops its promise to that guard if it granted it no later round. L4: its quarantine stays. */
inline hear_release(g) {
  d_step {
    released[g] != 0 && BOUND(_pid) && PROMISED_TO(_pid, g) && NO_LATER_GRANT(_pid, g) ->
    promise[_pid] = 0; grantedTo[_pid] = 0;
    END_QUARANTINE(_pid)
  }
}

#ifdef MUT_L7_ANY_NONCE
#define COVERED_NONCE(g) (released[g] != 0)
#else
#define COVERED_NONCE(g) (grantedTo[W] <= released[g])
#endif

/* L7: at the register a CAS from the exact nonce of a covered round to `released`. */
inline release_register(g) {
  d_step {
    grantedTo[W] != 0 && PRIMARY(EPOCH_AT(W)) == g && COVERED_NONCE(g) ->
    promise[W] = 0; grantedTo[W] = 0
  }
}

#ifdef MUT_L4_QUARANTINE_OF_SHORT
#define LONGEST 1
#else
#define LONGEST T
#endif

/* L4: what a restarted agent promised is forgotten; the quarantine, as long as its longest ttl, stands for it. */
inline crash_agent() {
  d_step {
    crashesA < CRASH_A ->
    crashesA++;
    promise[_pid] = 0; grantedTo[_pid] = 0;
    quarantine[_pid] = LONGEST
  }
}

/* W4: both agents at one ballot, the highest either promised; the register begins again there, with a fresh nonce. */
#ifdef MUT_W4_REJOIN_AS_RELEASED
#define FRESH_NONCE 0
#else
#define FRESH_NONCE T
#endif
#ifdef REJOIN
inline lose_register() { d_step { !lostRegister -> lostRegister = 1; promised[W] = 0 } }
inline rejoin_register() {
  d_step {
    lostRegister && !rejoinedRegister && accepted[A1] == accepted[A2] && accepted[A1] > accepted[W] &&
      promised[A1] == accepted[A1] && promised[A2] == accepted[A1] ->
    rejoinedRegister = 1;
    vote(W, accepted[A1]);
    promise[W] = FRESH_NONCE; grantedTo[W] = 0
  }
}
#define REJOIN_STEPS :: lose_register() :: rejoin_register()
#else
#define REJOIN_STEPS
#endif

/* --- The processes --------------------------------------------------------------------------------------------------- */

#if defined(WITNESS_AGENT) || defined(NO_WITNESS)
#define REGISTER_STEPS
#else
#define REGISTER_STEPS \
  EACH_BALLOT(accept_at_register) \
  EACH_ROUND(grant_at_register) \
  :: release_register(G1) :: release_register(G2) \
  REJOIN_STEPS
#endif

#ifdef NO_WITNESS
#define PROPOSALS(step) EACH_PROPOSAL(step, A1, A2)
#define PASSING_OVER PROPOSALS(propose_passing_over)
#else
#define PASSING_OVER
#define PROPOSALS(step) EACH_PROPOSAL(step, A1, A2) EACH_PROPOSAL(step, A1, W) EACH_PROPOSAL(step, A2, W)
#endif

active [2] proctype agent() {
end:
  do
  PROPOSALS(propose_unaltered)
  PROPOSALS(propose_change)
  PASSING_OVER
  EACH_BALLOT(accept)
  EACH_ROUND(grant)
  :: hear_release(G1) :: hear_release(G2)
  :: crash_agent()
  REGISTER_STEPS
  od
}

active proctype witness() {
end:
  do
#ifdef WITNESS_AGENT
  EACH_BALLOT(accept)
  EACH_ROUND(grant)
  :: hear_release(G1) :: hear_release(G2)
  :: crash_agent()
#else
  :: false /* a register has no opinion and no clock: the agents write it */
#endif
  od
}

/* What nobody asks for any more is 0, so that states which differ in nothing else are one. */
inline forget_grant(v) {
  if
  :: promise[v] == 0 -> grantedTo[v] = 0
  :: else
  fi
}
/* A nonce that was watched out is as good as `released`, but to a late grant. */
inline forget_grant_of_witness() {
#ifdef MUT_L6_NONCE_NOT_NAMED
  watchedOne = (grantedTo[W] != 0 && promise[W] == 0 -> 1 : watchedOne);
#endif
#if !defined(LATE) || defined(WITNESS_AGENT)
  forget_grant(W)
#else
  skip
#endif
}
