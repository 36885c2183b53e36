/* Spin locks: the waiting. Debug builds wait and check in
 * kernel/debug/spinlock.c. */
#include "kernel/base/spinlock.h"

bool spin_locks_gave_up;

void
spin_locks_give_up(void)
{
	WRITE_ONCE(spin_locks_gave_up, true);
}

void
spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
	(void)name, (void)rank;
	*lock = (struct spinlock)SPINLOCK_INIT(name, rank);
}

void
spin_lock_contended(struct spinlock *lock)
{
	do {
		if (READ_ONCE(spin_locks_gave_up))
			return;
		arch_spin_wait(&lock->locked, 1);
	} while (atomic_xchg(&lock->locked, 1));
}
