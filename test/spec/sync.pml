/*
 * Zero-loss mode (V8, V5, docs/decisions/0007-zero-loss.md): whatever a client was told is written is on the new primary
 * (I4). One primary and its guard, one standby, the record's `sync` flag among two agents and a witness, one failover.
 *
 * Of the data one bit is left: `behind`, an acknowledged write that the standby does not have. Of the leases (lease.pml)
 * it is left that a voter votes for the other primary only while it binds itself to no lease of this one. A prepare at a
 * majority is one step, as in lease.pml; a message is a fact that stays true, also a guard's word and an agent's answer.
 *
 * Bounds: ballots 1 to B, QUESTIONS of the guard, CRASHES of guard or database.
 */
#include "common.pml"

#ifndef B
#define B 3
#endif
#ifndef QUESTIONS
#define QUESTIONS 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#if B == 3
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3)
#define EACH_PROPOSAL(step, v, w) :: step(1, v, w) :: step(2, v, w) :: step(3, v, w)
#elif B == 4
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4)
#define EACH_PROPOSAL(step, v, w) :: step(1, v, w) :: step(2, v, w) :: step(3, v, w) :: step(4, v, w)
#elif B == 5
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5)
#define EACH_PROPOSAL(step, v, w) \
  :: step(1, v, w) :: step(2, v, w) :: step(3, v, w) :: step(4, v, w) :: step(5, v, w)
#else
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5) :: step(6)
#define EACH_PROPOSAL(step, v, w) \
  :: step(1, v, w) :: step(2, v, w) :: step(3, v, w) :: step(4, v, w) :: step(5, v, w) :: step(6, v, w)
#endif
#define PROPOSALS(step) EACH_PROPOSAL(step, A1, A2) EACH_PROPOSAL(step, A1, W) EACH_PROPOSAL(step, A2, W)

/* --- The record ------------------------------------------------------------------------------------------------------ */

byte promised[3], accepted[3];
bit sent[B + 1];     /* an accept of this ballot was sent: its record is the next three */
bit inSync[B + 1];   /* `sync` */
bit failover[B + 1]; /* the primary is the other one */
byte asked[B + 1];   /* the question that had arrived at the proposer when it began this ballot */
byte voted[B + 1];
bit replaced;        /* a failover was chosen */

byte found, i;       /* scratch: 0 between steps */

/* --- The primary, its guard, the standby ----------------------------------------------------------------------------- */

bit up = 1;          /* the database runs under a lease; Q0: bootstrap with sync false, nothing waits */
bit waits;           /* commits wait for the standby; on disk, so a restart in place begins with it */
bit streams;         /* the standby is connected */
bit behind;          /* an acknowledged write that the standby does not have */

byte told;           /* the guard's highest chosen ballot */
byte question;       /* the guard's last question; one is open while `asking` */
bit asking;
bit named[B + 1];    /* the guard said: commits wait, the server calls the standby `sync`, and this is the chosen ballot */
byte crashes;

#define IS_CHOSEN(b) (b == 0 || MAJORITY(voted[b]))

/* Two voters that may bind themselves to this primary's lease: neither has accepted a failover. */
#define LEASE_FROM(v, w) (!failover[accepted[v]] && !failover[accepted[w]])

/* --- Voters ---------------------------------------------------------------------------------------------------------- */

/* Ballots that nobody can accept any more, that nobody holds and that were not chosen, are all alike. */
inline forget_dead_ballots() {
  i = 1;
  do
  :: i < B ->
    if
    :: promised[0] > i && promised[1] > i && promised[2] > i && accepted[0] != i && accepted[1] != i && accepted[2] != i ->
      named[i] = 0;
      if
      :: !MAJORITY(voted[i]) -> sent[i] = 1; voted[i] = 0; inSync[i] = 0; failover[i] = 0; asked[i] = 0
      :: else
      fi
    :: else
    fi;
    i++
  :: else -> break
  od;
  i = 0
}

/* L3: while the database runs, the vote for another primary is that of a voter which its lease does without. */
inline accept_at(v, x, y, b) {
  d_step {
    !replaced && sent[b] && b >= promised[v] && b > accepted[v] && (!failover[b] || failover[accepted[v]] || !up || LEASE_FROM(x, y)) ->
    promised[v] = b;
    accepted[v] = b;
    voted[b] = voted[b] | BIT(v);
    if
    :: failover[b] && MAJORITY(voted[b]) ->
      assert(I4 && !behind); /* I4: the new primary lacks a write that was acknowledged */
      replaced = 1; up = 0; streams = 0; asking = 0
    :: else
    fi;
    forget_dead_ballots()
  }
}

/* --- Proposers: the two agents, as one ------------------------------------------------------------------------------- */

#define PREPARABLE(b, v, w) (!replaced && !sent[b] && promised[v] < b && promised[w] < b)
#define FOUND(v, w) (accepted[v] > accepted[w] -> accepted[v] : accepted[w])

inline propose(b, v, w) {
  promised[v] = b; promised[w] = b;
  found = (accepted[v] > accepted[w] -> accepted[v] : accepted[w]);
  sent[b] = 1;
  inSync[b] = inSync[found];
  failover[b] = failover[found];
  found = 0
}

inline propose_unaltered(b, v, w) {
  d_step { PREPARABLE(b, v, w) -> propose(b, v, w); forget_dead_ballots() }
}

