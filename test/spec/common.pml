/*
 * What all models share: the names of the three voters, majorities, and how a mutation is written.
 *
 * A voter set is a bit mask: agent 1 is bit 0, agent 2 is bit 1, the witness is bit 2. Every model is one closed world:
 * its processes have no local state, each option of their loops is one d_step, so that one transition is one step of
 * one part, exactly as long as the rules call it one (what is on disk before it is answered, one CAS, one arrival).
 *
 * What was sent is a fact that stays true: whoever may act on it does so at any later time, once, twice or never. So
 * loss, delay, repetition, reordering and cuts need no steps of their own.
 *
 * A mutation is a macro named after the rule it weakens: -DMUT_L1_TWO_ROUNDS. The runner asserts that it is caught.
 */
#define A1 0
#define A2 1
#define W 2

#define BIT(v) (1 << (v))
#define HAS(set, v) ((set >> (v)) & 1)

/* Two of three. */
#define MAJORITY(set) ((set) == 3 || (set) >= 5)

/* The other of two. */
#define OTHER(x) (1 - (x))

#define AT_MOST(x, y) ((x) < (y) -> (x) : (y))
#define AT_LEAST(x, y) ((x) > (y) -> (x) : (y))

/* Which invariant an assertion is about: a number that is not 0, so it alters nothing, and that the checker prints. */
#define I1 1001
#define I2 1002
#define I3 1003
#define I4 1004
#define I6 1006
#define I7 1007
