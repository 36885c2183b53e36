/* os.h from the kernel: events, answers, spaces, processes, time. */
#include "user/servers/unix/os_lodger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>

#include "user/include/objects.h"
#include "user/servers/unix/linux.h"
#include "user/servers/unix/os.h"

static unsigned endpoint;

/* The table of handles has its size from the beginning: when many
 * callers wait, there may be no memory for it to grow. */
static int
grow_handles(unsigned handle)
{
	enum { HANDLES = OS_CALLS_MAX + OS_MEMORIES_MAX };
	static unsigned copies[HANDLES];
	unsigned n = 0;
	long copy = 0;

	while (n < HANDLES && copy >= 0) {
		copy = lodger_handle_duplicate(handle, LODGER_RIGHT_RECV, 0);
		if (copy > 0)
			copies[n++] = (unsigned)copy;
	}
	while (n > 0)
		lodger_handle_close(copies[--n]);
	return copy < 0 ? (int)copy : 0;
}

int
os_lodger_init(void)
{
	long handle = lodger_endpoint_create();

	if (handle < 0)
		return (int)handle;
	endpoint = (unsigned)handle;
	return grow_handles(endpoint);
}

unsigned
os_lodger_endpoint(void)
{
	return endpoint;
}

/* ---- Events --------------------------------------------------------- */

/* From an absolute time to what recv wants. */
static u64
timeout_until(u64 deadline)
{
	u64 now;

	if (deadline == OS_NEVER)
		return LODGER_FOREVER;
	now = os_now();
	return deadline > now ? deadline - now : 0;
}

/* Of what is no system call. */
static __noinline enum os_kind
other_kind(unsigned label)
{
	switch (label) {
	case LODGER_FORK:
		return OS_FORK;
	case LODGER_EXIT:
		return OS_EXIT;
	case LODGER_CANCEL:
		return OS_CANCEL;
	default:
		return OS_TERMINAL; /* bits of the notification */
	}
}

static void
fill_event(struct os_event *event, long got, const struct ipc *ipc)
{
	event->number = ipc_label(got);
	event->reply = ipc_reply_handle(got);
	event->kind = event->reply && event->number != LODGER_FORK
			      ? OS_CALL
			      : other_kind(event->number);
	event->pid = (int)(ipc->badge >> 32);
	event->tid = (int)ipc->badge;
	memcpy(event->words, ipc->words, sizeof(event->words));
}

static void
receive(struct os_event *event, struct ipc *ipc)
{
	long got = ipc_recv(endpoint, ipc);

	if (got >= 0) {
		fill_event(event, got, ipc);
		return;
	}
	/* -EMFILE: no slot for a reply. Time passes, others answer. */
	if (got != -ETIMEDOUT)
		os_log("unix: recv: error %ld", -got);
	event->kind = OS_TIME;
}

void
os_receive(struct os_event *event, u64 deadline)
{
	struct ipc ipc = { .timeout = timeout_until(deadline) };

	receive(event, &ipc);
}

/* ---- Answers -------------------------------------------------------- */

static unsigned
make_answer(struct ipc *ipc, long result)
{
	if (result != -ERESTARTSYS && result != -ERESTARTNOHAND) {
		ipc->words[0] = (u64)result;
		return LODGER_DONE;
	}
	ipc->words[0] = result == -ERESTARTSYS ? LODGER_RESTART_IF_ASKED
					       : LODGER_RESTART_UNLESS_HANDLED;
	return LODGER_RESTART;
}

void
os_answer(unsigned reply, long result)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };
	unsigned label = make_answer(&ipc, result);

	ipc_reply(reply, label, &ipc);
}

void
os_answer_restart(unsigned reply, u64 value)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	ipc.words[0] = LODGER_RESTART_WITH;
	ipc.words[1] = value;
	ipc_reply(reply, LODGER_RESTART, &ipc);
}

