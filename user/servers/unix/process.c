#include "user/servers/unix/process.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "user/servers/unix/alarm.h"
#include "user/servers/unix/call.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/tty.h"

enum {
	NR_CHAINS = 256,
	FILES_MAX = 1024,
	STACK_LIMIT = 8 << 20,
	MEMORY_EACH = 512 << 10, /* what a small process may need */
};

struct list processes = LIST_INIT(processes);
static struct list pid_chains[NR_CHAINS];
static u64 nr_processes, most_processes;

void
processes_init(u64 memory)
{
	most_processes = MIN(memory / MEMORY_EACH, (u64)PROCESSES_MAX);
	for (int i = 0; i < NR_CHAINS; i++)
		list_init(&pid_chains[i]);
}

static struct list *
chain_of(int pid)
{
	return &pid_chains[(unsigned)pid % NR_CHAINS];
}

struct process *
process_find(int pid)
{
	struct process *process;

	list_for_each(process, chain_of(pid), link) {
		if (process->pid == pid)
			return process;
	}
	return NULL;
}

/* ---- The place ------------------------------------------------------ */

static struct place *
place_create(struct node *cwd, unsigned umask)
{
	struct place *place = os_alloc(sizeof(*place));

	if (!place)
		return NULL;
	place->refs = 1;
	place->cwd = node_get(cwd);
	place->umask = umask;
	return place;
}

static void
place_put(struct place *place)
{
	if (--place->refs)
		return;
	node_put(place->cwd);
	os_free(place, sizeof(*place));
}

static struct place *
place_fork(struct place *place, u64 flags)
{
	if (!(flags & LINUX_CLONE_FS))
		return place_create(place->cwd, place->umask);
	place->refs++;
	return place;
}

/* ---- Life ----------------------------------------------------------- */

static void
enter(struct process *process, int pid)
{
	process->pid = pid;
	list_add(chain_of(pid), &process->link);
	list_add_tail(&processes, &process->all);
	nr_processes++;
	list_init(&process->calls);
	process->alarm.fire = alarm_fires;
}

static void
free_process(struct process *process)
{
	if (process->place)
		place_put(process->place);
	if (process->descriptors)
		descriptors_put(process->descriptors);
	if (process->exe)
		node_put(process->exe);
	if (process->cmdline)
		os_free(process->cmdline, process->cmdline_len);
	os_free(process, sizeof(*process));
}

static void
set_limits(struct process *process)
{
	for (int i = 0; i < NR_RLIMITS; i++)
		process->limits[i] = (struct linux_rlimit){ ~0ull, ~0ull };
	process->limits[RLIMIT_NOFILE].soft = FILES_MAX;
	process->limits[RLIMIT_NOFILE].hard = FILES_MAX;
	process->limits[RLIMIT_NPROC].soft = most_processes;
	process->limits[RLIMIT_NPROC].hard = most_processes;
	process->limits[RLIMIT_STACK].soft = STACK_LIMIT;
	process->limits[RLIMIT_CORE].soft = 0;
}

struct process *
process_create(int pid)
{
	struct process *process = os_alloc(sizeof(*process));

	if (!process)
		return NULL;
	process->place = place_create(root_node, 022);
	process->descriptors = descriptors_create();
	if (!process->place || !process->descriptors) {
		free_process(process);
		return NULL;
	}
	set_limits(process);
	enter(process, pid);
	return process;
}

static int
copy_cmdline(struct process *child, const struct process *parent)
{
	if (!parent->cmdline)
		return 0;
	child->cmdline = os_alloc(parent->cmdline_len);
	if (!child->cmdline)
		return -ENOMEM;
	child->cmdline_len = parent->cmdline_len;
	memcpy(child->cmdline, parent->cmdline, parent->cmdline_len);
	return 0;
}

static int
copy_process(struct process *child, struct process *parent, u64 flags)
{
	child->place = place_fork(parent->place, flags);
	if (flags & LINUX_CLONE_FILES)
		child->descriptors = descriptors_get(parent->descriptors);
	else
		child->descriptors = descriptors_copy(parent->descriptors);
	if (!child->place || !child->descriptors)
		return -ENOMEM;
	if (parent->exe)
		child->exe = node_get(parent->exe);
	child->ppid = parent->pid;
	memcpy(child->name, parent->name, sizeof(child->name));
	memcpy(child->limits, parent->limits, sizeof(child->limits));
	return copy_cmdline(child, parent);
}

int
process_fork(struct process *parent, int pid, u64 flags)
{
	struct process *child;
	int err;

	if (nr_processes >= process_limit(parent, RLIMIT_NPROC))
		return -EAGAIN;
	child = os_alloc(sizeof(*child));
	if (!child)
		return -ENOMEM;
	err = copy_process(child, parent, flags);
	if (err) {
		free_process(child);
		return err;
	}
	enter(child, pid);
	return 0;
}

/* Its callers are gone: nobody waits for an answer. */
static void
drop_calls(struct process *process)
{
	struct call *call, *next;

	list_for_each_safe(call, next, &process->calls, link) {
		call_drop(call);
		os_close(call->reply);
		call_free(call);
	}
}

void
process_exit(struct process *process)
{
	drop_calls(process);
	timer_cancel(&process->alarm);
	list_unlink(&process->link);
	list_unlink(&process->all);
	nr_processes--;
	tty_leader_exits(process->pid);
	free_process(process);
}

/* ---- Its calls ------------------------------------------------------ */

struct call *
process_waiting_call(struct process *process, int tid)
{
	struct call *call;

	list_for_each(call, &process->calls, link) {
		if (call->tid == tid)
			return call;
	}
	return NULL;
}

void
process_interrupt_others(struct process *process, struct call *but)
{
	struct call *call;

	list_for_each(call, &process->calls, link) {
		if (call != but)
			call_interrupt(call);
	}
}

int
process_unshare_descriptors(struct process *process)
{
	struct descriptors *own;

	if (!descriptors_shared(process->descriptors))
		return 0;
	own = descriptors_copy(process->descriptors);
	if (!own)
		return -ENOMEM;
	descriptors_put(process->descriptors);
	process->descriptors = own;
	return 0;
}

/* ---- What the kernel knows ------------------------------------------ */

int
process_group(int pid)
{
	struct os_task task;

	return os_task(pid, &task) ? 0 : task.pgid;
}

int
process_session(int pid)
{
	struct os_task task;

	return os_task(pid, &task) ? 0 : task.sid;
}
