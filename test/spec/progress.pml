/*
 * No trap and no endless wait (I6, I7) in what refusing (V4), the register's grant (L5) and the release (L7) do together:
 * one agent is lost, the other one and a register are the majority, the primary's guard lives.
 *
 * Anything may fail and come back, until the world settles at some moment; from then on somebody serves within BOUND
 * ticks. A tick is one step: the guard's round, a start under the lease, the agent's change, and the timers.
 *
 * Bounds: T ticks of a lease, WAIT ticks of releaseWait; any number of failures before the world settles.
 */
#include "common.pml"

#ifndef T
#define T 3
#endif
#ifndef WAIT
#define WAIT 2
#endif
/* The longest lease to wait out, the release that nobody took up, a round, a start under its lease. */
#define BOUND (T + WAIT + 2)

bit able = 1;      /* the primary's database could accept writes, if it had a lease */
bit standby = 1;   /* the standby may take over (V5) */
byte lease = T;    /* ticks left */
byte promise = T;  /* of the agent (L3) */
byte nonce = T;    /* ticks until the register's nonce is watched out (L6) */
byte gone;         /* ticks for which the guard waits to be replaced, after a release (L7) */
bit replaced;      /* another primary was chosen */
bit settled;
byte idle;         /* ticks since the world settled in which nobody served */

/* V4: it refuses only while nothing but the lease stands against the change. */
#ifdef MUT_V4_REFUSES_WHAT_NOBODY_CAN_REPLACE
#define REFUSES (!able)
#else
#define REFUSES (!able && standby)
#endif

/* L5: the register's grant is run by an agent that granted this round itself. */
#ifdef MUT_L5_BY_ONE_THAT_REFUSES
#define RUNS_REGISTER_GRANT true
#else
#define RUNS_REGISTER_GRANT (!REFUSES)
#endif

inline guards_round() {
  if
  :: gone == 0 ->
    nonce = (RUNS_REGISTER_GRANT -> T : nonce);
    promise = (REFUSES -> promise : T);
    lease = (REFUSES -> lease : T)
  :: else
  fi
}

inline change() {
  if
  :: (REFUSES || gone > 0) && standby && promise == 0 && nonce == 0 -> replaced = 1
  :: else
  fi
}

/* A database that failed is started again under its lease, where nobody replaces it. */
inline start_again() {
  able = (!standby && lease > 0 -> 1 : able)
}

#define COUNT_DOWN(timer) timer = (timer > 0 -> timer - 1 : 0)
inline time_passes() {
  COUNT_DOWN(lease); COUNT_DOWN(promise); COUNT_DOWN(nonce);
#ifdef MUT_L7_WAITS_FOR_EVER
  gone = (gone > 1 -> gone - 1 : gone)
#else
  COUNT_DOWN(gone)
#endif
}

inline agents_and_time() {
  start_again();
  change();
  idle = (settled && !(able && lease > 0 && gone == 0) -> idle + 1 : 0);
  assert(I6 && idle <= BOUND); /* I6, I7: the world has settled, and nobody serves */
  time_passes()
}

#define UNSETTLED (!settled && !replaced)

active proctype world() {
end:
  do
  :: d_step { UNSETTLED -> settled = 1 }
  :: d_step { UNSETTLED -> able = !able }
  :: d_step { UNSETTLED -> standby = !standby }
  /* L7: it crashed; its guard has fenced it and says `gone`. */
  :: d_step { UNSETTLED && standby && gone == 0 -> able = 0; lease = 0; promise = 0; nonce = 0; gone = WAIT }
  /* A tick; before the world has settled the guard may be slow. */
  :: d_step { !replaced -> guards_round(); agents_and_time() }
  :: d_step { UNSETTLED -> agents_and_time() }
  od
}
