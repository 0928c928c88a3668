/*
 * How a forced era ends (Orders, docs/decisions/0006-forced-era.md). A person gave agent 2 the only vote: its grant alone
 * is a lease, its vote alone chooses. Both others have to learn of the era, and become voters again, without two
 * databases writable at once (I1) and without a writable epoch that goes back (I3).
 *
 * It begins in the forced era; the other side is down, as the person said. Records are a chain here, one after the other:
 * competing ballots are the business of quorum.pml. Time as in lease.pml.
 *
 * Bounds: records 1 to N after the forced one, R rounds of each guard, T ticks, CRASHES of agents.
 */
#include "common.pml"

#ifndef N
#define N 3
#endif
#ifndef R
#define R 2
#endif
#ifndef T
#define T 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define SOLE A2 /* the agent that was forced to decide alone */
#define G1 0
#define G2 1
#define PRIMARY(epoch) (1 - ((epoch) & 1))

#if N == 3
#define EACH_RECORD(step) :: step(1) :: step(2) :: step(3)
#elif N == 4
#define EACH_RECORD(step) :: step(1) :: step(2) :: step(3) :: step(4)
#else
#define EACH_RECORD(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5)
#endif
#if R == 2
#define EACH_ROUND(step) :: step(G1, 1) :: step(G1, 2) :: step(G2, 1) :: step(G2, 2)
#else
#define EACH_ROUND(step) :: step(G1, 1) :: step(G1, 2) :: step(G1, 3) :: step(G2, 1) :: step(G2, 2) :: step(G2, 3)
#endif

/* --- State ----------------------------------------------------------------------------------------------------------- */

byte epochOf[N + 1];  /* of each record; 0: not proposed. Record 0 is the forced one: epoch 2, so of site 2. */
#define EPOCH_OF(n) (n == 0 -> 2 : epochOf[n])
byte proposed;        /* the last record proposed */
byte ending;          /* the record that says that the era's rule is over; 0: there is none yet */
byte voted[N + 1];
byte newestChosen = 2; /* the epoch of the newest chosen record */

byte holds[3] = 9;    /* the record that each voter accepted; 9: none of this era */
#define KNOWS(v) (holds[v] != 9)
byte prepared[3];     /* the ballot that each promised */
byte promise[3];      /* ticks that its grants bind it; of the register: until its nonce is watched out */
byte quarantine[3];
byte crashes;

byte lease[2];
byte last[2];
byte left[2 * R], grants[2 * R], epoch[2 * R];
bit alone[2 * R];     /* granted by the only voter while it was the only one */
#define AT(g, k) (g * R + k - 1)

byte newest = 2;      /* the newest epoch in which a database was ever writable */
byte i;               /* scratch: 0 between steps */

/* In the era the forcing agent is the only voter; the others are voters from the ending record on. */
#define IS_SOLE (ending == 0)
#define HOLDS(v) (v == SOLE && holds[v] == 9 -> 0 : holds[v])
#define IS_VOTER(v) (v == SOLE || (ending != 0 && KNOWS(v) && holds[v] >= ending))

/* --- Records --------------------------------------------------------------------------------------------------------- */

inline note_chosen(n) {
  if
  :: MAJORITY(voted[n]) || (IS_SOLE && HAS(voted[n], SOLE)) || n == ending ->
    newestChosen = AT_LEAST(newestChosen, epochOf[n])
  :: else
  fi
}

/* The only voter changes what it likes, once it is bound to no other guard (L3, L4). */
inline change_alone() {
  d_step {
    _pid == SOLE && IS_SOLE && proposed < N && promise[SOLE] == 0 && quarantine[SOLE] == 0 ->
    proposed++;
    epochOf[proposed] = EPOCH_OF(HOLDS(SOLE)) + 1;
    holds[SOLE] = proposed;
    voted[proposed] = BIT(SOLE);
    note_chosen(proposed)
  }
}

/* The others are told, and hold the record as the chosen one; they are no voters yet. */
inline tell(v) {
  d_step {
    IS_SOLE && holds[v] != HOLDS(SOLE) ->
    holds[v] = HOLDS(SOLE);
#ifdef MUT_FORCE_WAIT_FROM_BEING_TOLD
    quarantine[v] = T;
#endif
    skip
  }
}

/* Both others hold its record: it votes for one that says so, and from then on is one of three. */
inline end_era() {
  d_step {
    _pid == SOLE && IS_SOLE && proposed < N && holds[A1] == HOLDS(SOLE) && holds[W] == HOLDS(SOLE) ->
    proposed++;
    epochOf[proposed] = EPOCH_OF(HOLDS(SOLE));
    holds[SOLE] = proposed;
    voted[proposed] = BIT(SOLE);
    ending = proposed
  }
}

