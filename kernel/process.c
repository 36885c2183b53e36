/* Processes and ids: who there is, and who is whose child. */
#include "kernel/process.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

enum {
	HASH_SIZE = 1024,
	RUSAGE_SIZE = 144, /* bytes of Linux's struct rusage */
};

struct spinlock pid_lock = SPINLOCK_INIT("pids", RANK_PROCESS);
struct process *init_process;

static struct task *task_hash[HASH_SIZE];
static struct process *process_hash[HASH_SIZE];
static struct kmem_cache *process_cache;
static tid_t last_tid;

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

	while (task && task->tid != tid)
		task = task->hash_next;
	return task;
}

struct process *
find_process(tid_t pid)
{
	struct process *process = process_hash[(unsigned)pid % HASH_SIZE];

	while (process && process->pid != pid)
		process = process->hash_next;
	return process;
}

tid_t
alloc_tid(void)
{
	for (int tries = 0; tries < PID_MAX; tries++) {
		last_tid = last_tid + 1 < PID_MAX ? last_tid + 1 : 2;
		if (!find_task(last_tid) && !find_process(last_tid))
			return last_tid;
	}
	return -EAGAIN;
}

void
hash_task(struct task *task)
{
	struct task **bucket = &task_hash[(unsigned)task->tid % HASH_SIZE];

	task->hash_next = *bucket;
	*bucket = task;
}

void
unhash_task(struct task *task)
{
	struct task **link = &task_hash[(unsigned)task->tid % HASH_SIZE];

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
	wait_queue_init(&process->changed, "process");
	return process;
}

void
process_free(struct process *process)
{
	ASSERT(list_empty(&process->threads));
	ASSERT(list_empty(&process->children));
	kmem_cache_free(process_cache, process);
}

void
process_attach(struct process *process, struct process *parent)
{
	process->parent = parent;
	if (parent)
		list_add_tail(&parent->children, &process->sibling);
	hash_process(process);
}

void
process_detach(struct process *process)
{
	list_del(&process->sibling);
	unhash_process(process);
}

void
thread_attach(struct task *task, struct process *process)
{
	task->process = process;
	list_add_tail(&process->threads, &task->thread_link);
	process->nr_threads++;
	atomic_inc(&process->live);
	hash_task(task);
}

/* ---- Collecting children ---------------------------------------------- */

enum {
	WNOHANG = 1,
	WUNTRACED = 2,
	WCONTINUED = 8,
	WNOTHREAD = 0x20000000,
	WALL = 0x40000000,
	WCLONE = (int)0x80000000,
	WAIT_OPTIONS = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL |
		       WCLONE,
};

/* Does wait4(@pid, @options) mean this child? Children made by clone with
 * another signal than SIGCHLD are only meant with __WCLONE or __WALL. */
static bool
is_meant(const struct process *child, tid_t pid, int options)
{
	if (pid > 0 && child->pid != pid)
		return false;
	if (options & WALL)
		return true;
	return (child->exit_signal != SIGCHLD) == !!(options & WCLONE);
}

/* An ended child that is meant, taken out of the tree; NULL: none ended.
 * *any: there is a child that is meant. */
static struct process *
take_ended_child(struct process *me, tid_t pid, int options, bool *any)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *child, *taken = NULL;

	*any = false;
	list_for_each(child, &me->children, sibling) {
		if (!is_meant(child, pid, options))
			continue;
		*any = true;
		if (!child->ended)
			continue;
		process_detach(child);
		taken = child;
		break;
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	return taken;
}

/* Waits for such a child: *child is the caller's to free. 0 with *child NULL:
 * WNOHANG. */
static int
wait_for_child(tid_t pid, int options, struct process **child)
{
	struct process *me = current->process;
	bool any;

	wait_event_killable(&me->changed,
			    (*child = take_ended_child(me, pid, options,
						       &any)) ||
				    !any || (options & WNOHANG));
	if (*child)
		return 0;
	if (!any)
		return -ECHILD;
	return (options & WNOHANG) ? 0 : -EINTR;
}

long
do_wait(tid_t pid, uaddr_t status, int options, uaddr_t rusage)
{
	struct process *child;
	u32 result;
	tid_t ended;
	int err;

	if (options & ~WAIT_OPTIONS)
		return -EINVAL;
	err = wait_for_child(pid, options, &child);
	if (err || !child)
		return err;
	result = (u32)child->exit_status;
	ended = child->pid;
	process_free(child);
	if (status && put_user_u32(status, result))
		return -EFAULT;
	if (rusage && clear_user(rusage, RUSAGE_SIZE))
		return -EFAULT;
	return ended;
}

long
kernel_wait(int *status)
{
	struct process *child;
	int err = wait_for_child(-1, WALL, &child);
	tid_t ended;

	if (err)
		return err;
	*status = child->exit_status;
	ended = child->pid;
	process_free(child);
	return ended;
}

bool
orphans_to_collect(void)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *child;
	bool found = false;

	list_for_each(child, &init_process->children, sibling)
		found |= child->ended;
	spin_unlock_irqrestore(&pid_lock, flags);
	return found;
}
