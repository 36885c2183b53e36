/*
 * Spin locks. One kind: it is held with interrupts off, always. The kernel is
 * not preemptible, so an interrupt is the only thing that could find its own
 * CPU's lock taken, and this rule excludes it.
 *
 * Never send a shootdown or wait for another CPU under a spin lock: that CPU
 * may be spinning for it, deaf to interrupts.
 *
 * Debug builds record the holder and check the order: a CPU may only take a
 * lock of a higher rank than those it holds. Two futex buckets are the
 * exception: they nest in the order of their addresses.
 */
#pragma once

#include "arch/arch.h"
#include "kernel/base/atomic.h"

/* The order in which locks nest, outermost first. */
enum lock_rank {
	RANK_PROCESS = 1, /* process tree, pid table */
	RANK_IPC,	  /* handles, objects, who waits for whom */
	RANK_FUTEX,	  /* futex buckets; two of them in order of address */
	RANK_WAIT,	  /* wait queues and mutexes */
	RANK_TIMER,	  /* sleep queues */
	RANK_TASK,	  /* a task's own state */
	RANK_RUNQUEUE,	  /* a run queue; never two of them */
	RANK_MMLIST,	  /* list of all address spaces */
	RANK_SLAB,	  /* one slab cache */
	RANK_FRAMES,	  /* the buddy allocator */
	RANK_LEDGER,
	RANK_LOG,	  /* innermost: anything may print */
};

struct cpu;

struct spinlock {
	atomic_t locked;
#ifdef CONFIG_DEBUG
	enum lock_rank rank;
	const char *name;
	struct cpu *holder;
	u64 taken_at; /* address of the code that took it */
#endif
};

typedef u64 irq_flags_t;

#ifdef CONFIG_DEBUG
#define SPINLOCK_INIT(lock_name, lock_rank) \
	{ .rank = (lock_rank), .name = (lock_name) }
#else
#define SPINLOCK_INIT(lock_name, lock_rank) { .locked = ATOMIC_INIT(0) }
#endif

void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank);

/* The rest of spin_lock() when another CPU has the lock, without checks. */
void spin_lock_contended(struct spinlock *lock);

#ifdef CONFIG_DEBUG

/* Interrupts must be off already, and stay off until the unlock. */
void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* Turns interrupts off first; the flags go back to the matching restore. */
irq_flags_t spin_lock_irqsave(struct spinlock *lock) __must_check;
void spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags);

/* Does this CPU hold @lock? (Release builds can only tell that it is held.) */
bool spin_held(const struct spinlock *lock);

#else

static inline void
spin_lock(struct spinlock *lock)
{
	if (unlikely(atomic_test_and_set(&lock->locked)))
		spin_lock_contended(lock);
}

static inline void
spin_unlock(struct spinlock *lock)
{
	store_release(&lock->locked.value, 0);
}

static inline irq_flags_t __must_check
spin_lock_irqsave(struct spinlock *lock)
{
	irq_flags_t flags = arch_irq_save();

	spin_lock(lock);
	return flags;
}

static inline void
spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags)
{
	spin_unlock(lock);
	arch_irq_restore(flags);
}

static inline bool
spin_held(const struct spinlock *lock)
{
	return atomic_read(&lock->locked);
}

#endif

/* Panics when this CPU holds a spin lock: before sleeping or shootdowns. */
void assert_no_spinlocks(void);
#ifndef CONFIG_DEBUG
#define assert_no_spinlocks() debug_only(assert_no_spinlocks())
#endif

/* Panic only: from here on no lock waits and none is checked, since the CPUs
 * that hold them have stopped. */
void spin_locks_give_up(void);
extern bool spin_locks_gave_up;
