/* The stage. See tests/kernel/stage.h. */
#include "tests/kernel/stage.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/guest.h"
#include "kernel/hold.h"
#include "kernel/invariants.h"
#include "kernel/workers.h"
#include "mm/fail.h"
#include "mm/remote.h"
#include "mm/usercopy.h"
#include "sched/kthread.h"
#include "sched/world.h"

enum {
	MAX_ACTORS = 16,
	MAX_SPACES = 32,
	MAX_WORKERS = 32,
	NAME_LEN = 8,
	PATIENCE_S = 20,
	/* Actors come before all other threads. Children that have not run
	 * yet wait behind those that were called; but for a vfork child, which
	 * is to run at once. */
	PRIO_VFORK_CHILD = 1,
	PRIO_ACTOR = 2,
	PRIO_NEWBORN = 3,
};

struct actor {
	char name[NAME_LEN];
	struct task *task;	/* NULL: not born yet */
	bool leaves;		/* a kernel actor that ends with its switch */
	bool gone;		/* dead: the task may be freed at any moment */
	bool quit;		/* the stage closes */

	/* The mailbox. The actor is ready, or works on an order, or does not
	 * run. */
	bool ready;
	order_t order;
	void *arg;
	long result;
};

static struct {
	unsigned cpus;
	struct actor actors[MAX_ACTORS];
	unsigned nr_actors;
	struct actor *unborn;		/* who is the next unknown task */
	struct actor *dead[MAX_CPUS];	/* held after its exit */
	struct {
		u64 id;
		char name[NAME_LEN];
	} spaces[MAX_SPACES];
	unsigned nr_spaces;
	struct {
		struct task *task;
		u64 affinity;
	} workers[MAX_WORKERS];
	unsigned nr_workers;
	u64 marks[MAX_CPUS][NR_COUNTERS];
	u64 frames;
	unsigned tasks;
} stage;

/* ---- Failure ---------------------------------------------------------- */

static void __noreturn
end_run(void)
{
	printk(LOG_ERROR, "the stage cannot be cleared: the run ends here");
	printk(LOG_ERROR, "lodger: verdict FAIL");
	arch_exit(VERDICT_FAIL);
}

void
stage_must(const char *file, int line, const char *what, long seen,
	   long expected)
{
	if (seen == expected)
		return;
	test_failed(file, line, "%s: expected %ld, seen %ld", what, expected,
		    seen);
	end_run();
}

void
stage_wait(const char *file, int line, const char *what, u64 since)
{
	world_meet();
	arch_cpu_relax();
	if (arch_time_ns() - since < PATIENCE_S * 1000000000ul)
		return;
	test_failed(file, line, "waited %d s for: %s", PATIENCE_S, what);
	end_run();
}

/* ---- Actors, from inside ---------------------------------------------- */

/* Spins for orders, in kernel mode and outside every transition. */
static void
play(struct actor *me)
{
	for (;;) {
		order_t order;

		store_release(&me->ready, true);
		while (!(order = load_acquire(&me->order))) {
			if (load_acquire(&me->quit))
				return;
			world_meet();
			arch_cpu_relax();
		}
		me->order = NULL;
		me->result = order(me->arg);
	}
}

static struct actor *
actor_of(const struct task *task)
{
	for (unsigned i = 0; i < stage.nr_actors; i++) {
		struct actor *actor = &stage.actors[i];

		if (actor->task == task && !actor->gone)
			return actor;
	}
	return NULL;
}

/* A user actor arrives from ring 3, and stays. */
long
test_call(void)
{
	struct actor *me = actor_of(current);

	if (!me) {
		me = stage.unborn;
		if (!me) /* a program that is no actor */
			return -ENOSYS;
		ASSERT(!me->task);
		stage.unborn = NULL;
		me->task = current;
	}
	sched_set_priority(current, PRIO_ACTOR);
	play(me);
	do_exit(0);
}

static int
kernel_main(void *actor)
{
	sched_set_priority(current, PRIO_ACTOR);
	play(actor);
	return 0;
}

/* mov $TEST_CALL, %eax; syscall; jmp back to the first: for a child of fork,
 * which comes out of its parent's call. */
static const u8 user_code[] = {
	0xb8, TEST_CALL & 0xff, TEST_CALL >> 8, 0, 0, 0x0f, 0x05, 0xeb, 0xf7,
};

