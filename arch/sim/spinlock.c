/*
 * Spin locks that block: the explorer does not let an agent go on while another
 * one holds the lock. The checks are those of kernel/base/spinlock.c.
 *
 * A lock of rank RANK_LEDGER guards what only the ledger's functions touch;
 * they announce nothing, so each is one step anyway. Nothing is locked while
 * the explorer is quiet: checks look at everything, whoever holds it.
 */
#include "kernel/base/spinlock.h"
#include "arch/sim/sim.h"
#include "kernel/base/panic.h"

void
spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
	*lock = (struct spinlock){ .name = name, .rank = rank };
}

static void __noreturn
refuse(const char *why, const struct spinlock *lock, u64 caller)
{
	panic("%s: lock \"%s\" on cpu%u at %#lx; last taken at %#lx", why,
	      lock->name, sim_cpu_id(), caller, lock->taken_at);
}

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
	const struct cpu *cpu = this_cpu();

	if (arch_irqs_on())
		refuse("spin lock taken with interrupts on", lock, caller);
	if (lock->holder == cpu)
		refuse("spin lock taken twice by one CPU", lock, caller);
	for (unsigned i = 0; i < cpu->nr_held; i++)
		if (!in_order(cpu->held[i], lock))
			panic("spin locks taken in the wrong order: cpu%u "
			      "takes \"%s\" at %#lx while it holds \"%s\"",
			      cpu->id, lock->name, caller, cpu->held[i]->name);
	if (cpu->nr_held == MAX_HELD_LOCKS)
		refuse("too many spin locks at once", lock, caller);
}

static bool
ignored(const struct spinlock *lock)
{
	return explore_quiet || lock->rank == RANK_LEDGER;
}

static void
lock_from(struct spinlock *lock, u64 caller)
{
	struct cpu *cpu = this_cpu();

	if (ignored(lock))
		return;
	check_before_lock(lock, caller);
	sim_cpu()->wants = lock;
	explore_lock(&lock->locked, caller);
	sim_cpu()->wants = NULL;
	lock->locked.value = 1;
	lock->taken_at = caller;
	lock->holder = cpu;
	cpu->held[cpu->nr_held++] = lock;
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

	if (ignored(lock))
		return;
	if (lock->holder != cpu)
		refuse("spin lock released by a CPU that does not hold it",
		       lock, caller);
	if (arch_irqs_on())
		refuse("interrupts were turned on under a spin lock", lock,
		       caller);
	forget_held(cpu, lock);
	lock->holder = NULL;
	lock->locked.value = 0;
	explore_unlock(&lock->locked, caller);
}

void
spin_lock(struct spinlock *lock)
{
	lock_from(lock, CALLER);
}

void
spin_unlock(struct spinlock *lock)
{
	unlock_from(lock, CALLER);
}

irq_flags_t
spin_lock_irqsave(struct spinlock *lock)
{
	irq_flags_t flags = 0;

	if (lock->rank == RANK_LEDGER)
		return flags;
	flags = arch_irq_save();
	lock_from(lock, CALLER);
	return flags;
}

void
spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags)
{
	if (lock->rank == RANK_LEDGER)
		return;
	unlock_from(lock, CALLER);
	arch_irq_restore(flags);
}

bool
spin_held(const struct spinlock *lock)
{
	return ignored(lock) || lock->holder == this_cpu();
}

void
assert_no_spinlocks(void)
{
	const struct cpu *cpu = this_cpu();

	if (cpu->nr_held && !explore_quiet)
		panic("about to sleep or wait for other CPUs at %#lx, while "
		      "cpu%u holds spin lock \"%s\"", CALLER, cpu->id,
		      cpu->held[cpu->nr_held - 1]->name);
}
