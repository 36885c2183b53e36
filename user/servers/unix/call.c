#include "user/servers/unix/call.h"

#include <errno.h>
#include <string.h>

#include "user/servers/unix/file.h"
#include "user/servers/unix/process.h"

static struct list ready = LIST_INIT(ready), yielded = LIST_INIT(yielded);
static unsigned nr_waiting, nr_more; /* nr_more: not their process's only one */

/* ---- Life ----------------------------------------------------------- */

static struct call *spare; /* by next_spare; most calls are over at once */

static void
timer_fires(struct timer *timer)
{
	struct call *call = container_of(timer, struct call, timer);

	call->timed_out = true;
	if (list_empty(&call->ready))
		list_add_tail(&ready, &call->ready);
}

static __noinline struct call *
make_call(void)
{
	struct call *call = os_alloc(sizeof(*call));

	if (!call)
		return NULL;
	list_init(&call->link);
	list_init(&call->ready);
	list_init(&call->wait.link);
	call->wait.call = call;
	call->timer.fire = timer_fires;
	return call;
}

struct call *
call_alloc(void)
{
	struct call *call = spare;

	if (unlikely(!call))
		return make_call();
	spare = call->next_spare;
	return call;
}

void
call_free(struct call *call)
{
	if (call->waited) {
		call->waited = call->interrupted = call->timed_out = false;
		call->deadline = 0;
	}
	call->done = 0;
	call->next_spare = spare;
	spare = call;
}

static __noinline void
leave_many(struct call *call)
{
	for (unsigned i = 0; i < call->used_waits; i++) {
		list_unlink(&call->waits[i].link);
		file_put(call->waits[i].file);
	}
	os_free(call->waits, call->nr_waits * sizeof(*call->waits));
	call->waits = NULL;
	call->nr_waits = call->used_waits = 0;
}

/* Out of all queues, but still somebody's who waits. */
static inline void
leave_queues(struct call *call)
{
	list_del(&call->wait.link);
	if (call->waits)
		leave_many(call);
}

static void
stop_waiting(struct call *call)
{
	if (list_empty(&call->link))
		return;
	list_del(&call->link);
	nr_waiting--;
	nr_more -= !list_empty(&call->process->calls);
}

void
call_drop(struct call *call)
{
	if (call->waited) {
		leave_queues(call);
		list_del(&call->ready);
		stop_waiting(call);
		timer_cancel(&call->timer);
	}
	if (call->file)
		file_put(call->file);
	call->file = NULL;
}

/* ---- Waiting -------------------------------------------------------- */

/* As every process may have one call that waits, no process with many threads
 * can keep others from it: what its other threads have is limited. And the last
 * reply is for who would wake them. */
static bool
too_many_wait(const struct process *process)
{
	enum { MORE_MAX = OS_CALLS_MAX - PROCESSES_MAX - 1 };

	return nr_waiting >= OS_CALLS_MAX - 1 ||
	       (!list_empty(&process->calls) && nr_more >= MORE_MAX);
}

long
call_wait_end(struct call *call)
{
	if (call->interrupted) {
		leave_queues(call);
		return -ERESTARTSYS;
	}
	if (!list_empty(&call->link))
		return WAITING;
	call->waited = true;
	if (too_many_wait(call->process)) {
		leave_queues(call);
		return -ENOMEM;
	}
	nr_more += !list_empty(&call->process->calls);
	nr_waiting++;
	list_add_tail(&call->process->calls, &call->link);
	return WAITING;
}

long
call_wait(struct call *call, struct list *queue)
{
	if (!call->interrupted)
		list_add_tail(queue, &call->wait.link);
	return call_wait_end(call);
}

long
call_yield(struct call *call)
{
	long result = call_wait_end(call);

	if (result == WAITING)
		list_add_tail(&yielded, &call->ready);
	return result;
}

bool
calls_yielded(void)
{
	return !list_empty(&yielded);
}

void
calls_resume(void)
{
	while (calls_yielded())
		list_move_tail(&ready, yielded.next);
}

int
call_wait_begin(struct call *call, unsigned n)
{
	leave_queues(call);
	if (n == 0)
		return 0;
	call->waits = os_alloc(n * sizeof(*call->waits));
	if (!call->waits)
		return -ENOMEM;
	call->nr_waits = n;
	for (unsigned i = 0; i < n; i++)
		call->waits[i].call = call;
	return 0;
}

void
call_wait_also(struct call *call, struct file *file)
{
	struct wait *wait = &call->waits[call->used_waits++];

	wait->file = file_get(file);
	list_add_tail(file->queue, &wait->link);
}

int
call_set_deadline(struct call *call, u64 deadline)
{
	call->waited = true;
	call->deadline = deadline;
	call->timed_out = false;
	if (deadline != OS_NEVER)
		return timer_set(&call->timer, deadline);
	timer_cancel(&call->timer);
	return 0;
}

void
wake(struct list *queue)
{
	struct wait *wait;

	list_for_each(wait, queue, link) {
		if (list_empty(&wait->call->ready))
			list_add_tail(&ready, &wait->call->ready);
	}
}

void
call_interrupt(struct call *call)
{
	call->interrupted = true;
	if (list_empty(&call->ready))
		list_add_tail(&ready, &call->ready);
}

struct call *
call_next_ready(void)
{
	struct call *call;

	if (list_empty(&ready))
		return NULL;
	call = list_first(&ready, struct call, ready);
	list_del(&call->ready);
	leave_queues(call);
	return call;
}

/* ---- The caller's memory -------------------------------------------- */

int
copy_in(struct call *call, void *to, u64 from, size_t len)
{
	return len ? os_copy_in(call->reply, to, from, len) : 0;
}

int
copy_out(struct call *call, u64 to, const void *from, size_t len)
{
	return len ? os_copy_out(call->reply, to, from, len) : 0;
}

/* How much to fetch at once: most strings are short, and what follows the
 * string on the next page may not be there. */
static size_t
string_chunk(u64 from, size_t room)
{
	size_t to_page_end = PAGE_SIZE - from % PAGE_SIZE;

	return MIN(MIN(room, to_page_end), 128ul);
}

long
copy_in_string(struct call *call, char *to, u64 from, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t chunk = string_chunk(from + done, size - done);
		int err = copy_in(call, to + done, from + done, chunk);
		char *end;

		if (err)
			return err;
		end = memchr(to + done, 0, chunk);
		if (end)
			return end - to;
		done += chunk;
	}
	return -ENAMETOOLONG;
}
