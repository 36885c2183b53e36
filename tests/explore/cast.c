/* The cast: actors and their address spaces. See tests/explore/play.h. */
#include "kernel/base/string.h"
#include "kernel/clone.h"
#include "mm/remote.h"
#include "sched/kthread.h"
#include "sched/sched.h"
#include "tests/explore/play.h"

struct stage stage RESTORED;

/* ---- Spaces --------------------------------------------------------------- */

/* An outsider that kept an id must not find a stranger. */
static void
check_id(const struct mm *mm)
{
	for (unsigned i = 0; i < stage.nr_spaces; i++) {
		if (stage.spaces[i].id == mm->id)
			explore_fail(EXPLORE_VIOLATION, "a new mm gets the id "
				     "%lu, which %s has or had", mm->id,
				     stage.spaces[i].name);
	}
}

struct space *
add_space(struct mm *mm, const char *name)
{
	struct space *space;

	check_id(mm);
	space = &stage.spaces[stage.nr_spaces++];
	ASSERT(stage.nr_spaces <= MODEL_MMS);
	*space = (struct space){ .mm = mm, .id = mm->id, .root = mm->root };
	strscpy(space->name, name, NAME_LEN);
	strscpy(mm->name, name, sizeof(mm->name));
	return space;
}

/* The newest one: an address is used again, when its mm was freed. */
struct space *
space_of(const struct mm *mm)
{
	for (unsigned i = stage.nr_spaces; i-- > 0;) {
		if (stage.spaces[i].mm == mm)
			return &stage.spaces[i];
	}
	panic("the stage does not know this address space");
}

int
number_of_space(const struct space *space)
{
	return (int)(space - stage.spaces);
}

/* Set-up has all the memory it wants, a step may have none. */
struct mm *
build_space(const void *holder)
{
	struct mm *mm = mm_alloc(holder);

	if (!mm)
		return NULL;
	if (!add_pages(mm, DATA, PAGES) || !add_pages(mm, MORE, 1)) {
		mmput(mm, REF_BUILDING, holder);
		return NULL;
	}
	return mm;
}

/* ---- Actors ---------------------------------------------------------------- */

static struct actor *
new_actor(const char *name)
{
	struct actor *actor = &stage.actors[stage.nr_actors++];

	ASSERT(stage.nr_actors <= MAX_ACTORS);
	strscpy(actor->name, name, NAME_LEN);
	return actor;
}

struct actor *
actor_of(const struct task *task)
{
	for (unsigned i = 0; i < stage.nr_actors; i++) {
		if (stage.actors[i].task == task)
			return &stage.actors[i];
	}
	return NULL;
}

int
number_of_task(const struct task *task)
{
	const struct actor *actor = actor_of(task);

	if (actor)
		return MODEL_CPUS + (int)(actor - stage.actors);
	return task == cpu_by_id(task->cpu)->idle ? (int)task->cpu : STRANGER;
}

static void
join(struct task *task, struct process *process)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	task->tid = alloc_tid();
	if (!process->pid) {
		process->pid = task->tid;
		process_attach(process, init_process);
	}
	thread_attach(task, process);
	spin_unlock_irqrestore(&pid_lock, flags);
}

static struct process *
new_process(const char *name)
{
	struct process *process = process_alloc(name);

	ASSERT(process != NULL);
	return process;
}

static void
user_main(void *unused)
{
	(void)unused;
	perform();
}

static int
kernel_main(void *unused)
{
	(void)unused;
	perform();
	return 0;
}

static struct task *
new_user_task(const char *name)
{
	struct task *task = task_alloc(name);

	ASSERT(task != NULL);
	arch_task_init(task, user_main, NULL, NULL);
	if (arch_task_make_user(task))
		panic("no memory for %s", name);
	return task;
}

static void
lives_in(struct actor *actor, struct space *space)
{
	actor->home = space;
	actor->task->mm = actor->task->active_mm = space->mm;
}

struct actor *
user(const char *name)
{
	struct actor *actor = new_actor(name);
	struct mm *mm;

	actor->task = new_user_task(name);
	mm = build_space(actor->task);
	ASSERT(mm != NULL);
	lives_in(actor, add_space(mm, name));
	for (unsigned i = 0; i < PAGES; i++)
		fill_page(actor->home, DATA + i * PAGE_SIZE);
	fill_page(actor->home, MORE);
	ledger_move(mm, REF_BUILDING, actor->task, REF_TASK, actor->task,
		    CALLER);
	model_new(&stage.model, number_of_space(actor->home),
		  number_of_task(actor->task));
	join(actor->task, new_process(name));
	return actor;
}

struct actor *
thread(const char *name, struct actor *of)
{
	struct actor *actor = new_actor(name);

	actor->task = new_user_task(name);
	mmget(of->home->mm, REF_TASK, actor->task);
	lives_in(actor, of->home);
	model_clone(&stage.model, number_of_task(actor->task),
		    number_of_task(of->task));
	join(actor->task, of->task->process);
	return actor;
}

struct actor *
kthread(const char *name)
{
	struct actor *actor = new_actor(name);

	actor->task = kthread_create(kernel_main, NULL, name);
	ASSERT(actor->task != NULL);
	return actor;
}

/* As the kernel's first program is made: see kernel/main.c. */
struct actor *
first(const char *name)
{
	struct actor *actor = new_actor(name);

	actor->task = task_alloc(name);
	ASSERT(actor->task != NULL);
	actor->task->is_kthread = true;
	arch_task_init(actor->task, user_main, NULL, NULL);
	join(actor->task, new_process(name));
	return actor;
}

struct actor *
worker(const char *name, void (*body)(void))
{
	struct actor *actor = kthread(name);

	actor->works = true;
	actor->body = body;
	/* Runs until it sleeps. */
	wake_up_new_task(actor->task);
	schedule();
	stage.goes_on = true;
	return actor;
}

void
bound(struct actor *who, unsigned cpu)
{
	who->task->affinity = 1ul << cpu;
}

struct actor *
unborn(const char *name)
{
	struct actor *actor = new_actor(name);

	actor->unborn = true;
	return actor;
}

/* ---- Birth ------------------------------------------------------------------ */

/* The child, made by current, is complete, and in the model before it can do
 * anything. */
void
is_born(struct actor *child, struct task *task)
{
	struct space *mine = space_of(current->mm);

	explore_access(&child->task, sizeof(child->task), OP_WRITE, true,
		       CALLER);
	child->task = task;
	strscpy(task->name, child->name, sizeof(task->name));
	if (task->mm == current->mm) {
		child->home = mine;
		model_clone(&stage.model, number_of_task(task),
			    number_of_task(current));
		return;
	}
	child->home = add_space(task->mm, child->name);
	model_new(&stage.model, number_of_space(child->home),
		  number_of_task(task));
	inherit_pages(child->home, mine);
}