/* V8: `sync: true` only onto exactly the record whose ballot the guard named. */
#ifdef MUT_V8_OLD_WORD
#define IS_NAMED(b) (named[0] || named[1] || named[2] || named[3])
#else
#define IS_NAMED(b) named[b]
#endif
inline propose_sync(b, v, w) {
  d_step {
    PREPARABLE(b, v, w) && !failover[FOUND(v, w)] && !inSync[FOUND(v, w)] && IS_NAMED(FOUND(v, w)) ->
    propose(b, v, w);
    inSync[b] = 1;
    forget_dead_ballots()
  }
}

/* V8: asked, an agent begins a change to `sync: false`, also where the record found says so. */
inline propose_no_sync(b, v, w) {
  d_step {
    PREPARABLE(b, v, w) && !failover[FOUND(v, w)] && asking ->
    propose(b, v, w);
    inSync[b] = 0;
    asked[b] = question;
    forget_dead_ballots()
  }
}

/* V5, V6: an automatic failover needs `sync: true` in the record found. */
#ifdef MUT_V5_SYNC_NOT_ASKED_FOR
#define MAY_TAKE_OVER(b) true
#else
#define MAY_TAKE_OVER(b) inSync[b]
#endif
inline propose_failover(b, v, w) {
  d_step {
    PREPARABLE(b, v, w) && !failover[FOUND(v, w)] && MAY_TAKE_OVER(FOUND(v, w)) ->
    propose(b, v, w);
    failover[b] = 1;
    inSync[b] = 0;
    forget_dead_ballots()
  }
}

active proctype agents() {
end:
  do
  PROPOSALS(propose_unaltered)
  PROPOSALS(propose_sync)
  PROPOSALS(propose_no_sync)
  PROPOSALS(propose_failover)
#define at_1(b) accept_at(A1, A2, W, b)
#define at_2(b) accept_at(A2, A1, W, b)
#define at_witness(b) accept_at(W, A1, A2, b)
  EACH_BALLOT(at_1)
  EACH_BALLOT(at_2)
  EACH_BALLOT(at_witness)
  od
}

/* --- The guard ------------------------------------------------------------------------------------------------------- */

/* V8: it is told a chosen record with its ballot and never goes back to a lower one. */
#ifdef MUT_V8_BACK_TO_LOWER_BALLOT
#define NOT_LOWER(b) (b != told)
#else
#define NOT_LOWER(b) (b > told)
#endif
inline tell(b) {
  d_step { NOT_LOWER(b) && IS_CHOSEN(b) && !failover[b] && !replaced -> told = b }
}

inline turn_on() {
  d_step { up && streams && !waits && !asking -> waits = 1 }
}

/* V8: with this word it promises not to fall back without asking anew: a question that is open is dropped. */
#ifdef MUT_V8_NAMED_BEFORE_SYNC
#define STANDBY_IS_SYNC true
#else
#define STANDBY_IS_SYNC (streams && !behind)
#endif
inline name_ballot() {
  d_step {
    up && waits && STANDBY_IS_SYNC && (asking || !named[told]) ->
#ifndef MUT_V8_QUESTION_STAYS_OPEN
    asking = 0;
#endif
    named[told] = 1
  }
}

inline ask() {
  d_step {
    up && waits && !asking && question < QUESTIONS ->
    asking = 1;
    question++
  }
}

/* V8: it falls back on an answer to this very question: chosen, `sync: false`, not below what it was told before. */
#if defined(MUT_V8_NO_CHANGE_OF_ITS_OWN)
#define ANSWERS(b) true
#elif defined(MUT_V8_EARLIER_QUESTION)
#define ANSWERS(b) (asked[b] != 0)
#else
#define ANSWERS(b) (asked[b] == question)
#endif
inline fall_back(b) {
  d_step {
    up && waits && asking && IS_CHOSEN(b) && !inSync[b] && !failover[b] && b >= told && ANSWERS(b) ->
    told = b;
    asking = 0;
    waits = 0
  }
}

#ifdef MUT_V8_FALLS_BACK_UNASKED
#define UNASKED :: d_step { up && waits -> waits = 0; asking = 0 }
#else
#define UNASKED
#endif

/* The guard forgets what it was told and what it asked; what it said stays said, and no number is used twice (L1). */
inline crash_guard() {
  d_step {
    crashes < CRASHES && (told != 0 || asking) ->
    crashes++;
    told = 0;
    asking = 0;
#ifdef MUT_V8_QUESTION_NUMBER_REUSED
    question = 0
#endif
  }
}

active proctype guard() {
end:
  do
  EACH_BALLOT(tell)
  :: turn_on()
  :: name_ballot()
  :: ask()
  :: fall_back(0)
  EACH_BALLOT(fall_back)
  UNASKED
  :: crash_guard()
  od
}

/* --- The databases --------------------------------------------------------------------------------------------------- */

/* V8: a start in place begins with what is on disk. */
#ifdef MUT_V8_WAITS_NOT_ON_DISK
#define RESTART waits = 0
#else
#define RESTART skip
#endif

active proctype databases() {
end:
  do
  :: d_step { up && !waits && !behind -> behind = 1 } /* acknowledged before the standby has it */
  :: d_step { up && streams && behind -> behind = 0 } /* it caught up; a commit that waits is acknowledged only then */
  :: d_step { up && !streams -> streams = 1 }
  :: d_step { streams -> streams = 0 }
  :: d_step { up -> up = 0; streams = 0; asking = 0 } /* stopped, dead or without a lease */
  :: d_step { !up && !replaced && (LEASE_FROM(A1, A2) || LEASE_FROM(A1, W) || LEASE_FROM(A2, W)) -> up = 1; RESTART }
  od
}
