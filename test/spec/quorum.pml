/*
 * The cluster record: CASPaxos among two agents and a witness (Q0 to Q4, Q8, W2 to W4). No time, no leases.
 *
 * A record is identified by the ballot it was proposed at; from[] says which record it was computed from. Whether a
 * change alters anything does not matter here: what must never happen is that two chosen records are not one chain.
 *
 * Bounds: ballots 1 to B (odd ones belong to agent 1); any number of crashes and of proposers at once: a crash forgets
 * what the proposer was about, which beginning another ballot does, too.
 *
 * WITNESS_AGENT   the witness is a third agent that only votes; NO_WITNESS: there is none; else it is a register, written by CAS
 * LOSE_AGENT      one agent loses its disk once (Q8)
 * PUT_BACK        with it: the disk goes back to an older copy of itself, which the other agent, who saw all of it, misses
 * LOSE_REGISTER   a person puts back an old value of the register, or deletes it, once (W3, W4)
 */
#include "common.pml"

#ifndef B
#define B 4
#endif

#if B == 3
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3)
#elif B == 4
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4)
#elif B == 5
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5)
#elif B == 6
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5) :: step(6)
#else
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5) :: step(6) :: step(7)
#endif

/* Q0: at ballot 0 everybody has accepted the record of the bootstrap. */
byte promised[3];
byte accepted[3];

byte from[B + 1];  /* the accept of ballot b was sent, its record computed from that of ballot from[b] - 1; 0: not sent */
byte voted[B + 1]; /* who ever voted at ballot b: what decides whether it is chosen */

/* One proposer in each agent, in memory only: its ballot, and what each voter answered (accepted + 1; 0: nothing). */
byte ballot[2];
byte answers[6];
#define ANSWER(v) answers[3 * _pid + v]

byte mine, base, older, newer, other; /* scratch: 0 between steps */

/* --- Faults that are options ---------------------------------------------------------------------------------------- */

#ifdef LOSE_AGENT
byte lost = 2; /* Q8: which agent lost its state; 2: none yet */
bit rejoined;
byte stale; /* the ballots begun before the loss: none of them is fresh */
byte started;
#ifdef MUT_Q8_VOTES_AFTER_LOSS
#define VOTES(v) true
#else
#define VOTES(v) (lost != v || rejoined)
#endif
#ifdef PUT_BACK
byte copyOf = 2, agentPromised, agentAccepted; /* an older copy of one agent's disk */
#define LESS_PROMISED (agentPromised < promised[_pid])
#define LESS_ACCEPTED (agentAccepted < accepted[_pid])
#endif
#define NOTE_STARTED(b) started = started | BIT(b)
#define FRESH(b) !HAS(stale, b)
#else
#define VOTES(v) true
#define NOTE_STARTED(b) skip
#define FRESH(b) true
#endif

#ifdef LOSE_REGISTER
bit copied, spoilt, out;
byte copyPromised, copyAccepted; /* an old value of the register that a person has a copy of */
#define IN_USE !out
#else
#define IN_USE true
#endif

#ifdef MUT_Q3_VOTE_BEFORE_FSYNC
byte syncedPromised[3], syncedAccepted[3];
#endif

#ifdef MUT_W2_WRITE_WITHOUT_CAS
byte readPromised[2], readAccepted[2]; /* what each agent read at the register; the write is computed from this */
#endif

/* --- What a vote is -------------------------------------------------------------------------------------------------- */

#ifdef NO_WITNESS
#define CHOSEN(set) ((set) == 3)
#else
#define CHOSEN(set) MAJORITY(set)
#endif

/* I2: of two chosen records the newer descends from the older. */
inline assert_one_chain(b) {
  other = 1;
  do
  :: other <= B ->
    if
    :: other != b && CHOSEN(voted[b]) && CHOSEN(voted[other]) ->
      newer = AT_LEAST(b, other);
      older = AT_MOST(b, other);
      do
      :: newer > older -> newer = from[newer] - 1
      :: else -> break
      od;
      assert(I2 && newer == older) /* I2: two chosen records fork */
    :: else
    fi;
    other++
  :: else -> break
  od;
  newer = 0; older = 0; other = 0
}

/* Q3: a vote is on disk before it is answered, so it is one step; and it is never taken back. */
inline vote(v, b) {
  promised[v] = AT_LEAST(promised[v], b);
  accepted[v] = b;
  voted[b] = voted[b] | BIT(v);
  assert_one_chain(b)
}

inline forget_round() {
  ballot[_pid] = 0;
  ANSWER(0) = 0; ANSWER(1) = 0; ANSWER(2) = 0
}

