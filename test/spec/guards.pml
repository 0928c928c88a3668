/* Two guards: rounds (L1), release (L7), failsafe (L8), start (L10), restart (L11). See lease.pml. */

byte crashesG;

#define me (_pid - 3)
#define MAX_ROUNDS (me == G1 -> R1 : R2)

/* What nobody asks for any more is 0, so that states which differ in nothing else are one. */
inline forget_round(at) {
#ifndef LATE
  if
  :: left[at] == 0 -> grants[at] = 0; epoch[at] = 0
  :: else
  fi
#else
  skip
#endif
}

inline forget_rounds(g) {
  i = g * RMAX;
  do
  :: i < (g + 1) * RMAX -> left[i] = 0; forget_round(i); i++
  :: else -> break
  od;
  i = 0
}

/* L7: fenced, and no grant of an earlier round counts any more. */
inline fence(g) {
  lease[g] = 0;
#ifdef FAILSAFE
  runs[g] = 0;
#endif
  ended[g] = last[g];
  forget_rounds(g)
}

/* L10: it notes on disk what it learns to be chosen; learning a newer epoch it fences at once. */
inline note_epoch(g, x) {
  if
  :: x > noted[g] -> fence(g); noted[g] = x; assert_no_trap()
  :: else
  fi
}

#ifdef MUT_L2_ACCEPTED_NOT_KNOWN
#define TOLD(x) (EPOCH_AT(0) == x || EPOCH_AT(1) == x || EPOCH_AT(2) == x)
#else
#define TOLD(x) HAS(chosen, x)
#endif

#ifdef TELL
/* L10: an agent tells it a record, of either site; only a chosen one is noted. */
#ifdef MUT_L10_NOTES_WHAT_IS_NOT_CHOSEN
#define NOTEWORTHY(x) (EPOCH_AT(0) == x || EPOCH_AT(1) == x || EPOCH_AT(2) == x)
#else
#define NOTEWORTHY(x) HAS(chosen, x)
#endif
inline hear_of_epoch(x) {
  d_step { x > noted[me] && NOTEWORTHY(x) -> note_epoch(me, x) }
}
#define TOLD_STEPS EACH_EPOCH(hear_of_epoch)
#else
#define TOLD_STEPS
#endif

/* L1: it reads its clock, then sends. The number is noted before it is used, and never used again. */
inline begin_round(x) {
  d_step {
    last[me] < MAX_ROUNDS && PRIMARY(x) == me && x >= noted[me] && TOLD(x) ->
    note_epoch(me, x);
    last[me]++;
    left[AT(me, last[me])] = T;
    epoch[AT(me, last[me])] = x
  }
}

#ifdef LENGTHS
/* L5: a quiet round asks for the short ttl. */
inline begin_quiet_round(x) {
  d_step {
    last[me] < MAX_ROUNDS && PRIMARY(x) == me && x >= noted[me] && TOLD(x) ->
    note_epoch(me, x);
    last[me]++;
    left[AT(me, last[me])] = 1;
    quiet[AT(me, last[me])] = 1;
    epoch[AT(me, last[me])] = x
  }
}
#define QUIET_ROUNDS EACH_EPOCH(begin_quiet_round)
#else
#define QUIET_ROUNDS
#endif

/* L7: a release is sent by a guard that has fenced for good; with no change chosen it goes on with a later round. */
inline release() {
  d_step {
    released[me] < last[me] ->
#if defined(MUT_L7_NOT_FENCED)
    ended[me] = last[me]; forget_rounds(me);
#elif defined(MUT_L7_GRANTS_IN_FLIGHT_COUNT)
    lease[me] = 0;
#else
    fence(me);
#endif
    released[me] = last[me]
  }
}

#ifdef FAILSAFE
#define SOMETHING_TO_FORGET (last[me] > ended[me] || vow[me] > 0)
#else
#define SOMETHING_TO_FORGET (last[me] > ended[me])
#endif

