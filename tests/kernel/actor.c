/* Actors: their tasks, their mailboxes, and who runs where. */
#include "tests/kernel/actor.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/guest.h"
#include "kernel/hold.h"
#include "mm/remote.h"
#include "sched/kthread.h"
#include "sched/world.h"

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

struct actor *
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

struct actor *
new_actor(const char *name)
{
	struct actor *actor = &stage.actors[stage.nr_actors++];

	MUST(stage.nr_actors <= MAX_ACTORS);
	memset(actor, 0, sizeof(*actor));
	strscpy(actor->name, name, NAME_LEN);
	return actor;
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
	long got = mm_locked(mm, do_mmap(mm, addr, pages * PAGE_SIZE, PROT_ALL,
					 MAP_PRIVATE | MAP_ANONYMOUS |
						 MAP_FIXED, false));

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
