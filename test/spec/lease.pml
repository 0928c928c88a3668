/*
 * Who may write: leases over the cluster record (L1 to L11, Q6, Q8's and W4's wait), with a register, an agent or nobody
 * as witness. What must never happen: two databases writable at once (I1), chosen epochs that go back (I2), a database
 * writable in an epoch that was not chosen or in an older one after a newer (I3), a state with no way on (I7).
 *
 * A record is its epoch: with two sites the primary of epoch e is guard (e - 1) % 2, since an epoch is a change of
 * primary; a change that alters nothing has another ballot and the same epoch. A prepare at a majority is one step:
 * quorum.pml shows that its answers stay good until the accepts; a promise made earlier would only forbid more.
 *
 * Time: one tick of the clock counts every timer down. A lease is good for T ticks from its t0, a promise binds for T
 * from its grant; nobody has to act at once, so slow parts and every drift that D allows are in. Forced is only that a
 * database is dead at its lease's end (L9). A watch of the register (L6) begins with the write of the nonce and outlives
 * crashes: both are sooner than any agent can.
 *
 * Bounds: T ticks, ballots 1 to B, epochs 1 to E, R1 and R2 rounds of the guards, CRASH_A and CRASH_G crashes.
 *
 * WITNESS_AGENT  the witness is a third agent that only votes; NO_WITNESS: there is none; else it is a register
 * LENGTHS        quiet rounds of one tick besides long ones of T (L5)
 * LATE           renewals and register grants of rounds that are over still arrive
 * FUSE           a guard that restarts while its database runs takes it over (L11); else it kills it first
 * FAILSAFE       L8; databases start in steps of their own
 * TELL           guards are told of chosen epochs by agents (L10), not only by their own leases
 * REJOIN         the register's record is lost once and made anew by W4, its votes as quorum.pml has them
 */
#include "common.pml"
#include "bounds.pml"
#include "voters.pml"
#include "guards.pml"

#define COUNT_DOWN(timer) timer = (timer > 0 -> timer - 1 : 0)

#if RMAX == 1
#define ROUNDS_LEFT left[0] + left[1]
#elif RMAX == 2
#define ROUNDS_LEFT left[0] + left[1] + left[2] + left[3]
#else
#define ROUNDS_LEFT left[0] + left[1] + left[2] + left[3] + left[4] + left[5]
#endif
#define LEASES_LEFT lease[0] + lease[1]
#define VOTERS_BOUND promise[0] + promise[1] + promise[2] + quarantine[0] + quarantine[1] + quarantine[2]
#ifdef FAILSAFE
#define GUARDS_BOUND vow[0] + vow[1] + startWait[0] + startWait[1]
#else
#define GUARDS_BOUND 0
#endif

/* L9: at the lease's end the database is dead: by its guard, or by the fuse. */
inline end_lease(g) {
#ifdef FAILSAFE
  if
  :: lease[g] == 0 -> runs[g] = 0
  :: else
  fi;
  COUNT_DOWN(vow[g]); COUNT_DOWN(startWait[g])
#else
  skip
#endif
}

/* One tick counts every timer down; where all have run out it would change nothing, and is no step. */
active proctype clock() {
end:
  do
  :: d_step {
      VOTERS_BOUND + LEASES_LEFT + ROUNDS_LEFT + GUARDS_BOUND > 0 ->
      COUNT_DOWN(promise[0]); COUNT_DOWN(promise[1]); COUNT_DOWN(promise[2]);
      COUNT_DOWN(quarantine[0]); COUNT_DOWN(quarantine[1]); COUNT_DOWN(quarantine[2]);
      COUNT_DOWN(lease[0]); end_lease(G1);
      COUNT_DOWN(lease[1]); end_lease(G2);
      do
      :: i < 2 * RMAX -> COUNT_DOWN(left[i]); forget_round(i); i++
      :: else -> break
      od;
      i = 0;
      forget_grant(A1); forget_grant(A2); forget_grant_of_witness()
    }
  od
}