/* L11: what it knew of its rounds is gone. Its database runs on under the fuse and is taken over, or is killed first. */
inline crash_guard() {
  d_step {
    crashesG < CRASH_G && SOMETHING_TO_FORGET ->
    crashesG++;
#ifdef FUSE
    ended[me] = last[me];
    forget_rounds(me);
#else
    fence(me);
#endif
#ifdef MUT_L11_RELEASES_WHAT_RUNS
    released[me] = last[me];
#endif
#ifdef MUT_L1_ROUNDS_REUSED
    last[me] = 0; ended[me] = 0;
#endif
#ifdef MUT_L10_EPOCH_NOT_ON_DISK
    noted[me] = 1;
#endif
#ifdef FAILSAFE
    vow[me] = 0;
    startWait[me] = T;
#endif
    skip
  }
}

#ifdef FAILSAFE
/* L8, L10: it starts or promotes its database while it holds a lease and has not vowed otherwise. */
#if defined(MUT_L8_NO_START_WAIT)
#define WAITED true
#elif defined(MUT_L8_WAIT_COVERS_PROMOTION_ONLY)
#define WAITED (startWait[me] == 0 || RAN_IN(me) != 0)
#else
#define WAITED (startWait[me] == 0 || RAN_IN(me) == noted[me])
#endif
#ifdef MUT_L8_VOW_NOT_KEPT
#define VOWED false
#else
#define VOWED (vow[me] > 0)
#endif
#ifdef MUT_L8_VOW_SHORT
#define VOW (T - 1)
#else
#define VOW T
#endif
inline start() {
  d_step {
    !runs[me] && lease[me] > 0 && !VOWED && WAITED ->
    runs[me] = 1;
    ranIn[me] = noted[me];
    assert_may_write(me)
  }
}

/* L8: only a lease in force is renewed; refused if the database runs, a lease is held, or a higher epoch was noted. */
#ifdef MUT_L8_ACQUIRES
#define IN_FORCE(g) true
#else
#define IN_FORCE(g) (lease[g] > 0)
#endif
#if defined(MUT_L8_NO_REFUSAL)
#define REFUSES false
#elif defined(MUT_L8_EPOCH_NOT_COMPARED)
#define REFUSES (runs[me] || lease[me] > 0)
#else
#define REFUSES (runs[me] || lease[me] > 0 || noted[me] > noted[OTHER(me)])
#endif

/* L8: the other guard's request arrives here, is answered by a vow, and the answer arrives there. */
inline failsafe(k) {
  d_step {
    k > ended[OTHER(me)] && k <= last[OTHER(me)] && left[AT(OTHER(me), k)] > lease[OTHER(me)] &&
      IN_FORCE(OTHER(me)) && !REFUSES ->
    note_epoch(me, noted[OTHER(me)]);
    vow[me] = VOW;
    lease[OTHER(me)] = left[AT(OTHER(me), k)]
  }
}
#if RMAX > 2
#define FAILSAFE_STEPS :: start() :: failsafe(1) :: failsafe(2) :: failsafe(3)
#else
#define FAILSAFE_STEPS :: start() :: failsafe(1) :: failsafe(2)
#endif
#else
#define FAILSAFE_STEPS
#endif

#ifdef MUT_L10_WRITES_WITHOUT_LEASE
/* It starts its database because the record says so. */
inline start_without_lease() {
  d_step { lease[me] == 0 && PRIMARY(noted[me]) == me -> lease[me] = T; assert_may_write(me) }
}
#define WITHOUT_LEASE :: start_without_lease()
#else
#define WITHOUT_LEASE
#endif

active [2] proctype guard() {
end:
  do
  EACH_EPOCH(begin_round)
  TOLD_STEPS
  QUIET_ROUNDS
  :: release()
  :: crash_guard()
  FAILSAFE_STEPS
  WITHOUT_LEASE
  od
}