static void
user_main(void *unused)
{
	(void)unused;
	arch_start_user(task_regs(current), CODE, 0);
}

static void
first_main(void *actor)
{
	sched_set_priority(current, PRIO_ACTOR);
	play(actor);
	do_exit(0);
}

/* ---- Actors, from outside --------------------------------------------- */

static struct actor *
new_actor(const char *name)
{
	struct actor *actor = &stage.actors[stage.nr_actors++];

	MUST(stage.nr_actors <= MAX_ACTORS);
	memset(actor, 0, sizeof(*actor));
	strscpy(actor->name, name, NAME_LEN);
	return actor;
}

static void
name_space(u64 id, const char *name)
{
	MUST(stage.nr_spaces < MAX_SPACES);
	stage.spaces[stage.nr_spaces].id = id;
	strscpy(stage.spaces[stage.nr_spaces++].name, name, NAME_LEN);
}

static const char *
space_name(u64 id)
{
	for (unsigned i = 0; i < stage.nr_spaces; i++)
		if (stage.spaces[i].id == id)
			return stage.spaces[i].name;
	return "?";
}

struct actor *
kernel_actor(const char *name)
{
	struct actor *actor = new_actor(name);

	actor->task = kthread_create(kernel_main, actor, name);
	MUST(actor->task);
	return actor;
}

static void
make_process(struct task *task, const char *name)
{
	struct process *process = process_alloc(name);
	irq_flags_t flags;

	MUST(process);
	flags = spin_lock_irqsave(&pid_lock);
	task->tid = alloc_tid();
	process->pid = task->tid;
	process_attach(process, init_process);
	thread_attach(task, process);
	spin_unlock_irqrestore(&pid_lock, flags);
}

struct actor *
first_actor(const char *name)
{
	struct actor *actor = new_actor(name);

	actor->task = task_alloc(name);
	MUST(actor->task);
	actor->task->is_kthread = true;
	arch_task_init(actor->task, first_main, actor, NULL);
	make_process(actor->task, name);
	return actor;
}

static void
add_memory(struct mm *mm, uaddr_t addr, u64 pages)
{
	long got;

	mutex_lock(&mm->lock);
	got = do_mmap(mm, addr, pages * PAGE_SIZE, PROT_ALL,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, false);
	mutex_unlock(&mm->lock);
	MUST_EQ(got, addr);
}

static struct mm *
make_space(struct task *task, const char *name)
{
	struct mm *mm = mm_alloc(task);

	MUST(mm);
	strscpy(mm->name, name, sizeof(mm->name));
	add_memory(mm, CODE, 1);
	add_memory(mm, DATA, STAGE_PAGES);
	add_memory(mm, MORE, STAGE_PAGES);
	MUST_EQ(mm_write(mm, CODE, user_code, sizeof(user_code)), 0);
	name_space(mm->id, name);
	return mm;
}

/* Like copy_mm() for a new process, with new contents in place of a copy. */
struct actor *
user_actor(const char *name)
{
	struct actor *actor = new_actor(name);
	struct task *task = task_alloc(name);
	struct mm *mm;

	MUST(task);
	mm = make_space(task, name);
	ledger_move(mm, REF_BUILDING, task, REF_TASK, task, CALLER);
	task->mm = task->active_mm = mm;
	arch_task_init(task, user_main, NULL, NULL);
	MUST_EQ(arch_task_make_user(task), 0);
	make_process(task, name);
	actor->task = task;
	return actor;
}

struct task *
task_of(const struct actor *actor)
{
	return actor->task;
}

u64
mm_of(const struct actor *actor)
{
	return actor->task->mm->id;
}

/* ---- Orders ----------------------------------------------------------- */

struct actor *
on_stage(unsigned cpu)
{
	return actor_of(READ_ONCE(cpu_by_id(cpu)->curr));
}

void
begins(struct actor *actor, order_t order, void *arg)
{
	UNTIL(load_acquire(&actor->ready));
	actor->ready = false;
	actor->arg = arg;
	store_release(&actor->order, order);
}

bool
has_ended(struct actor *actor)
{
	return load_acquire(&actor->ready);
}

long
ends(struct actor *actor)
{
	UNTIL(has_ended(actor));
	return actor->result;
}

long
does(struct actor *actor, order_t order, void *arg)
{
	begins(actor, order, arg);
	return ends(actor);
}

