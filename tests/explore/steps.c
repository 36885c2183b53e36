/* What actors do: each step is what a system call or the kernel would call. */
#include "kernel/base/errno.h"
#include "kernel/clone.h"
#include "kernel/exit.h"
#include "sched/hotplug.h"
#include "sched/kthread.h"
#include "sched/sched.h"
#include "tests/explore/play.h"

static int
my_number(void)
{
	return number_of_task(current);
}

static int
my_cpu(void)
{
	return (int)this_cpu()->id;
}

/* Only what a scenario is about may fail. */
static void
begin_allocating(void)
{
	sim_may_fail = stage.failures > 0;
}

static void
end_allocating(void)
{
	sim_may_fail = false;
}

/* ---- clone -------------------------------------------------------------------- */

/* Is there another CPU that calls @child? */
static bool
is_called(const struct actor *child)
{
	for (unsigned cpu = 0; cpu < stage.cpus; cpu++) {
		const struct part *part = &stage.parts[cpu];

		for (unsigned i = 0; part != my_part() && i < part->nr; i++) {
			if ((part->steps[i].play == play_to ||
			     part->steps[i].play == play_receive) &&
			    part->steps[i].actor == child)
				return true;
		}
	}
	return false;
}

void __real_wake_up_new_task(struct task *task);
void __wrap_wake_up_new_task(struct task *task);

/* The linker puts this before the kernel's. A child that current makes is held
 * back until a to() calls it; but a vfork child that nobody calls is to run
 * here, and next. */
void
__wrap_wake_up_new_task(struct task *task)
{
	struct actor *me = self();
	struct actor *child = me ? me->child : NULL;

	if (child) {
		me->child = NULL;
		is_born(child, task);
		if (!me->vforks || is_called(child))
			return;
		ASSERT(claim(child));
		my_part()->turn = child;
	}
	__real_wake_up_new_task(task);
}

static void
make_child(struct actor *child, u64 flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long tid;

	self()->child = child;
	self()->vforks = flags & CLONE_VFORK;
	begin_allocating();
	tid = do_clone(&args);
	end_allocating();
	self()->child = NULL;
	if (tid < 0)
		dies(child);
	if (tid < 0 && !current->kill_signal &&
	    !(tid == -ENOMEM && stage.failures))
		explore_fail(EXPLORE_VIOLATION, "%s cannot make %s: %ld",
			     current->name, child->name, tid);
	/* On its way to user mode. */
	if (current->kill_signal)
		do_exit(current->kill_signal);
}

static void
play_fork(struct step *step)
{
	make_child(step->actor, 0);
}

