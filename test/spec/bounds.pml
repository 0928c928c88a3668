/* The bounds of lease.pml, and the options of a loop over them: Promela has no choice of a number inside one step. */
#ifndef T
#define T 2
#endif
#ifndef B
#define B 3
#endif
#ifndef E
#define E 2
#endif
#ifndef R1
#define R1 2
#endif
#ifndef R2
#define R2 1
#endif
#if R1 > R2
#define RMAX R1
#else
#define RMAX R2
#endif
#ifndef CRASH_A
#define CRASH_A 0
#endif
#ifndef CRASH_G
#define CRASH_G 0
#endif

#if B == 1
#define EACH_BALLOT(step) :: step(1)
#define EACH_PROPOSAL(step, v, w) :: step(1, v, w)
#elif B == 2
#define EACH_BALLOT(step) :: step(1) :: step(2)
#define EACH_PROPOSAL(step, v, w) :: step(1, v, w) :: step(2, v, w)
#elif B == 3
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3)
#define EACH_PROPOSAL(step, v, w) :: step(1, v, w) :: step(2, v, w) :: step(3, v, w)
#elif B == 4
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4)
#define EACH_PROPOSAL(step, v, w) :: step(1, v, w) :: step(2, v, w) :: step(3, v, w) :: step(4, v, w)
#else
#define EACH_BALLOT(step) :: step(1) :: step(2) :: step(3) :: step(4) :: step(5)
#define EACH_PROPOSAL(step, v, w) \
  :: step(1, v, w) :: step(2, v, w) :: step(3, v, w) :: step(4, v, w) :: step(5, v, w)
#endif

#if R1 == 1
#define ROUNDS_OF_1(step) :: step(G1, 1)
#elif R1 == 2
#define ROUNDS_OF_1(step) :: step(G1, 1) :: step(G1, 2)
#else
#define ROUNDS_OF_1(step) :: step(G1, 1) :: step(G1, 2) :: step(G1, 3)
#endif
#if R2 == 1
#define ROUNDS_OF_2(step) :: step(G2, 1)
#else
#define ROUNDS_OF_2(step) :: step(G2, 1) :: step(G2, 2)
#endif
#define EACH_ROUND(step) ROUNDS_OF_1(step) ROUNDS_OF_2(step)

#if E == 2
#define EACH_EPOCH(step) :: step(1) :: step(2)
#else
#define EACH_EPOCH(step) :: step(1) :: step(2) :: step(3)
#endif