/* The record of the proposer's ballot `mine` is computed from that of ballot `base`; `v` is the first to vote for it. */
inline propose(v) {
  assert(I2 && (from[mine] == 0 || from[mine] == base + 1)); /* I2: one ballot carries two records */
  from[mine] = base + 1;
  vote(v, mine);
  forget_round();
  mine = 0; base = 0
}

/* --- Steps of a proposer --------------------------------------------------------------------------------------------- */

/* Q1: a ballot above every one seen, on the proposer's own disk as its own promise before it is sent: never used twice. */
inline begin(b) {
  d_step {
    VOTES(_pid) && (b & 1) != _pid && b > promised[_pid] && b != ballot[_pid] && FRESH(b) ->
    forget_round();
    NOTE_STARTED(b);
    ballot[_pid] = b;
#ifndef MUT_Q1_BALLOT_NOT_ON_DISK
    promised[_pid] = b;
#endif
    ANSWER(_pid) = accepted[_pid] + 1
  }
}

/*
 * Q2: a prepare arrives at voter v and its answer at the proposer. One whose answer is lost, or that comes late, only
 * raises a promise: it forbids and never allows, so it has no step.
 */
inline prepare(v) {
  d_step {
    VOTES(v) && v != _pid && ballot[_pid] > promised[v] && ANSWER(v) == 0 && (v != W || IN_USE) ->
    promised[v] = ballot[_pid];
    ANSWER(v) = accepted[v] + 1
  }
}

#ifdef MUT_Q2_LOWER_RECORD
#define NEWEST(x, y) AT_MOST(x, y)
#else
#define NEWEST(x, y) AT_LEAST(x, y)
#endif

/* Q2: from any two of the answers the record of the higher ballot; the proposer votes for its own record first. */
inline choose(v, w) {
  d_step {
    ballot[_pid] != 0 && ANSWER(v) != 0 && ANSWER(w) != 0 && promised[_pid] <= ballot[_pid] ->
    mine = ballot[_pid];
    base = NEWEST(ANSWER(v), ANSWER(w)) - 1;
    propose(_pid)
  }
}

/*
 * Q2 without a witness: both agents have answered, and what only one of them holds was not chosen and cannot be any more. So
 * it may be passed over, where a lease stands against it for as long as it is renewed.
 */
#if defined(NO_WITNESS) || defined(MUT_Q2_PASSED_OVER_OF_THREE)
inline choose_passing_over() {
  d_step {
    ballot[_pid] != 0 && ANSWER(A1) != 0 && ANSWER(A2) != 0 && ANSWER(A1) != ANSWER(A2) && promised[_pid] <= ballot[_pid] ->
    mine = ballot[_pid];
    base = AT_MOST(ANSWER(A1), ANSWER(A2)) - 1;
    propose(_pid)
  }
}
#define PASSING_OVER :: choose_passing_over()
#else
#define PASSING_OVER
#endif

/* L6: where proposer and register are the majority, prepare and accept there may be one CAS; its own vote then follows. */
inline prepare_and_accept_in_one_cas() {
  d_step {
    ballot[_pid] > promised[W] && ANSWER(_pid) != 0 && IN_USE ->
    mine = ballot[_pid];
    base = NEWEST(ANSWER(_pid) - 1, accepted[W]);
    propose(W)
  }
}

/* --- Steps of a voter ------------------------------------------------------------------------------------------------ */

#ifdef MUT_Q2_ACCEPT_BELOW_PROMISE
#define ACCEPTABLE(v, b) (b > accepted[v])
#else
#define ACCEPTABLE(v, b) (b > accepted[v] && b >= promised[v])
#endif

/* Q2: an accept arrives at this voter. It may be sent again by whoever sees the voter behind (Q5), at any later time. */
inline accept(b) {
  d_step {
    from[b] != 0 && VOTES(_pid) && ACCEPTABLE(_pid, b) && (_pid != W || IN_USE) ->
    vote(_pid, b)
  }
}

#ifdef MUT_Q2_QUORUM_OF_ONE
#define QUORUM_OF_ONE :: choose(_pid, _pid)
#else
#define QUORUM_OF_ONE
#endif

#ifdef MUT_Q3_VOTE_BEFORE_FSYNC
#define FAULTY_DISK \
  :: d_step { syncedAccepted[_pid] != accepted[_pid] || syncedPromised[_pid] != promised[_pid] -> \
       syncedPromised[_pid] = promised[_pid]; syncedAccepted[_pid] = accepted[_pid] } \
  :: d_step { syncedAccepted[_pid] != accepted[_pid] || syncedPromised[_pid] != promised[_pid] -> \
       promised[_pid] = syncedPromised[_pid]; accepted[_pid] = syncedAccepted[_pid]; forget_round() }
#else
#define FAULTY_DISK
#endif