static void
play_clone(struct step *step)
{
	make_child(step->actor, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
}

static void
play_vfork(struct step *step)
{
	make_child(step->actor, CLONE_VM | CLONE_VFORK);
}

/* ---- exec and exit ------------------------------------------------------------- */

/* As kernel/exec.c: the new one is complete before the old one is left. */
static void
play_exec(struct step *step)
{
	struct task *me = current;
	struct space *space;
	struct mm *mm;

	begin_allocating();
	mm = build_space(me);
	end_allocating();
	if (!mm)
		return;
	space = add_space(mm, (const char *)step->a);
	model_build(&stage.model, number_of_space(space));
	for (unsigned i = 0; i < KNOWN_PAGES; i++)
		space->pages[i].zeroed = true;
	if (me->mm)
		mm_release();
	exec_mmap(mm);
	me->is_kthread = false;
	model_exec(&stage.model, my_cpu(), my_number(), number_of_space(space));
}

static void
play_exit(struct step *step)
{
	(void)step;
	if (current->process)
		do_exit(0); /* goes on in hold_point() */
	dies(self()); /* a kernel thread: ends with its last switch */
}

/* ---- Outsiders -------------------------------------------------------------------- */

static void
play_pin(struct step *step)
{
	struct space *space = step->actor->home;

	if (!mm_find(space->id, current))
		return; /* freed already */
	self()->pinned = space;
	model_pin(&stage.model, number_of_space(space));
}

/* What current holds of the one that the step names; NULL: it came too late. */
static struct space *
held(const struct step *step, struct space *space)
{
	ASSERT(!space || space == step->actor->home);
	return space;
}

static void
unpin(struct space *space)
{
	if (!space)
		return;
	self()->pinned = NULL;
	model_unpin(&stage.model, number_of_space(space));
	mmdrop(space->mm, REF_PIN, current);
}

static void
play_unpin(struct step *step)
{
	unpin(held(step, self()->pinned));
}

/* Users of what current has pinned; false: nobody lives there any more. */
static bool
get(struct space *space)
{
	return space && mmget_not_zero(space->mm, current);
}

static void
put(struct space *space)
{
	mmput(space->mm, REF_GET, current);
}

static void
play_get(struct step *step)
{
	struct space *space = held(step, self()->pinned);

	if (get(space))
		put(space);
}

void __real_mmget(struct mm *mm, enum mm_ref why, const void *holder);
void __wrap_mmget(struct mm *mm, enum mm_ref why, const void *holder);
bool __real_mmget_not_zero(struct mm *mm, const void *holder);
bool __wrap_mmget_not_zero(struct mm *mm, const void *holder);
void __real_mmput(struct mm *mm, enum mm_ref why, const void *holder);
void __wrap_mmput(struct mm *mm, enum mm_ref why, const void *holder);
bool __real_mmput_unless_last(struct mm *mm, const void *holder);
bool __wrap_mmput_unless_last(struct mm *mm, const void *holder);

/* The linker puts these before the kernel's: whoever it is that gets users from
 * outside, and puts them, the model hears of it here. */
void
__wrap_mmget(struct mm *mm, enum mm_ref why, const void *holder)
{
	__real_mmget(mm, why, holder);
	if (why == REF_GET)
		model_get(&stage.model, number_of_space(space_of(mm)));
}

bool
__wrap_mmget_not_zero(struct mm *mm, const void *holder)
{
	if (!__real_mmget_not_zero(mm, holder))
		return false;
	model_get(&stage.model, number_of_space(space_of(mm)));
	if (mm->torn_down)
		explore_fail(EXPLORE_VIOLATION, "%s gets users of %s, which "
			     "was torn down", current->name,
			     space_of(mm)->name);
	return true;
}

void
__wrap_mmput(struct mm *mm, enum mm_ref why, const void *holder)
{
	if (why == REF_GET)
		model_put(&stage.model, number_of_space(space_of(mm)));
	__real_mmput(mm, why, holder);
}

/* Afterwards @mm may be gone. */
bool
__wrap_mmput_unless_last(struct mm *mm, const void *holder)
{
	int number = number_of_space(space_of(mm));

	if (!__real_mmput_unless_last(mm, holder))
		return false;
	model_put(&stage.model, number);
	return true;
}

void __real_kthread_use_mm(struct mm *mm);
void __wrap_kthread_use_mm(struct mm *mm);
void __real_kthread_unuse_mm(struct mm *mm);
void __wrap_kthread_unuse_mm(struct mm *mm);

/* Adoption keeps the struct alone. Even where somebody else's users happen to
 * cover the window, an adopter has some of its own. */
static void
check_adopter(const struct mm *mm)
{
	explore_quiet_begin();
	if (ledger_count(mm, REF_ADOPTED) > ledger_count(mm, REF_GET))
		panic_mm(mm, "I11: %s adopts mm %lu (%s), but has no users of "
			 "its own", current->name, mm->id, mm->name);
	explore_quiet_end();
}

/* The linker puts these before the kernel's, which has an adopter of its own,
 * the prefaulter. */
void
__wrap_kthread_use_mm(struct mm *mm)
{
	__real_kthread_use_mm(mm);
	check_adopter(mm);
	model_adopt(&stage.model, my_cpu(), my_number(),
		    number_of_space(space_of(mm)));
}

void
__wrap_kthread_unuse_mm(struct mm *mm)
{
	__real_kthread_unuse_mm(mm);
	model_abandon(&stage.model, my_cpu(), my_number());
}

static void
play_adopt(struct step *step)
{
	struct actor *me = self();
	struct space *space = held(step, me->pinned);

	if (!get(space))
		return;
	me->adopted = space;
	kthread_use_mm(space->mm);
}

static void
abandon(struct space *space)
{
	if (!space)
		return;
	self()->adopted = NULL;
	kthread_unuse_mm(space->mm);
	put(space);
}

static void
play_abandon(struct step *step)
{
	abandon(held(step, self()->adopted));
}

void
let_go(void)
{
	abandon(self()->adopted);
	unpin(self()->pinned);
}

/* ---- Others -------------------------------------------------------------------------- */

static void
play_wake(struct step *step)
{
	wake_up_task(step->actor->task);
}

static void
play_kill(struct step *step)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *process = step->actor->task->process;

	if (process)
		send_signal_to_process(process, SIGKILL);
	spin_unlock_irqrestore(&pid_lock, flags);
}

