/* The other side of a conversation: threads and processes that call and serve
 * as a test tells them to. */
#pragma once

#include "tests/user/check.h"

#include <pthread.h>

#include "user/include/ipc.h"

enum { MILLISECOND = 1000000 };

#define WORDS_ALONE { .timeout = LODGER_FOREVER }

/* A call made by a thread of its own. */
struct call {
	unsigned endpoint, label;
	unsigned prio;		/* 0: as it is */
	struct ipc ipc;
	_Atomic int tid;
	_Atomic long result;
	pthread_t thread;
};

static inline void *
call_thread(void *arg)
{
	struct call *call = arg;

	if (call->prio)
		lodger_set_priority(0, call->prio);
	call->tid = (int)syscall0(SYS_gettid);
	call->result = ipc_call(call->endpoint, call->label, &call->ipc);
	return NULL;
}

/* Is the task with @tid asleep? */
static inline bool
sleeps(int tid)
{
	struct lodger_task_stat stat;

	return lodger_task_stat(tid, &stat) == 0 && stat.state == 'S';
}

static inline void
wait_until_asleep(const _Atomic int *tid)
{
	while (!*tid || !sleeps(*tid))
		sched_yield();
}

/* Returns when the call is made and its thread waits. */
static inline void
start_call(struct call *call)
{
	call->tid = 0;
	if (!call->ipc.timeout)
		call->ipc.timeout = LODGER_FOREVER;
	if (pthread_create(&call->thread, NULL, call_thread, call) != 0) {
		perror("pthread_create");
		exit(2);
	}
	wait_until_asleep(&call->tid);
}

static inline long
end_call(struct call *call)
{
	pthread_join(call->thread, NULL);
	return call->result;
}

/* A child process that gets @handle as its handle 1 and runs @fn(1). */
static inline pid_t
child_with(unsigned handle, int (*fn)(unsigned handle))
{
	_Atomic int *word = shared_memory(PAGE);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		await_word(word, 1);
		_exit(fn(1));
	}
	if (lodger_handle_give(pid, handle) != 1)
		check(false, "handle_give to a new child");
	signal_word(word, 1);
	munmap((void *)word, PAGE);
	return pid;
}

static inline long
duplicate(unsigned handle, unsigned rights, uint64_t badge)
{
	long copy = lodger_handle_duplicate(handle, rights, badge);

	if (copy < 0)
		check(false, "handle_duplicate");
	return copy;
}
