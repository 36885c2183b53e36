/*
 * The life of an address space: both counters, fork, clone, exec, exit and
 * adoption. See mm/mm.h for what users and count mean.
 *
 * Who owns what at each moment:
 *
 *   a task that lives here      one of users           REF_TASK
 *   all users together          one of count           REF_USERS
 *   a lazy task that runs       one of count           REF_BORROW
 *   a CPU, until its finish     one of count           REF_PARKED
 *   an adopting kernel thread   one of count           REF_ADOPTED
 *   an outsider                 one of count, always   REF_PIN
 *                               one of users, briefly  REF_GET
 *
 * The switch's half of the protocol is in sched/switch.c.
 */
#include "mm/mm.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/base/yield.h"
#include "kernel/trace.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "sched/task.h"

static struct kmem_cache *mm_cache;
static struct spinlock mm_list_lock = SPINLOCK_INIT("mm_list", RANK_MMLIST);
static struct list mm_list = LIST_INIT(mm_list);
static unsigned mm_list_length;
static u64 next_mm_id = 1;

/* ---- The counters ----------------------------------------------------- */

void
mmget(struct mm *mm, enum mm_ref why, const void *holder)
{
	int users = atomic_add_return(&mm->users, 1);

	count_event(COUNT_MM_ATOMICS);
	ASSERT(users > 1); /* from 0 there is no way back: mmget_not_zero */
	ledger_add(mm, why, holder, CALLER);
	trace(TRACE_MMGET, mm, why, CALLER);
}

bool
mmget_not_zero(struct mm *mm, const void *holder)
{
	int users = atomic_read(&mm->users);

	count_event(COUNT_MM_ATOMICS);
	do {
		ASSERT(users >= 0);
		if (users == 0)
			return false;
	} while (!atomic_cmpxchg(&mm->users, &users, users + 1));
	ledger_add(mm, REF_GET, holder, CALLER);
	trace(TRACE_MMGET, mm, REF_GET, CALLER);
	return true;
}

/* The last user is gone: nobody can enter any more. What is left of @mm is
 * what borrowers stand on. */
static void
teardown(struct mm *mm)
{
	u64 pages = mm->nr_pages;

	yield_point(YIELD_TEARDOWN);
	ASSERT(mm != &init_mm);
	ASSERT(!mm->torn_down);
	transition_begin();
	exit_mmap(mm);
	mm->torn_down = true;
	trace(TRACE_TEARDOWN, mm, pages, CALLER);
	mmdrop(mm, REF_USERS, mm);
	transition_end();
}

void
mmput(struct mm *mm, enum mm_ref why, const void *holder)
{
	u64 id = mm->id;
	int count = mm_count(mm);
	int users;

	ledger_remove(mm, why, holder, CALLER);
	/* Decrement and test are one operation: of two threads that exit at
	 * the same instant exactly one sees 0. The other one may not look at
	 * @mm any more: it may be gone. */
	yield_point(YIELD_USERS_DROP);
	users = atomic_add_return(&mm->users, -1);
	count_event(COUNT_MM_ATOMICS);
	trace_counts(TRACE_MMPUT, id, users, count, why, CALLER);
	if (users < 0)
		panic("mm %lu: users dropped below zero", id);
	if (users == 0)
		teardown(mm);
}

/* As in mmput(), @mm may be gone once the decrement is done: the ledger and the
 * trace come first. */
bool
mmput_unless_last(struct mm *mm, const void *holder)
{
	u64 id = mm->id;
	int count = mm_count(mm);
	int users = atomic_read(&mm->users);

	ledger_remove(mm, REF_GET, holder, CALLER);
	count_event(COUNT_MM_ATOMICS);
	do {
		if (users == 1) {
			ledger_add(mm, REF_GET, holder, CALLER);
			return false;
		}
	} while (!atomic_cmpxchg(&mm->users, &users, users - 1));
	trace_counts(TRACE_MMPUT, id, users - 1, count, REF_GET, CALLER);
	return true;
}

void
mmgrab(struct mm *mm, enum mm_ref why, const void *holder)
{
	int count;

	yield_point(YIELD_COUNT);
	count = atomic_add_return(&mm->count, 1);
	count_event(COUNT_MM_ATOMICS);
	ASSERT(count > 1); /* at 0 the struct is gone */
	ledger_add(mm, why, holder, CALLER);
	trace(TRACE_MMGRAB, mm, why, CALLER);
}

static void
mm_list_add(struct mm *mm)
{
	irq_flags_t flags = spin_lock_irqsave(&mm_list_lock);

	mm->id = next_mm_id++;
	list_add_tail(&mm_list, &mm->link);
	mm_list_length++;
	spin_unlock_irqrestore(&mm_list_lock, flags);
}

