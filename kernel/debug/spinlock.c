/*
 * Spin locks that are watched. A lock used wrongly is reported at once, with
 * the names of the locks and where they were taken, and not only in the run
 * that deadlocks.
 *
 * Read Linux: kernel/locking/lockdep.c for the grown-up form.
 */
#include "kernel/base/spinlock.h"

#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/yield.h"
#include "kernel/symbols.h"

/* A holder that is not done after this long never will be. */
#define PATIENCE_NS 30000000000ul

static void __noreturn
panic_two_locks(const char *what, const struct spinlock *lock, u64 caller,
		const struct spinlock *held)
{
	char here[SYMBOL_LEN], there[SYMBOL_LEN];

	symbol_format_caller(here, sizeof(here), caller);
	symbol_format_caller(there, sizeof(there), held->taken_at);
	panic("%s: cpu%u takes lock \"%s\" (rank %d) at %s, "
	      "while it holds \"%s\" (rank %d), taken at %s",
	      what, this_cpu()->id, lock->name, lock->rank, here, held->name,
	      held->rank, there);
}

static void __noreturn
panic_one_lock(const char *what, const struct spinlock *lock, u64 caller)
{
	struct cpu *holder = READ_ONCE(lock->holder);
	char here[SYMBOL_LEN], there[SYMBOL_LEN];

	symbol_format_caller(here, sizeof(here), caller);
	symbol_format_caller(there, sizeof(there), lock->taken_at);
	if (holder)
		panic("%s: lock \"%s\" on cpu%u at %s; it is held by cpu%u, "
		      "taken at %s", what, lock->name, this_cpu()->id, here,
		      holder->id, there);
	panic("%s: lock \"%s\" on cpu%u at %s; nobody holds it, "
	      "last taken at %s", what, lock->name, this_cpu()->id, here,
	      there);
}

/* May @lock be taken while @held is? */
static bool
in_order(const struct spinlock *held, const struct spinlock *lock)
{
	if (held->rank == RANK_FUTEX && lock->rank == RANK_FUTEX)
		return held < lock;
	return held->rank < lock->rank;
}

static void
check_before_lock(const struct spinlock *lock, u64 caller)
{
	struct cpu *cpu = this_cpu();

	if (arch_irqs_on())
		panic_one_lock("spin lock taken with interrupts on", lock,
			       caller);
	if (READ_ONCE(lock->holder) == cpu)
		panic_one_lock("spin lock taken twice by one CPU", lock,
			       caller);
	for (unsigned i = 0; i < cpu->nr_held; i++)
		if (!in_order(cpu->held[i], lock))
			panic_two_locks("spin locks taken in the wrong order",
					lock, caller, cpu->held[i]);
	if (cpu->nr_held == MAX_HELD_LOCKS)
		panic_two_locks("too many spin locks at once", lock, caller,
				cpu->held[MAX_HELD_LOCKS - 1]);
}

static void
wait_for(struct spinlock *lock, u64 caller)
{
	u64 started = arch_time_ns();

	do {
		if (READ_ONCE(spin_locks_gave_up))
			return;
		arch_spin_wait(&lock->locked, 1);
		if (arch_time_ns() - started > PATIENCE_NS)
			panic_one_lock("waited 30 s for a spin lock", lock,
				       caller);
	} while (atomic_xchg(&lock->locked, 1));
}

static void
lock_from(struct spinlock *lock, u64 caller)
{
	struct cpu *cpu = this_cpu();

	if (unlikely(READ_ONCE(spin_locks_gave_up)))
		return;
	check_before_lock(lock, caller);
	yield_point(YIELD_SPIN_LOCK);
	if (unlikely(atomic_xchg(&lock->locked, 1)))
		wait_for(lock, caller);
	lock->taken_at = caller;
	WRITE_ONCE(lock->holder, cpu);
	cpu->held[cpu->nr_held++] = lock;
}

void
spin_lock(struct spinlock *lock)
{
	lock_from(lock, CALLER);
}

/* Locks need not be given back in reverse order. */
static void
forget_held(struct cpu *cpu, const struct spinlock *lock)
{
	unsigned i = cpu->nr_held;

	while (i > 0 && cpu->held[i - 1] != lock)
		i--;
	if (i == 0)
		panic("lock \"%s\" is cpu%u's but not among its %u held locks",
		      lock->name, cpu->id, cpu->nr_held);
	cpu->nr_held--;
	for (i--; i < cpu->nr_held; i++)
		cpu->held[i] = cpu->held[i + 1];
}

static void
unlock_from(struct spinlock *lock, u64 caller)
{
	struct cpu *cpu = this_cpu();

	if (unlikely(READ_ONCE(spin_locks_gave_up)))
		return;
	if (READ_ONCE(lock->holder) != cpu)
		panic_one_lock("spin lock released by a CPU that does not "
			       "hold it", lock, caller);
	if (arch_irqs_on())
		panic_one_lock("interrupts were turned on under a spin lock",
			       lock, caller);
	forget_held(cpu, lock);
	WRITE_ONCE(lock->holder, NULL);
	store_release(&lock->locked.value, 0);
}

void
spin_unlock(struct spinlock *lock)
{
	unlock_from(lock, CALLER);
}

irq_flags_t
spin_lock_irqsave(struct spinlock *lock)
{
	irq_flags_t flags = arch_irq_save();

	lock_from(lock, CALLER);
	return flags;
}

void
spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags)
{
	unlock_from(lock, CALLER);
	arch_irq_restore(flags);
}

bool
spin_held(const struct spinlock *lock)
{
	return READ_ONCE(lock->holder) == this_cpu();
}

void
assert_no_spinlocks(void)
{
	struct cpu *cpu = this_cpu();
	const struct spinlock *held;
	char here[SYMBOL_LEN], there[SYMBOL_LEN];

	if (likely(cpu->nr_held == 0) || READ_ONCE(spin_locks_gave_up))
		return;
	held = cpu->held[cpu->nr_held - 1];
	symbol_format_caller(here, sizeof(here), CALLER);
	symbol_format_caller(there, sizeof(there), held->taken_at);
	panic("about to sleep or wait for other CPUs at %s, while cpu%u holds "
	      "spin lock \"%s\", taken at %s", here, cpu->id, held->name,
	      there);
}
