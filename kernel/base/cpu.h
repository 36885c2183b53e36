/*
 * What each CPU knows of itself. this_cpu() finds it; nothing read from it
 * may be kept across a switch, since the task may wake on another CPU.
 *
 * The three words of the borrow are curr, loaded and prev_mm.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/counters.h"

struct mm;
struct task;
struct trace_ring;
struct run_queue;

enum { MAX_HELD_LOCKS = 8 };

struct cpu {
	/* --- entry code: offsets are in arch/x86/asm_offsets.c --- */
	struct cpu *self;
	struct task *curr;	/* "current"; written by the switch, here */
	u64 kernel_sp;		/* top of current's kernel stack */
	u64 user_sp;		/* scratch of the system-call entry */

	unsigned id;		/* 0 .. nr_cpus - 1 */
	unsigned apic_id;
	bool online;
	bool dying;		/* on its way offline, or there */
	bool need_resched;	/* set here or by others; read on the way out */
	struct task *idle;

	/* --- mm/tlb.c: written by this CPU with interrupts off --- */
	struct mm *loaded;	/* whose root is in CR3 */
	bool lazy;		/* current has no mm: it only borrows */
	u64 seen_gen;		/* loaded->tlb_gen when last flushed */
	u64 seen_kernel_gen;	/* the same for the kernel half */
	atomic_t tlb_requests;	/* shootdowns asked of this CPU, by others */
	atomic_t tlb_served;	/* how many of them it has answered */

	/* --- sched/switch.c --- */
	struct mm *prev_mm;	/* a borrow parked until the finish step */
	bool finish_more;	/* it does more than to unlock: that, or prev */
	unsigned slice;		/* ticks left of curr's turn */

	/* --- sched/sched.c --- */
	unsigned kept;		/* by cpu_keep_online(); under world_lock */
	struct run_queue *rq;
	struct sleep_queue *sleepers;
	u64 next_tick;		/* ns; 0: no tick, the CPU is idle */

	/* --- kernel/debug/spinlock.c --- */
	unsigned nr_held;
	const struct spinlock *held[MAX_HELD_LOCKS];

	struct trace_ring *trace; /* kernel/trace.c; NULL: not recorded yet */

	/* --- kernel/debug/world.c --- */
	paddr_t root_at_rest;	/* CR3 when the world was stopped */
	int rest_round;		/* in this round of looking */

	unsigned irq_depth;	/* 0 in tasks, more inside interrupts */
	u64 counts[NR_COUNTERS];
} __aligned(64);

extern struct cpu cpus[MAX_CPUS];
extern unsigned nr_cpus;	/* CPUs that answered at boot, 1 .. MAX_CPUS */

#include "arch/arch.h"		/* this_cpu() */

#define current (arch_current())

static inline void
count_event(enum cpu_counter which)
{
	this_cpu()->counts[which]++;
}

static inline struct cpu *
cpu_by_id(unsigned id)
{
	return &cpus[id];
}