static void
mm_list_remove(struct mm *mm)
{
	irq_flags_t flags = spin_lock_irqsave(&mm_list_lock);

	list_del(&mm->link);
	mm_list_length--;
	spin_unlock_irqrestore(&mm_list_lock, flags);
}

/* Nobody stands here any more, on any CPU. */
static void
mm_free(struct mm *mm)
{
	yield_point(YIELD_FREE);
	if (mm == &init_mm)
		panic_mm(mm, "init_mm's count dropped to zero");
	if (!mm->torn_down)
		panic_mm(mm, "mm %lu freed with its contents", mm->id);
	ASSERT(this_cpu()->loaded != mm);
	ASSERT(this_cpu()->irq_depth == 0);
	assert_no_spinlocks();
	trace(TRACE_FREE, mm, mm->root, CALLER);
	ledger_close(mm, CALLER);
	mm_list_remove(mm);
	pgtable_free_root(mm->root);
	kmem_cache_free(mm_cache, mm);
}

void
mmdrop(struct mm *mm, enum mm_ref why, const void *holder)
{
	u64 id = mm->id;
	int users = mm_users(mm);
	int count;

	ledger_remove(mm, why, holder, CALLER);
	yield_point(YIELD_COUNT);
	count = atomic_add_return(&mm->count, -1);
	count_event(COUNT_MM_ATOMICS);
	trace_counts(TRACE_MMDROP, id, users, count, why, CALLER);
	if (count < 0)
		panic("mm %lu: count dropped below zero", id);
	if (count == 0)
		mm_free(mm);
}

/* ---- Beginning -------------------------------------------------------- */

void
mm_init(void)
{
	mm_cache = kmem_cache_create("mm", sizeof(struct mm), 0, NULL);
	init_mm.root = arch_kernel_root();
	mutex_init(&init_mm.lock, "init_mm");
	region_tree_init(&init_mm.regions);
	list_add_tail(&mm_list, &init_mm.link);
	mm_list_length = 1;
	ledger_init(&init_mm);
	ledger_add(&init_mm, REF_TASK, &init_mm, CALLER);
	ledger_add(&init_mm, REF_STATIC, &init_mm, CALLER);
}

struct mm *
mm_alloc(const void *holder)
{
	struct mm *mm = kmem_cache_alloc(mm_cache);

	if (!mm)
		return NULL;
	memset(mm, 0, sizeof(*mm));
	mm->root = pgtable_alloc_root();
	if (!mm->root) {
		kmem_cache_free(mm_cache, mm);
		return NULL;
	}
	atomic_set(&mm->users, 1);
	atomic_set(&mm->count, 1);
	mutex_init(&mm->lock, "mm");
	region_tree_init(&mm->regions);
	ledger_init(mm);
	ledger_add(mm, REF_BUILDING, holder, CALLER);
	ledger_add(mm, REF_USERS, mm, CALLER);
	mm_list_add(mm);
	trace(TRACE_MMGET, mm, REF_BUILDING, CALLER);
	return mm;
}

/* fork's copy: contents shared copy-on-write, counters, mask and generation
 * its own. Read Linux: kernel/fork.c, dup_mm. */
static struct mm *
dup_mm(struct mm *old, const void *holder)
{
	struct mm *mm = mm_alloc(holder);
	int err;

	if (!mm)
		return NULL;
	mutex_lock(&old->lock);
	mm->brk_start = old->brk_start;
	mm->brk = old->brk;
	strscpy(mm->name, old->name, sizeof(mm->name));
	err = regions_copy(mm, old);
	mutex_unlock(&old->lock);
	if (err) {
		mmput(mm, REF_BUILDING, holder);
		return NULL;
	}
	return mm;
}

int
copy_mm(struct task *child, bool clone_vm)
{
	struct mm *mm = current->mm;

	ASSERT(!child->mm);
	if (!mm)
		return 0;
	if (clone_vm) {
		mmget(mm, REF_TASK, child);
	} else {
		mm = dup_mm(mm, child);
		if (!mm)
			return -ENOMEM;
		ledger_move(mm, REF_BUILDING, child, REF_TASK, child, CALLER);
	}
	child->mm = mm;
	child->active_mm = mm;
	return 0;
}

void
uncopy_mm(struct task *child)
{
	struct mm *mm = child->mm;

	if (!mm)
		return;
	child->mm = NULL;
	child->active_mm = NULL;
	mmput(mm, REF_TASK, child);
}

/* ---- End -------------------------------------------------------------- */

/*
 * The order matters twice. The borrow comes before the user reference goes:
 * else the root could vanish under this very CPU. mm is NULL before mmput():
 * else a switch during the teardown would come back to a "user" task in an
 * address space that has no users.
 *
 * Read Linux: kernel/exit.c, exit_mm.
 */