/* ---- Switches --------------------------------------------------------- */

static long
fall_asleep(void *unused)
{
	(void)unused;
	set_current_state(TASK_SLEEPING);
	schedule();
	set_current_state(TASK_RUNNABLE);
	return 0;
}

/* Puts @next on @cpu's run queue, and nowhere else. */
static void
call(unsigned cpu, struct actor *next)
{
	struct task *task = next->task;

	if (task->state == TASK_NEW) {
		task->affinity = 1ul << cpu;
		task->prio = PRIO_ACTOR;
		wake_up_new_task(task);
		return;
	}
	UNTIL(!READ_ONCE(task->on_cpu));
	sched_set_priority(task, PRIO_ACTOR);
	MUST_EQ(sched_set_affinity(task, 1ul << cpu), 0);
	wake_up_task(task);
}

static void
leave(unsigned cpu, struct actor *prev)
{
	if (stage.dead[cpu]) {
		stage.dead[cpu] = NULL;
		MUST_EQ(hold_control(cpu, LODGER_HOLD_NONE), 0);
	} else if (prev && prev->leaves) {
		prev->gone = true;
		store_release(&prev->quit, true);
	} else if (prev) {
		begins(prev, fall_asleep, NULL);
	}
}

void
sets_out(unsigned cpu, struct actor *next)
{
	struct actor *prev = on_stage(cpu);

	ASSERT(cpu < stage.cpus && (!prev || prev != next));
	if (next)
		call(cpu, next);
	leave(cpu, prev);
}

void
arrives(unsigned cpu, struct actor *next)
{
	struct cpu *where = cpu_by_id(cpu);

	if (next)
		UNTIL(READ_ONCE(where->curr) == next->task &&
		      load_acquire(&next->ready));
	else
		UNTIL(READ_ONCE(where->curr) == where->idle);
}

void
to(unsigned cpu, struct actor *next)
{
	sets_out(cpu, next);
	arrives(cpu, next);
}

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

struct actor *
clones(struct actor *parent, const char *name, u64 flags)
{
	struct actor *child = new_actor(name);
	struct birth birth = { .flags = flags, .prio = PRIO_NEWBORN };
	long tid = does(parent, clone_order, &birth);

	MUST(tid > 0);
	child->task = task_by_tid((tid_t)tid);
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
		new_actor("?")->task = task_by_tid((tid_t)tid);
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
	struct exec_args args;
	long err;

	(void)unused;
	exec_args_init(&args);
	err = exec_args_add(&args, "true");
	args.argc = 1;
	if (!err)
		err = do_execve("/bin/true", &args);
	exec_args_free(&args);
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
	long err;

	mutex_lock(&mm->lock);
	err = do_munmap(mm, range->addr, range->len);
	mutex_unlock(&mm->lock);
	return err;
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

/* ---- Steps ------------------------------------------------------------ */

struct seen {
	u64 mm_id;
	int users, count; /* GONE */
};

static bool
is_gone(int users)
{
	return users < 0;
}

static bool
look(struct mm *mm, void *arg)
{
	struct seen *seen = arg;

	if (mm->id != seen->mm_id)
		return true;
	seen->users = mm_users(mm);
	seen->count = mm_count(mm);
	return false;
}

static void
look_up(struct seen *seen)
{
	*seen = (struct seen){ seen->mm_id, GONE };
	mm_for_each(look, seen);
	if (seen->mm_id == INIT)
		seen->count -=
			(int)count_bits(online_cpus() & (~0ul << stage.cpus));
}

static void
compare(const char *file, int line, const char *text,
	const struct expected *expected, const struct seen *seen)
{
	const char *name = space_name(seen->mm_id);

	if (seen->users == expected->users && seen->count == expected->count)
		return;
	if (is_gone(expected->users))
		test_failed(file, line, "%s: %s must be freed, but is %d/%d",
			    text, name, seen->users, seen->count);
	else if (is_gone(seen->users))
		test_failed(file, line, "%s: %s must be %d/%d, but is freed",
			    text, name, expected->users, expected->count);
	else
		test_failed(file, line, "%s: %s must be %d/%d, but is %d/%d",
			    text, name, expected->users, expected->count,
			    seen->users, seen->count);
	end_run();
}

void
stage_step(const char *file, int line, const char *text,
	   const struct expected *expected)
{
	char row[80] = "";
	size_t len = 0;

	world_stop();
	check_world();
	for (; expected->users || expected->count; expected++) {
		struct seen seen = { .mm_id = expected->mm_id };

		look_up(&seen);
		compare(file, line, text, expected, &seen);
		len += (size_t)(is_gone(seen.users)
			? snprintf(row + len, sizeof(row) - len, "  %s x",
				   space_name(seen.mm_id))
			: snprintf(row + len, sizeof(row) - len, "  %s %d/%d",
				   space_name(seen.mm_id), seen.users,
				   seen.count));
	}
	world_resume();
	pr_info("  %-36s%s", text, row);
}

void
stage_mark(void)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		memcpy(stage.marks[cpu], cpu_by_id(cpu)->counts,
		       sizeof(stage.marks[cpu]));
}

