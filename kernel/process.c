/* Processes and ids: who there is, and who is whose child. */
#include "kernel/process.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/signal.h"
#include "mm/slab.h"

enum { HASH_SIZE = 1024 };

struct spinlock pid_lock = SPINLOCK_INIT("pids", RANK_PROCESS);
struct process *init_process;
struct list processes = LIST_INIT(processes);

static struct task *task_hash[HASH_SIZE];
static struct process *process_hash[HASH_SIZE];
static struct kmem_cache *process_cache;
static tid_t last_tid;
static bool ids_come_again; /* all have been given out once */

void
process_init(void)
{
	process_cache = kmem_cache_create("process", sizeof(struct process), 0,
					  NULL);
}

/* ---- Ids -------------------------------------------------------------- */

struct task *
find_task(tid_t tid)
{
	struct task *task = task_hash[(unsigned)tid % HASH_SIZE];

	DEBUG_ASSERT(spin_held(&pid_lock));
	while (task && task->tid != tid)
		task = task->hash_next;
	return task;
}

struct process *
find_process(tid_t pid)
{
	struct process *process = process_hash[(unsigned)pid % HASH_SIZE];

	DEBUG_ASSERT(spin_held(&pid_lock));
	while (process && process->pid != pid)
		process = process->hash_next;
	return process;
}

struct process *
find_group_member(tid_t pgid)
{
	struct process *process;

	DEBUG_ASSERT(spin_held(&pid_lock));
	list_for_each(process, &processes, all_link) {
		if (process->pgid == pgid)
			return process;
	}
	return NULL;
}

/* A group or session lives on when the process that it is named after does
 * not. Of an id that is given out for the first time there cannot be any. */
static bool
names_others(tid_t id)
{
	struct process *process;

	if (!ids_come_again)
		return false;
	list_for_each(process, &processes, all_link) {
		if (process->pgid == id || process->sid == id)
			return true;
	}
	return false;
}

tid_t
alloc_tid(void)
{
	DEBUG_ASSERT(spin_held(&pid_lock));
	for (int tries = 0; tries < PID_MAX; tries++) {
		if (++last_tid >= PID_MAX) {
			last_tid = 2;
			ids_come_again = true;
		}
		if (!find_task(last_tid) && !find_process(last_tid) &&
		    !names_others(last_tid))
			return last_tid;
	}
	return -EAGAIN;
}

void
hash_task(struct task *task)
{
	struct task **bucket = &task_hash[(unsigned)task->tid % HASH_SIZE];

	DEBUG_ASSERT(spin_held(&pid_lock));
	task->hash_next = *bucket;
	*bucket = task;
}

void
unhash_task(struct task *task)
{
	struct task **link = &task_hash[(unsigned)task->tid % HASH_SIZE];

	DEBUG_ASSERT(spin_held(&pid_lock));
	while (*link != task) {
		ASSERT(*link);
		link = &(*link)->hash_next;
	}
	*link = task->hash_next;
}

static void
hash_process(struct process *process)
{
	struct process **bucket =
		&process_hash[(unsigned)process->pid % HASH_SIZE];

	process->hash_next = *bucket;
	*bucket = process;
}

static void
unhash_process(struct process *process)
{
	struct process **link =
		&process_hash[(unsigned)process->pid % HASH_SIZE];

	while (*link != process) {
		ASSERT(*link);
		link = &(*link)->hash_next;
	}
	*link = process->hash_next;
}

/* ---- Life ------------------------------------------------------------- */

struct process *
process_alloc(const char *name)
{
	struct process *process = kmem_cache_alloc(process_cache);

	if (!process)
		return NULL;
	memset(process, 0, sizeof(*process));
	strscpy(process->name, name, sizeof(process->name));
	process->exit_signal = SIGCHLD;
	list_init(&process->children);
	list_init(&process->sibling);
	list_init(&process->threads);
	list_init(&process->pending.queue);
	wait_queue_init(&process->changed, "process");
	return process;
}

void
process_free(struct process *process)
{
	ASSERT(list_empty(&process->threads));
	ASSERT(list_empty(&process->children));
	ASSERT(list_empty(&process->pending.queue));
	sighand_put(process);
	kmem_cache_free(process_cache, process);
}

void
process_attach(struct process *process, struct process *parent)
{
	DEBUG_ASSERT(spin_held(&pid_lock));
	process->parent = parent;
	process->pgid = parent ? parent->pgid : process->pid;
	process->sid = parent ? parent->sid : process->pid;
	if (parent)
		list_add_tail(&parent->children, &process->sibling);
	list_add_tail(&processes, &process->all_link);
	hash_process(process);
}

void
process_detach(struct process *process)
{
	DEBUG_ASSERT(spin_held(&pid_lock));
	list_del(&process->sibling);
	list_del(&process->all_link);
	unhash_process(process);
}

void
thread_attach(struct task *task, struct process *process)
{
	DEBUG_ASSERT(spin_held(&pid_lock));
	task->process = process;
	task->start_ns = arch_time_ns();
	list_add_tail(&process->threads, &task->thread_link);
	process->nr_threads++;
	atomic_inc(&process->live);
	hash_task(task);
}

void
thread_detach(struct task *task)
{
	DEBUG_ASSERT(spin_held(&pid_lock));
	list_del(&task->thread_link);
	DEBUG_ASSERT(task->process->nr_threads > 0);
	task->process->nr_threads--;
	task->process->ticks += task->ticks;
	unhash_task(task);
	task->process = NULL;
	flush_signals(&task->pending, ~0ul);
}

u64
process_ticks(const struct process *process)
{
	const struct task *task;
	u64 ticks = process->ticks;

	DEBUG_ASSERT(spin_held(&pid_lock));
	list_for_each(task, &process->threads, thread_link)
		ticks += task->ticks;
	return ticks;
}
