/* Signals: system calls. See kernel/process.h for how others send them. */
#pragma once

#include "kernel/base/types.h"
#include "sched/task.h"

/* Should @task's sleep end, so that it can deal with a signal? */
static inline bool
signal_pending(const struct task *task)
{
	return READ_ONCE(task->kill_signal);
}

long sys_kill(int pid, int signal);
long sys_tkill(int tid, int signal);
long sys_tgkill(int tgid, int tid, int signal);
long sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size);