#ifdef LOSE_AGENT
/* Q8: the disk is lost, or an older one; what was begun and said before stays said. */
#ifdef PUT_BACK
inline copy_disk() {
  d_step { copyOf == 2 -> copyOf = _pid; agentPromised = promised[_pid]; agentAccepted = accepted[_pid] }
}

/* It is missed by what it promised and by what it accepted: a copy may have the promise of a ballot and not the vote at it. */
inline lose_disk() {
  d_step {
    lost == 2 && copyOf == _pid && (LESS_PROMISED || LESS_ACCEPTED) ->
#ifdef MUT_Q8_PROMISE_ALONE
    lost = (LESS_PROMISED -> _pid : 3);
#else
    lost = _pid;
#endif
    stale = started; started = 0;
    promised[_pid] = agentPromised; accepted[_pid] = agentAccepted;
    forget_round()
  }
}
#define COPIED_DISK :: copy_disk()
#else
#define COPIED_DISK
inline lose_disk() {
  d_step {
    lost == 2 ->
    lost = _pid;
    stale = started; started = 0;
    promised[_pid] = 0; accepted[_pid] = 0;
    forget_round()
  }
}
#endif

#ifdef MUT_Q8_REJOIN_AT_OLD_BALLOT
#define REJOIN_FRESH accepted[W] != 0
#else
#define REJOIN_FRESH accepted[W] != 0 && !HAS(stale, accepted[W])
#endif

/* Q8: `agent rejoin`: the other two hold one fresh ballot, and that is where this one begins again. */
inline rejoin() {
  d_step {
    lost == _pid && !rejoined && accepted[OTHER(_pid)] == accepted[W] && REJOIN_FRESH ->
    rejoined = 1;
    vote(_pid, accepted[W])
  }
}
#define LOST_DISK :: lose_disk() :: rejoin() COPIED_DISK
#else
#define LOST_DISK
#endif

#if defined(WITNESS_AGENT) || defined(NO_WITNESS)
#define REGISTER_STEPS
#elif defined(MUT_W2_WRITE_WITHOUT_CAS)
#define REGISTER_STEPS :: prepare_and_accept_in_one_cas() :: read_register() EACH_BALLOT(write_register)
/* The value is read in one step and written in another, whatever came between. */
inline read_register() {
  d_step {
    readPromised[_pid] != promised[W] || readAccepted[_pid] != accepted[W] ->
    readPromised[_pid] = promised[W]; readAccepted[_pid] = accepted[W]
  }
}
inline write_register(b) {
  d_step {
    from[b] != 0 && b > readAccepted[_pid] && b >= readPromised[_pid] && b != accepted[W] ->
    promised[W] = b; accepted[W] = b; voted[b] = voted[b] | BIT(W);
    assert_one_chain(b)
  }
}
#else
#define REGISTER_STEPS :: prepare_and_accept_in_one_cas()
#endif

#ifdef NO_WITNESS
#define WITH_WITNESS
#else
#define WITH_WITNESS :: prepare(W) :: choose(A1, W) :: choose(A2, W)
#endif

active [2] proctype agent() {
end:
  do
  EACH_BALLOT(begin)
  :: prepare(A1)
  :: prepare(A2)
  :: choose(A1, A2)
  WITH_WITNESS
  PASSING_OVER
  EACH_BALLOT(accept)
  QUORUM_OF_ONE
  REGISTER_STEPS
  FAULTY_DISK
  LOST_DISK
  od
}

#ifdef LOSE_REGISTER
inline copy_register() {
  d_step { !copied -> copied = 1; copyPromised = promised[W]; copyAccepted = accepted[W] }
}

/* W3: a lower serial, or none: the register is out, not used and not created over. */
inline put_back_or_delete() {
  d_step {
    copied && !spoilt && promised[W] != copyPromised ->
    spoilt = 1;
    promised[W] = copyPromised; accepted[W] = copyAccepted;
#ifndef MUT_W3_OLD_VALUE_USED
    out = 1
#endif
  }
}

#ifdef MUT_W4_REJOIN_BELOW_A_PROMISE
#define HIGHEST_EVER true
#else
#define HIGHEST_EVER (promised[A1] == accepted[A1] && promised[A2] == accepted[A1])
#endif

/* W4: both agents hold one record at one ballot, the highest either ever promised; the register begins again there. */
inline rejoin_register() {
  d_step {
    out && accepted[A1] != 0 && accepted[A1] == accepted[A2] && HIGHEST_EVER ->
    out = 0;
    promised[W] = 0;
    vote(W, accepted[A1])
  }
}
#define LOST_REGISTER :: copy_register() :: put_back_or_delete() :: rejoin_register()
#else
#define LOST_REGISTER
#endif

active proctype witness() {
end:
  do
#ifdef NO_WITNESS
  :: false
#else
  EACH_BALLOT(accept)
#endif
  LOST_REGISTER
  od
}
