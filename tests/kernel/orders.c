/* What actors are told to do, and do by themselves. */
#include "kernel/base/errno.h"
#include "kernel/exec.h"
#include "kernel/guest.h"
#include "kernel/hold.h"
#include "mm/fail.h"
#include "mm/usercopy.h"
#include "tests/kernel/actor.h"

/* ---- clone, exec, exit ------------------------------------------------ */

struct birth {
	u64 flags;
	u8 prio;
	unsigned fail_nth;	/* the allocation that is to fail; 0: none */
	bool failed;		/* it did */
	bool killed;		/* the parent is being killed meanwhile */
};

static long
clone_order(void *arg)
{
	struct birth *birth = arg;
	struct clone_args args = {
		.flags = birth->flags,
		.exit_signal = SIGCHLD,
	};
	long tid;

	sched_set_priority(current, birth->prio); /* inherited */
	current->kill_signal = birth->killed ? SIGKILL : 0;
	fail_allocation(NR_ALLOC_CLASSES, birth->fail_nth);
	tid = do_clone(&args);
	birth->failed = failure_happened();
	withdraw_failure();
	current->kill_signal = 0;
	sched_set_priority(current, PRIO_ACTOR);
	return tid;
}

static struct task *
task_by_tid(tid_t tid)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *task = find_task(tid);

	spin_unlock_irqrestore(&pid_lock, flags);
	return task;
}

/* The child of a clone() that returned @tid, and waits to be called. */
static struct task *
newborn(long tid)
{
	struct task *task = task_by_tid((tid_t)tid);

	MUST(task);
	sched_set_priority(task, PRIO_SET_ASIDE);
	return task;
}

struct actor *
clones(struct actor *parent, const char *name, u64 flags)
{
	struct actor *child = new_actor(name);
	struct birth birth = { .flags = flags, .prio = PRIO_NEWBORN };
	long tid = does(parent, clone_order, &birth);

	MUST(tid > 0);
	child->task = newborn(tid);
	if (!(flags & CLONE_VM))
		name_space(mm_of(child), name);
	return child;
}

struct actor *
vforks(struct actor *parent, const char *name)
{
	static struct birth birth = {
		.flags = CLONE_VM | CLONE_VFORK,
		.prio = PRIO_VFORK_CHILD,
	};
	struct actor *child = new_actor(name);

	stage.unborn = child;
	begins(parent, clone_order, &birth);
	UNTIL(load_acquire(&child->ready));
	return child;
}

long
forks_without_memory(struct actor *parent, unsigned nth, bool *failed)
{
	struct birth birth = {
		.flags = FORK, .prio = PRIO_NEWBORN, .fail_nth = nth,
	};
	long tid = does(parent, clone_order, &birth);

	*failed = birth.failed;
	if (tid > 0)
		new_actor("?")->task = newborn(tid);
	return tid;
}

long
forks_while_killed(struct actor *parent)
{
	struct birth birth = {
		.flags = FORK, .prio = PRIO_NEWBORN, .killed = true,
	};

	return does(parent, clone_order, &birth);
}

static long
exec_order(void *unused)
{
	struct mm *mm;
	int err = -ENOMEM;

	(void)unused;
	transition_begin();
	mm = mm_alloc(current);
	if (mm)
		err = arch_task_make_user(current);
	if (!err)
		err = exec_into(mm, "true", PAGE_SIZE, PAGE_SIZE);
	transition_end();
	return err;
}

u64
execs(struct actor *actor, const char *name)
{
	MUST_EQ(does(actor, exec_order, NULL), 0);
	name_space(mm_of(actor), name);
	return mm_of(actor);
}

static long
exit_order(void *unused)
{
	(void)unused;
	do_exit(0);
}

void
begins_exit(struct actor *actor)
{
	MUST_EQ(hold_control(actor->task->cpu, LODGER_HOLD_DEAD), 0);
	begins(actor, exit_order, NULL);
}

void
is_dead(struct actor *actor)
{
	unsigned cpu = actor->task->cpu;

	UNTIL(held_at(cpu) == LODGER_HOLD_DEAD);
	actor->gone = true;
	stage.dead[cpu] = actor;
}

void
exits(struct actor *actor)
{
	if (!actor->task->process) {
		actor->leaves = true;
		return;
	}
	begins_exit(actor);
	is_dead(actor);
}

/* ---- Memory ----------------------------------------------------------- */

struct range {
	uaddr_t addr;
	u64 len;
};

static long
unmap_order(void *arg)
{
	const struct range *range = arg;
	struct mm *mm = current->mm;

	return mm_locked(mm, do_munmap(mm, range->addr, range->len));
}

void
begins_unmap(struct actor *actor, uaddr_t addr, u64 pages)
{
	static struct range range;

	range = (struct range){ addr, pages * PAGE_SIZE };
	begins(actor, unmap_order, &range);
}

void
unmaps(struct actor *actor, uaddr_t addr, u64 pages)
{
	begins_unmap(actor, addr, pages);
	MUST_EQ(ends(actor), 0);
}

static long
touch_order(void *arg)
{
	const struct range *range = arg;

	for (uaddr_t addr = range->addr; addr < range->addr + range->len;
	     addr += PAGE_SIZE)
		if (put_user_u32(addr, (u32)addr))
			return -EFAULT;
	return 0;
}

long
touches(struct actor *actor, uaddr_t addr, u64 pages)
{
	struct range range = { addr, pages * PAGE_SIZE };

	return does(actor, touch_order, &range);
}

static long
read_order(void *arg)
{
	const struct range *range = arg;
	u32 value;

	if (get_user_u32(&value, range->addr))
		return -EFAULT;
	return value;
}

long
reads(struct actor *actor, uaddr_t addr)
{
	struct range range = { .addr = addr };

	return does(actor, read_order, &range);
}