/* If the answer fails, nothing was received. */
void
os_answer_receive(unsigned reply, long result, struct os_event *event,
		  u64 deadline)
{
	struct ipc ipc = { .timeout = timeout_until(deadline) };
	unsigned label = make_answer(&ipc, result);
	long got = ipc_reply_recv(reply, label, endpoint, &ipc);

	if (got >= 0)
		fill_event(event, got, &ipc);
	else if (got == -ETIMEDOUT)
		event->kind = OS_TIME;
	else
		os_receive(event, deadline);
}

int
os_answer_execute(unsigned reply, unsigned building, u64 entry, u64 sp,
		  const char *name)
{
	struct lodger_message message = {
		.nr_send = 1,
		.send_handles = { building },
	};
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };

	ipc.words[0] = entry;
	ipc.words[1] = sp;
	memcpy(&ipc.words[2], name, 16);
	return (int)ipc_reply(reply, LODGER_EXECUTE, &ipc);
}

/* ---- Spaces --------------------------------------------------------- */

int
os_copy_in(unsigned space, void *to, u64 from, size_t len)
{
	while (len) {
		long done = lodger_mm_read(space, from, to, len);

		if (done <= 0)
			return done ? (int)done : -EFAULT;
		to = (char *)to + done;
		from += (u64)done;
		len -= (size_t)done;
	}
	return 0;
}

int
os_copy_out(unsigned space, u64 to, const void *from, size_t len)
{
	while (len) {
		long done = lodger_mm_write(space, to, from, len);

		if (done <= 0)
			return done ? (int)done : -EFAULT;
		to += (u64)done;
		from = (const char *)from + done;
		len -= (size_t)done;
	}
	return 0;
}

long
os_map(unsigned space, u64 addr, u64 len, int prot)
{
	return lodger_mm_map(space, addr, len, prot);
}

int
os_unmap(unsigned space, u64 addr, u64 len)
{
	return (int)lodger_mm_unmap(space, addr, len);
}

int
os_protect(unsigned space, u64 addr, u64 len, int prot)
{
	return (int)lodger_mm_protect(space, addr, len, prot);
}

int
os_map_memory(unsigned space, u64 addr, u64 len, unsigned memory, u64 offset,
	      int prot)
{
	long result = lodger_memory_map(space, memory, offset, len, addr,
					prot | LODGER_PRIVATE);

	return result < 0 && result > -4096 ? (int)result : 0;
}

long
os_building(void)
{
	return lodger_mm_create();
}

int
os_heap(unsigned building, u64 start)
{
	return (int)lodger_mm_heap(building, start);
}

void
os_close(unsigned handle)
{
	lodger_handle_close(handle);
}

/* ---- Processes ------------------------------------------------------ */

long
os_process(unsigned building, const char *name, unsigned *process)
{
	struct lodger_process_info info;
	long handle = lodger_process_create(building, name, endpoint);

	if (handle < 0)
		return handle;
	*process = (unsigned)handle;
	lodger_process_info(*process, &info);
	return info.pid;
}

int
os_start(unsigned process, u64 entry, u64 sp)
{
	int err = (int)lodger_process_start(process, entry, sp);

	if (!err)
		lodger_handle_close(process);
	return err;
}

static void
fill_task(struct os_task *task, const struct lodger_task_stat *stat)
{
	*task = (struct os_task){
		.pid = stat->is_kthread ? stat->tid : stat->pid,
		.ppid = stat->ppid,
		.pgid = stat->pgid,
		.sid = stat->sid,
		.state = (char)stat->state,
		.is_kthread = stat->is_kthread,
		.cpu = stat->cpu,
		.prio = (int)stat->prio,
		.nr_threads = stat->is_kthread ? 1 : stat->nr_threads,
		.sig_blocked = stat->sig_blocked,
		.sig_ignored = stat->sig_ignored,
		.sig_caught = stat->sig_caught,
		.sig_pending = stat->sig_pending,
		.start = stat->start_ns,
		.cpu_time = stat->cpu_time_ns,
		.mm = stat->mm < 0 ? OS_NO_MM : (u64)stat->mm,
	};
	memcpy(task->name, stat->name, sizeof(task->name));
}