void
exit_mm(void)
{
	struct task *me = current;
	struct mm *mm = me->mm;
	irq_flags_t flags;

	ASSERT(mm && mm == me->active_mm);
	ASSERT(!me->is_kthread); /* an adopter unuses */
	transition_begin();
	mmgrab(mm, REF_BORROW, me);
	flags = arch_irq_save();
	me->mm = NULL;
	enter_lazy_tlb();
	arch_irq_restore(flags);
	mmput(mm, REF_TASK, me);
	transition_end();
}

/* Pointer and CR3 change as one step, interrupts off: a shootdown in between
 * would see one and flush the other (Linux: 38cf307c1f20). */
static void
move_into(struct task *me, struct mm *mm)
{
	irq_flags_t flags = arch_irq_save();

	me->active_mm = mm;
	me->mm = mm;
	yield_point(YIELD_MOVE);
	switch_mm(mm);
	arch_irq_restore(flags);
}

/* Read Linux: fs/exec.c, exec_mmap. */
void
exec_mmap(struct mm *new)
{
	struct task *me = current;
	struct mm *old = me->mm;
	struct mm *borrowed = me->active_mm;

	/* Ours; and that of an outsider who looks at it just now. */
	ASSERT(mm_users(new) >= 1);
	transition_begin();
	ledger_move(new, REF_BUILDING, me, REF_TASK, me, CALLER);
	move_into(me, new);
	trace(TRACE_EXEC, new, 0, CALLER);
	if (old) {
		/* A user task's active_mm is its mm: no borrow to return. */
		ASSERT(borrowed == old);
		mmput(old, REF_TASK, me);
	} else {
		mmdrop(borrowed, REF_BORROW, me);
	}
	transition_end();
}

/* ---- Adoption --------------------------------------------------------- */

/* Read Linux: kernel/kthread.c, kthread_use_mm. */
void
kthread_use_mm(struct mm *mm)
{
	struct task *me = current;
	struct mm *borrowed = me->active_mm;

	ASSERT(me->is_kthread && !me->mm);
	ASSERT(mm_users(mm) > 0); /* count keeps the struct, not the pages */
	transition_begin();
	mmgrab(mm, REF_ADOPTED, me);
	move_into(me, mm);
	mmdrop(borrowed, REF_BORROW, me);
	transition_end();
}

void
kthread_unuse_mm(struct mm *mm)
{
	struct task *me = current;
	irq_flags_t flags;

	ASSERT(me->is_kthread && me->mm == mm);
	transition_begin();
	mmgrab(mm, REF_BORROW, me);
	flags = arch_irq_save();
	me->mm = NULL;
	enter_lazy_tlb();
	arch_irq_restore(flags);
	mmdrop(mm, REF_ADOPTED, me);
	transition_end();
}

void
return_borrow(void)
{
	struct task *me = current;
	struct mm *mm = me->active_mm;
	irq_flags_t flags;

	ASSERT(!me->mm);
	if (mm == &init_mm)
		return;
	transition_begin();
	mmgrab(&init_mm, REF_BORROW, me);
	flags = arch_irq_save();
	leave_mm();
	me->active_mm = &init_mm;
	arch_irq_restore(flags);
	mmdrop(mm, REF_BORROW, me);
	transition_end();
}

/* ---- Outsiders -------------------------------------------------------- */

void
mm_for_each(bool (*fn)(struct mm *mm, void *arg), void *arg)
{
	irq_flags_t flags = spin_lock_irqsave(&mm_list_lock);
	struct mm *mm;

	list_for_each(mm, &mm_list, link) {
		if (!fn(mm, arg))
			break;
	}
	spin_unlock_irqrestore(&mm_list_lock, flags);
}

/*
 * An mm on the list may already have count 0, its last holder being on the
 * way to mm_list_remove(); such a one must not be revived.
 */
static bool
mmgrab_not_zero(struct mm *mm, const void *holder)
{
	int count = atomic_read(&mm->count);

	count_event(COUNT_MM_ATOMICS);
	do {
		if (count == 0)
			return false;
	} while (!atomic_cmpxchg(&mm->count, &count, count + 1));
	ledger_add(mm, REF_PIN, holder, CALLER);
	trace(TRACE_MMGRAB, mm, REF_PIN, CALLER);
	return true;
}

struct mm *
mm_find(u64 id, const void *holder)
{
	irq_flags_t flags = spin_lock_irqsave(&mm_list_lock);
	struct mm *mm, *found = NULL;

	list_for_each(mm, &mm_list, link) {
		if (mm->id == id && mmgrab_not_zero(mm, holder)) {
			found = mm;
			break;
		}
	}
	spin_unlock_irqrestore(&mm_list_lock, flags);
	return found;
}

unsigned
nr_mms(void)
{
	return READ_ONCE(mm_list_length);
}