static void
play_offline(struct step *step)
{
	if (cpu_offline((unsigned)step->a))
		panic("cpu%lu cannot go offline", step->a);
	model_offline(&stage.model, (int)step->a);
}

static void
play_online(struct step *step)
{
	if (cpu_online((unsigned)step->a))
		panic("cpu%lu cannot come online", step->a);
	model_online(&stage.model, (int)step->a);
}

static void
play_call(struct step *step)
{
	((void (*)(void))step->a)();
}

/* ---- The words ------------------------------------------------------------------------ */

#define STEP(name, play, ...) \
	return (struct step){ play, name, __VA_ARGS__ }

struct step
to(struct actor *next)
{
	STEP("to", play_to, next, 0, 0);
}

struct step
sends_to(struct actor *next)
{
	STEP("sends to", play_send, next, 0, 0);
}

struct step
receives(struct actor *next)
{
	STEP("waits for a message", play_receive, next, 0, 0);
}

struct step
exits(void)
{
	STEP("exits", play_exit, NULL, 0, 0);
}

struct step
execs(const char *name)
{
	STEP("execs", play_exec, NULL, (u64)name, 0);
}

struct step
forks(struct actor *child)
{
	STEP("forks", play_fork, child, 0, 0);
}

struct step
clones(struct actor *child)
{
	STEP("clones", play_clone, child, 0, 0);
}

struct step
vforks(struct actor *child)
{
	STEP("vforks", play_vfork, child, 0, 0);
}

struct step
unmaps(uaddr_t addr, unsigned pages)
{
	STEP("unmaps", play_unmap, NULL, addr, pages);
}

struct step
maps(uaddr_t addr, unsigned pages)
{
	STEP("maps", play_map, NULL, addr, pages);
}

struct step
discards(uaddr_t addr, unsigned pages)
{
	STEP("discards", play_discard, NULL, addr, pages);
}

struct step
protects(uaddr_t addr, unsigned pages)
{
	STEP("protects", play_protect, NULL, addr, pages);
}

struct step
reads(uaddr_t addr)
{
	STEP("reads", play_read, NULL, addr, 1);
}

struct step
writes(uaddr_t addr)
{
	STEP("writes", play_write, NULL, addr, 1);
}

struct step
pins(struct actor *of)
{
	STEP("pins", play_pin, of, 0, 0);
}

struct step
unpins(struct actor *of)
{
	STEP("unpins", play_unpin, of, 0, 0);
}

struct step
gets(struct actor *of)
{
	STEP("gets", play_get, of, 0, 0);
}

struct step
adopts(struct actor *of)
{
	STEP("adopts", play_adopt, of, 0, 0);
}

struct step
abandons(struct actor *of)
{
	STEP("abandons", play_abandon, of, 0, 0);
}

struct step
wakes(struct actor *who)
{
	STEP("wakes", play_wake, who, 0, 0);
}

struct step
kills(struct actor *who)
{
	STEP("kills", play_kill, who, 0, 0);
}

struct step
goes_offline(unsigned cpu)
{
	STEP("takes offline", play_offline, NULL, cpu, 0);
}

struct step
comes_online(unsigned cpu)
{
	STEP("brings online", play_online, NULL, cpu, 0);
}

struct step
calls(void (*fn)(void), const char *verb)
{
	STEP(verb, play_call, NULL, (u64)fn, 0);
}