u64
counted(unsigned cpu, enum cpu_counter which)
{
	return READ_ONCE(cpu_by_id(cpu)->counts[which]) -
	       stage.marks[cpu][which];
}

u64
counted_all(enum cpu_counter which)
{
	u64 sum = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		sum += counted(cpu, which);
	return sum;
}

/* ---- Opening and closing ---------------------------------------------- */

static bool
note_worker(struct task *task, void *unused)
{
	(void)unused;
	if (task == cpu_by_id(task->cpu)->idle || task == current)
		return true;
	ASSERT(stage.nr_workers < MAX_WORKERS);
	stage.workers[stage.nr_workers].task = task;
	stage.workers[stage.nr_workers++].affinity = task->affinity;
	return true;
}

/* Every kernel thread that is about goes to the CPUs off the stage. */
static void
clear_stage(void)
{
	u64 off_stage = online_cpus() & (~0ul << stage.cpus);

	MUST(off_stage);
	MUST_EQ(sched_set_affinity(current, off_stage & -off_stage), 0);
	task_for_each(note_worker, NULL);
	for (unsigned i = 0; i < stage.nr_workers; i++)
		MUST_EQ(sched_set_affinity(stage.workers[i].task, off_stage),
			0);
	for (unsigned cpu = 0; cpu < stage.cpus; cpu++)
		UNTIL(READ_ONCE(cpu_by_id(cpu)->curr) == cpu_by_id(cpu)->idle);
}

void
stage_open(unsigned nr_stage_cpus)
{
	memset(&stage, 0, sizeof(stage));
	stage.cpus = nr_stage_cpus;
	quiesce();
	stage.frames = nr_free_pages();
	stage.tasks = nr_tasks();
	name_space(INIT, "init");
	clear_stage();
	stage_mark();
}

/* Those who wait come out of their loops; those who sleep are woken, and
 * those who never ran do so now. */
static void
dismiss(struct actor *actor)
{
	store_release(&actor->quit, true);
	if (actor->gone || !actor->task)
		return;
	if (actor->task->state == TASK_NEW)
		wake_up_new_task(actor->task);
	else
		wake_up_task(actor->task);
}

static void
all_leave(void)
{
	u64 start = arch_time_ns();
	int status;

	for (unsigned cpu = 0; cpu < stage.cpus; cpu++)
		hold_control(cpu, LODGER_HOLD_NONE);
	for (unsigned i = 0; i < stage.nr_actors; i++)
		dismiss(&stage.actors[i]);
	while (kernel_wait(&status) > 0)
		;
	while (nr_tasks() > stage.tasks) {
		schedule();
		stage_wait(__FILE__, __LINE__, "all actors are gone", start);
	}
}

/* Nothing may be missing. There may be more than before, since the start of
 * the stage may have found a worker at work. */
static bool
frames_are_back(void)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		quiesce();
		if (nr_free_pages() >= stage.frames)
			return true;
	}
	return false;
}

void
stage_close(void)
{
	all_leave();
	for (unsigned i = 0; i < stage.nr_workers; i++)
		sched_set_affinity(stage.workers[i].task,
				   stage.workers[i].affinity);
	sched_set_affinity(current, ~0ul);
	if (!frames_are_back())
		MUST_EQ(nr_free_pages(), stage.frames);
	check_invariants();
	MUST_EQ(nr_mms(), 1);
	MUST_EQ(mm_count(&init_mm), 1 + count_bits(online_cpus()));
}