int
os_task(int tid, struct os_task *task)
{
	struct lodger_task_stat stat;
	int err = tid > 0 ? (int)lodger_task_stat(tid, &stat) : -ESRCH;

	if (!err)
		fill_task(task, &stat);
	return err;
}

long
os_tasks(int *tids, size_t n)
{
	return lodger_task_list(tids, n);
}

int
os_mm(u64 mm, struct os_mm *stat)
{
	struct lodger_mm_stat lodger;
	int err = (int)lodger_mm_stat(mm, &lodger);

	if (err)
		return err;
	*stat = (struct os_mm){ lodger.users, lodger.count,
				lodger.resident * PAGE_SIZE,
				lodger.mapped_bytes };
	return 0;
}

long
os_regions(u64 mm, struct os_region *regions, size_t n)
{
	static struct lodger_region buf[1024];
	long have = lodger_mm_regions(mm, buf, MIN(n, ARRAY_SIZE(buf)));

	for (long i = 0; i < have && i < (long)MIN(n, ARRAY_SIZE(buf)); i++) {
		regions[i].start = buf[i].start;
		regions[i].end = buf[i].end;
		regions[i].prot = (int)buf[i].prot;
		regions[i].what = buf[i].flags & LODGER_REGION_STACK ? OS_STACK
				  : buf[i].flags & LODGER_REGION_HEAP ? OS_HEAP
								      : OS_PLAIN;
	}
	return have;
}

int
os_signal(enum os_whom whom, int number, int sig, int from)
{
	static const enum lodger_whom whoms[] = {
		[OS_GROUP] = LODGER_TO_GROUP,
		[OS_OTHERS] = LODGER_TO_OTHERS,
		[OS_PROCESS] = LODGER_TO_PROCESS,
		[OS_THREAD] = LODGER_TO_THREAD,
	};

	return (int)lodger_personality_signal(endpoint, whoms[whom], number,
					      sig, from);
}

/* ---- The machine ---------------------------------------------------- */

static u64
clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}

u64
os_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64
os_realtime(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* Time in which no task ran. */
static u64
add_busy_times(void)
{
	static int tids[TASKS_MAX];
	long n = lodger_task_list(tids, TASKS_MAX);
	u64 busy = 0;

	for (long i = 0; i < MIN(n, (long)TASKS_MAX); i++) {
		struct lodger_task_stat stat;

		if (lodger_task_stat(tids[i], &stat) == 0)
			busy += stat.cpu_time_ns;
	}
	return busy;
}

void
os_machine(struct os_machine *machine)
{
	struct lodger_sys_stat stat = { 0 };
	struct lodger_cpu_stat cpu;
	u64 all;

	lodger_sys_stat(&stat);
	*machine = (struct os_machine){
		.nr_cpus = stat.nr_cpus,
		.nr_tasks = (unsigned)stat.nr_tasks,
		.memory = stat.total_frames * PAGE_SIZE,
		.memory_free = stat.free_frames * PAGE_SIZE,
		.busy = add_busy_times(),
	};
	all = stat.time_ns * stat.nr_cpus;
	machine->idle = all > machine->busy ? all - machine->busy : 0;
	for (unsigned i = 0; i < stat.nr_cpus; i++) {
		if (lodger_cpu_stat(i, &cpu) == 0)
			machine->switches += cpu.counts[COUNT_SWITCHES];
	}
}

void
os_random(void *buf, size_t len)
{
	while (len) {
		size_t part = MIN(len, 256ul);
		ssize_t got = getrandom(buf, part, 0);

		if (got <= 0)
			return;
		buf = (char *)buf + got;
		len -= (size_t)got;
	}
}

u64
os_hwcap(void)
{
	return getauxval(AT_HWCAP);
}

void
os_log(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	len = MIN(len, (int)sizeof(line) - 2);
	line[len++] = '\n';
	lodger_klog_write(line, (size_t)len);
}
