#include "user/servers/unix/server.h"

#include <errno.h>
#include <string.h>

#include "user/servers/unix/archive.h"
#include "user/servers/unix/call.h"
#include "user/servers/unix/dispatch.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/tty.h"

enum { NOBODY = -1 }; /* no process has that number */

static int last_exit, last_status;

int
server_begin(const void *archive, u64 archive_size)
{
	struct os_machine machine;
	unsigned rows, columns;
	int err;

	os_machine(&machine);
	processes_init(machine.memory);
	err = filesystems_init(machine.memory);
	if (err)
		return err;
	tty_init(&console_tty);
	os_terminal_size(&rows, &columns);
	console_tty.size.row = (u16)rows;
	console_tty.size.col = (u16)columns;
	if (archive_unpack(archive, archive_size))
		os_log("unix: the archive is damaged; going on with what was "
		       "read");
	return 0;
}

/* ---- Calls ---------------------------------------------------------- */

static void
answer(struct call *call, long result)
{
	unsigned reply = call->reply;

	call_drop(call);
	call_free(call);
	if (result != ANSWERED)
		os_answer(reply, result);
}

static void
run_ready(void)
{
	struct call *call;

	while ((call = call_next_ready())) {
		long result = dispatch(call);

		if (result != WAITING)
			answer(call, result);
	}
}

/* Whoever calls without being known was there before the server. */
static struct process *
caller(int pid)
{
	struct process *process = process_find(pid);

	return process ? process : process_create(pid);
}

static bool
begin_call(const struct os_event *event, long *result)
{
	struct process *process = caller(event->pid);
	struct call *call = process ? call_alloc() : NULL;

	*result = -ENOMEM;
	if (!call)
		return true;
	call->process = process;
	call->tid = event->tid;
	call->number = event->number;
	call->reply = event->reply;
	memcpy(call->args, event->words, sizeof(call->args));
	*result = dispatch(call);
	if (*result == WAITING)
		return false;
	if (call->waited || call->file)
		call_drop(call);
	call_free(call);
	return *result != ANSWERED;
}

/* ---- Events --------------------------------------------------------- */

static long
handle_fork(const struct os_event *event)
{
	struct process *parent = caller(event->pid);

	if (!parent)
		return -ENOMEM;
	return process_fork(parent, (int)event->words[0], event->words[1]);
}

static void
handle_exit(const struct os_event *event)
{
	struct process *process = process_find(event->pid);
	struct process *parent;
	struct os_task task;

	last_exit = event->pid;
	last_status = (int)event->words[1];
	if (!process)
		return;
	parent = process_find(process->ppid);
	if (parent && os_task(event->pid, &task) == 0)
		parent->children_time += task.cpu_time + process->children_time;
	process_exit(process);
}

static void
handle_cancel(const struct os_event *event)
{
	struct process *process = process_find(event->pid);
	struct call *call = process
				    ? process_waiting_call(process, event->tid)
				    : NULL;

	if (call)
		call_interrupt(call);
}

static __noinline bool
other_event(const struct os_event *event, long *result)
{
	switch (event->kind) {
	case OS_FORK:
		*result = handle_fork(event);
		return true;
	case OS_EXIT:
		handle_exit(event);
		break;
	case OS_CANCEL:
		handle_cancel(event);
		break;
	case OS_TERMINAL:
		tty_exchange(&console_tty);
		break;
	case OS_CALL:
	case OS_TIME:
		break;
	}
	return false;
}

bool
server_event(const struct os_event *event, long *result)
{
	bool answer_due;

	calls_resume();
	if (likely(event->kind == OS_CALL))
		answer_due = begin_call(event, result);
	else
		answer_due = other_event(event, result);
	if (timers_next() != OS_NEVER)
		timers_run(os_now());
	run_ready();
	return answer_due;
}

/* Until when the next event is waited for. Programs that could call must have
 * a moment to run: the server comes before them. */
static inline u64
patience(u64 deadline)
{
	enum { MOMENT = 100000 /* ns */ };
	u64 until = MIN(deadline, timers_next());

	return calls_yielded() ? MIN(until, os_now() + MOMENT) : until;
}

static bool
is_over(int pid, u64 deadline)
{
	return last_exit == pid ||
	       (deadline != OS_NEVER && os_now() >= deadline);
}

static void
serve(int pid, u64 deadline)
{
	struct os_event event;
	long result;

	last_exit = 0;
	os_receive(&event, patience(deadline));
	while (!is_over(pid, deadline)) {
		if (server_event(&event, &result))
			os_answer_receive(event.reply, result, &event,
					  patience(deadline));
		else if (!is_over(pid, deadline))
			os_receive(&event, patience(deadline));
	}
}

int
server_run(int pid)
{
	serve(pid, OS_NEVER);
	return last_status;
}

void
server_wait(u64 deadline)
{
	serve(NOBODY, deadline);
}