/* Each of the others becomes a voter when it accepts that record: L4's wait, or a fresh nonce, begins then. */
inline become_voter(v) {
  d_step {
    ending != 0 && !IS_VOTER(v) ->
    holds[v] = ending;
    voted[ending] = voted[ending] | BIT(v);
#if defined(MUT_FORCE_WAIT_FROM_BEING_TOLD) || defined(MUT_FORCE_NO_WAIT)
    skip
#elif defined(MUT_FORCE_REGISTER_AS_RELEASED)
    quarantine[v] = (v == W -> 0 : T)
#else
    quarantine[v] = T
#endif
  }
}

/* Q2: two voters answer; the newest record of theirs is changed. */
inline propose(v, w) {
  d_step {
    ending != 0 && proposed < N && IS_VOTER(v) && IS_VOTER(w) && AT_LEAST(HOLDS(v), HOLDS(w)) == proposed ->
    proposed++;
    epochOf[proposed] = epochOf[proposed - 1] + 1;
    prepared[v] = proposed; prepared[w] = proposed
  }
}

/* Q6: a change of primary waits for the voter's promise and quarantine; at the register for its nonce. */
inline accept(n) {
  d_step {
    ending != 0 && n > ending && n <= proposed && IS_VOTER(_pid) && HOLDS(_pid) < n && n >= prepared[_pid] &&
      (PRIMARY(epochOf[n]) == PRIMARY(EPOCH_OF(HOLDS(_pid))) || (promise[_pid] == 0 && quarantine[_pid] == 0)) ->
    promise[_pid] = (PRIMARY(epochOf[n]) == PRIMARY(EPOCH_OF(HOLDS(_pid))) -> promise[_pid] : 0);
    holds[_pid] = n;
    voted[n] = voted[n] | BIT(_pid);
    note_chosen(n)
  }
}

/* --- Leases ---------------------------------------------------------------------------------------------------------- */

#ifdef MUT_FORCE_GRANTS_ALONE_AFTER_THE_END
#define GRANTS_ALONE true
#else
#define GRANTS_ALONE IS_SOLE
#endif

/* L1 to L3: while there is only one voter its grant alone is a lease. */
inline grant(g, k) {
  d_step {
    left[AT(g, k)] > 0 && IS_VOTER(_pid) && !HAS(grants[AT(g, k)], _pid) &&
      EPOCH_OF(HOLDS(_pid)) == epoch[AT(g, k)] && epoch[AT(g, k)] <= newestChosen ->
    grants[AT(g, k)] = grants[AT(g, k)] | BIT(_pid);
    alone[AT(g, k)] = (_pid == SOLE && GRANTS_ALONE -> 1 : alone[AT(g, k)]);
    promise[_pid] = T;
    if
    :: (alone[AT(g, k)] || MAJORITY(grants[AT(g, k)])) && left[AT(g, k)] > lease[g] ->
      lease[g] = left[AT(g, k)];
      assert(I1 && lease[OTHER(g)] == 0); /* I1: two databases writable at once */
      assert(I3 && epoch[AT(g, k)] >= newest); /* I3: writable in an older epoch after a newer one */
      newest = epoch[AT(g, k)]
    :: else
    fi
  }
}

inline begin_round(g) {
  d_step {
    last[g] < R && PRIMARY(newestChosen) == g ->
    last[g]++;
    left[AT(g, last[g])] = T;
    epoch[AT(g, last[g])] = newestChosen
  }
}

inline crash() {
  d_step {
    _pid != W && crashes < CRASHES && promise[_pid] > 0 ->
    crashes++;
    promise[_pid] = 0;
    quarantine[_pid] = T
  }
}

active [3] proctype voter() {
end:
  do
  EACH_RECORD(accept)
  EACH_ROUND(grant)
  :: change_alone()
  :: end_era()
  :: crash()
  od
}

active proctype others() {
end:
  do
  :: tell(A1)
  :: tell(W)
  :: become_voter(A1)
  :: become_voter(W)
  :: propose(A1, A2)
  :: propose(A1, W)
  :: propose(A2, W)
  :: begin_round(G1)
  :: begin_round(G2)
  od
}

#define COUNT_DOWN(timer) timer = (timer > 0 -> timer - 1 : 0)

active proctype clock() {
end:
  do
  :: d_step {
      lease[0] + lease[1] + promise[0] + promise[1] + promise[2] + quarantine[0] + quarantine[1] + quarantine[2] > 0 ||
        left[AT(G1, 1)] + left[AT(G1, 2)] + left[AT(G1, R)] + left[AT(G2, 1)] + left[AT(G2, 2)] + left[AT(G2, R)] > 0 ->
      COUNT_DOWN(lease[0]); COUNT_DOWN(lease[1]);
      COUNT_DOWN(promise[0]); COUNT_DOWN(promise[1]); COUNT_DOWN(promise[2]);
      COUNT_DOWN(quarantine[0]); COUNT_DOWN(quarantine[1]); COUNT_DOWN(quarantine[2]);
      do
      :: i < 2 * R ->
        COUNT_DOWN(left[i]);
        if
        :: left[i] == 0 -> grants[i] = 0; epoch[i] = 0; alone[i] = 0
        :: else
        fi;
        i++
      :: else -> break
      od;
      i = 0
    }
  od
}
