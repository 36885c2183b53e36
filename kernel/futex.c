/*
 * Futexes: sleeping on a word of user memory. Read Linux: kernel/futex/.
 *
 * A waiter queues itself first and reads the word afterwards, with no lock
 * held, since the read may fault. A waker changes the word first and looks at
 * the queue afterwards. So either the waiter reads the new value, or the waker
 * finds it. A waiter that does not want to sleep after all, but was woken
 * meanwhile, reports the wake-up: it must not be lost.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "mm/mm.h"
#include "mm/usercopy.h"

enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_COMMAND = 127,
	FUTEX_PRIVATE = 128,
	FUTEX_REALTIME = 256,
	NR_BUCKETS = 256,
};

/* Names the word: for private memory address space and address, for a shared
 * object the object and the place in it. */
struct futex_key {
	const void *space;
	u64 offset;
};

struct futex_waiter {
	struct futex_key key;
	u32 bitset;
	struct task *task;
	bool woken;		/* off the queue; written under its lock */
	struct bucket *bucket;	/* changes when requeued, under both locks */
	struct list link;
};

struct bucket {
	struct spinlock lock;
	struct list waiters;
} __aligned(32);

static struct bucket buckets[NR_BUCKETS];

void
futex_init(void)
{
	for (unsigned i = 0; i < NR_BUCKETS; i++) {
		spin_init(&buckets[i].lock, "futex", RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
}

static struct bucket *
bucket_of(const struct futex_key *key)
{
	u64 hash = (u64)key->space / 64 + key->offset / 4;

	return &buckets[(hash * 0x9e3779b97f4a7c15ul) >> 56];
}

static bool
same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->space == b->space && a->offset == b->offset;
}

/* Names the word by its shared object, if it lies in one. */
static __noinline void
look_for_object(uaddr_t addr, struct futex_key *key)
{
	struct mm *mm = current->mm;
	struct region *region;

	mutex_lock(&mm->lock);
	region = region_find(mm, addr);
	if (region && region->start <= addr && region->shared) {
		key->space = region->object;
		key->offset = (region->offset << PAGE_SHIFT) +
			      (addr - region->start);
	}
	mutex_unlock(&mm->lock);
}

/* @private: the caller promises that no other address space uses the word,
 * which spares the look at the regions. */
static inline int
get_key(uaddr_t addr, bool private, struct futex_key *key)
{
	if (addr % sizeof(u32))
		return -EINVAL;
	if (!access_ok(addr, sizeof(u32)))
		return -EFAULT;
	*key = (struct futex_key){ current->mm, addr };
	if (!private)
		look_for_object(addr, key);
	return 0;
}

/* ---- Waiting ---------------------------------------------------------- */

static void
queue_waiter(struct futex_waiter *waiter)
{
	struct bucket *bucket = bucket_of(&waiter->key);
	irq_flags_t flags = spin_lock_irqsave(&bucket->lock);

	waiter->task = current;
	waiter->woken = false;
	waiter->bucket = bucket;
	list_add_tail(&bucket->waiters, &waiter->link);
	spin_unlock_irqrestore(&bucket->lock, flags);
}

/* Off the queue, wherever a requeue has put us; returns whether we had been
 * woken already. */
static bool
unqueue_waiter(struct futex_waiter *waiter)
{
	for (;;) {
		struct bucket *bucket = READ_ONCE(waiter->bucket);
		irq_flags_t flags = spin_lock_irqsave(&bucket->lock);
		bool here = waiter->bucket == bucket;
		bool woken = waiter->woken;

		if (here && !woken)
			list_del(&waiter->link);
		spin_unlock_irqrestore(&bucket->lock, flags);
		if (here)
			return woken;
	}
}

/* Sleeps until woken, @deadline, or a signal. */
static void
sleep_on(struct futex_waiter *waiter, u64 deadline)
{
	for (;;) {
		set_current_state(TASK_SLEEPING);
		if (load_acquire(&waiter->woken) ||
		    signal_pending(current) ||
		    (deadline != ~0ul && arch_time_ns() >= deadline))
			break;
		schedule_until(deadline);
	}
	set_current_state(TASK_RUNNABLE);
}

/* FUTEX_WAIT's timeout is an interval, FUTEX_WAIT_BITSET's a moment. */
static int
get_deadline(uaddr_t timeout, int op, u64 *deadline)
{
	u64 ns;
	int err;

	*deadline = ~0ul;
	if (!timeout)
		return 0;
	err = get_timespec(timeout, &ns);
	if (err)
		return err;
	if ((op & FUTEX_COMMAND) == FUTEX_WAIT)
		*deadline = arch_time_ns() + ns;
	else
		*deadline = op & FUTEX_REALTIME ? realtime_to_monotonic(ns)
						: ns;
	return 0;
}

static long futex_wait_again(struct restart_block *restart);

/* Interrupted. The next try may be by another call, which has to know that the
 * interval has begun already. */
static long
restart_wait(const struct restart_block *restart)
{
	if (restart->deadline == ~0ul)
		return -ERESTARTSYS;
	current->restart = *restart;
	return -ERESTART_RESTARTBLOCK;
}

static long
wait_until(struct restart_block *restart)
{
	struct futex_waiter waiter;
	u32 value;
	int err = get_key(restart->addr, restart->private, &waiter.key);

	if (err)
		return err;
	waiter.bitset = restart->bitset;
	queue_waiter(&waiter);
	err = get_user_u32(&value, restart->addr);
	if (!err && value != restart->value)
		err = -EAGAIN;
	if (!err)
		sleep_on(&waiter, restart->deadline);
	if (unqueue_waiter(&waiter))
		return 0;
	if (err)
		return err;
	return arch_time_ns() >= restart->deadline ? -ETIMEDOUT
						   : restart_wait(restart);
}

static long
futex_wait_again(struct restart_block *restart)
{
	struct restart_block copy = *restart;

	return wait_until(&copy);
}

static long
futex_wait(uaddr_t addr, int op, u32 expected, uaddr_t timeout, u32 bitset)
{
	struct restart_block restart = {
		.fn = futex_wait_again,
		.addr = addr,
		.value = expected,
		.bitset = bitset,
		.private = op & FUTEX_PRIVATE,
	};
	int err = get_deadline(timeout, op, &restart.deadline);

	if (err)
		return err;
	return bitset ? wait_until(&restart) : -EINVAL;
}

/* ---- Waking ----------------------------------------------------------- */

/* The waiter's memory is its stack: once woken is set it may be gone, but its
 * task may not, since unqueue_waiter() needs the bucket's lock. */
static void
wake_waiter(struct futex_waiter *waiter)
{
	struct task *task = waiter->task;

	list_del(&waiter->link);
	store_release(&waiter->woken, true);
	wake_up_task(task);
}

long
futex_wake(uaddr_t addr, bool private, int n, u32 bitset)
{
	struct futex_waiter *waiter, *tmp;
	struct futex_key key;
	struct bucket *bucket;
	irq_flags_t flags;
	int err = get_key(addr, private, &key);
	long woken = 0;

	if (err)
		return err;
	if (!bitset)
		return -EINVAL;
	bucket = bucket_of(&key);
	flags = spin_lock_irqsave(&bucket->lock);
	list_for_each_safe(waiter, tmp, &bucket->waiters, link) {
		if (!same_key(&waiter->key, &key) ||
		    !(waiter->bitset & bitset))
			continue;
		wake_waiter(waiter);
		if (++woken >= n)
			break;
	}
	spin_unlock_irqrestore(&bucket->lock, flags);
	return woken;
}

/* ---- Requeueing ------------------------------------------------------- */

/* Two buckets in order of their addresses, or one. */
static irq_flags_t
lock_buckets(struct bucket *a, struct bucket *b)
{
	irq_flags_t flags;

	flags = spin_lock_irqsave(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock(a < b ? &b->lock : &a->lock);
	return flags;
}

static void
unlock_buckets(struct bucket *a, struct bucket *b, irq_flags_t flags)
{
	if (a != b)
		spin_unlock(a < b ? &b->lock : &a->lock);
	spin_unlock_irqrestore(a < b ? &a->lock : &b->lock, flags);
}

/* Within a bucket it keeps its place: moved to the end, requeue() would meet
 * it again, and for ever when the new key is the old one. */
static void
move_waiter(struct futex_waiter *waiter, const struct futex_key *key,
	    struct bucket *to)
{
	waiter->key = *key;
	if (waiter->bucket == to)
		return;
	list_del(&waiter->link);
	list_add_tail(&to->waiters, &waiter->link);
	WRITE_ONCE(waiter->bucket, to);
}

/* Wakes @wake of those on @from, moves up to @move of the others to @to. */
static int
requeue(const struct futex_key *from, const struct futex_key *to, int wake,
	int move)
{
	struct bucket *source = bucket_of(from), *target = bucket_of(to);
	irq_flags_t flags = lock_buckets(source, target);
	struct futex_waiter *waiter, *tmp;
	s64 done = 0, limit = (s64)wake + move;

	list_for_each_safe(waiter, tmp, &source->waiters, link) {
		if (!same_key(&waiter->key, from))
			continue;
		if (done >= limit)
			break;
		if (done < wake)
			wake_waiter(waiter);
		else
			move_waiter(waiter, to, target);
		done++;
	}
	unlock_buckets(source, target, flags);
	return (int)done;
}

/* FUTEX_CMP_REQUEUE only does it while the word is @expected. Out of line, so
 * that waiting and waking need not save what only this needs. */
static __noinline long
futex_requeue(uaddr_t addr, uaddr_t addr2, int op, int wake, int move,
	      u32 expected)
{
	bool private = op & FUTEX_PRIVATE;
	struct futex_key from, to;
	int err = get_key(addr, private, &from);
	u32 value;

	if (!err)
		err = get_key(addr2, private, &to);
	if (err)
		return err;
	if (wake < 0 || move < 0)
		return -EINVAL;
	if ((op & FUTEX_COMMAND) == FUTEX_CMP_REQUEUE) {
		if (get_user_u32(&value, addr))
			return -EFAULT;
		if (value != expected)
			return -EAGAIN;
	}
	return requeue(&from, &to, wake, move);
}

/* ---- The system call -------------------------------------------------- */

long
do_futex(uaddr_t addr, int op, u32 val, uaddr_t timeout, uaddr_t addr2,
	 u32 val3)
{
	switch (op & FUTEX_COMMAND) {
	case FUTEX_WAIT:
		return futex_wait(addr, op, val, timeout, ~0u);
	case FUTEX_WAIT_BITSET:
		return futex_wait(addr, op, val, timeout, val3);
	case FUTEX_WAKE:
		return futex_wake(addr, op & FUTEX_PRIVATE, (int)val, ~0u);
	case FUTEX_WAKE_BITSET:
		return futex_wake(addr, op & FUTEX_PRIVATE, (int)val, val3);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, addr2, op, (int)val, (int)timeout,
				     val3);
	default:
		return -ENOSYS;
	}
}

/* ---- Robust mutexes --------------------------------------------------- */

enum {
	FUTEX_WAITERS = 0x80000000,
	FUTEX_OWNER_DIED = 0x40000000,
	FUTEX_TID_MASK = 0x3fffffff,
	ROBUST_MAX = 2048, /* a list may be a circle: user memory */
};

struct robust_head {
	uaddr_t next;	   /* first entry; the head itself: empty */
	s64 futex_offset;  /* from an entry to its word */
	uaddr_t pending;   /* an entry being locked or unlocked */
};

/* If we own the word, says so to whoever comes next, and wakes one. */
static void
orphan(uaddr_t addr)
{
	u32 old, seen;

	if (get_user_u32(&seen, addr))
		return;
	do {
		old = seen;
		if ((old & FUTEX_TID_MASK) != (u32)current->tid)
			return;
		if (cmpxchg_user_u32(addr, &seen, (old & FUTEX_WAITERS) |
							  FUTEX_OWNER_DIED))
			return;
	} while (seen != old);
	if (old & FUTEX_WAITERS)
		futex_wake(addr, false, 1, ~0u);
}

void
exit_robust_list(void)
{
	uaddr_t list = current->robust_list;
	struct robust_head head;
	uaddr_t entry;

	current->robust_list = 0;
	if (!list || copy_from_user(&head, list, sizeof(head)))
		return;
	entry = head.next & ~1ul; /* bit 0 marks priority inheritance */
	for (int i = 0; i < ROBUST_MAX && entry != list; i++) {
		uaddr_t next;

		/* Before the word is let go: its memory may vanish then. */
		if (copy_from_user(&next, entry, sizeof(next)))
			break;
		if (entry != head.pending)
			orphan(entry + (u64)head.futex_offset);
		entry = next & ~1ul;
	}
	if (head.pending)
		orphan((head.pending & ~1ul) + (u64)head.futex_offset);
}
