/*
 * Points at which another CPU may make a difference. Debug builds can hold a
 * CPU at one of them (a rendezvous, for tests that force an interleaving), and
 * with the boot option seed= each CPU pauses there now and then, as its own
 * sequence of random numbers says: with one host thread for all CPUs the same
 * seed gives the same run. Release builds compile the points to nothing.
 */
#pragma once

#include "kernel/base/types.h"

enum yield_point {
	YIELD_NONE,
	YIELD_SPIN_LOCK,   /* about to take a spin lock */
	YIELD_SWITCH,	   /* context_switch: nothing has moved yet */
	YIELD_USERS_DROP,  /* mmput: about to decrement */
	YIELD_TEARDOWN,	   /* mmput: users is 0, all contents are there */
	YIELD_COUNT,	   /* mmgrab, mmdrop: about to change count */
	YIELD_FREE,	   /* mmdrop: count is 0, the mm is still listed */
	YIELD_MOVE,	   /* exec, adoption: pointers moved, CR3 not yet */
	YIELD_UNLAZY,	   /* switch_mm to the same mm: still lazy */
	YIELD_UNLAZIED,	   /* lazy no more, generations not compared yet */
	YIELD_MASK_SET,	   /* switch_mm: in the new mask, old CR3 */
	YIELD_ROOT_LOADED, /* switch_mm: new CR3, old loaded */
	YIELD_GENERATION,  /* shootdown: generation raised, nobody told */
};

void yield_point(enum yield_point point);

/* At boot: pauses by @seed from now on; 0: none. */
void yield_init(u64 seed);
u64 yield_seed(void);

/* The next time CPU @cpu comes by @point it stays there, until released. It
 * may have interrupts off and hold locks: wait for nothing that needs it. */
void yield_arm(unsigned cpu, enum yield_point point);
bool yield_held(unsigned cpu);
/* Lets @cpu go, or disarms it. */
void yield_release(unsigned cpu);

#ifndef CONFIG_DEBUG
#define yield_point(point) debug_only(yield_point(point))
#define yield_init(seed)   debug_only(yield_init(seed))
#define yield_seed()       debug_only(yield_seed())
#endif
