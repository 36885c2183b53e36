/* Kernel threads. Read Linux: kernel/kthread.c. */
#pragma once

#include "sched/wait.h"

/* A thread that will run @fn(@arg) once woken by kthread_run() or
 * wake_up_new_task(); NULL: no memory. @name is copied. */
struct task *kthread_create(int (*fn)(void *), void *arg, const char *name);
struct task *kthread_run(int (*fn)(void *), void *arg, const char *name);
/* On one CPU only; for a thread that has not been woken yet. */
void kthread_bind(struct task *task, unsigned cpu);
/* Asks it to end, wakes it, waits, returns what @fn returned. Only for a @fn
 * that does not return before kthread_should_stop(). */
int kthread_stop(struct task *task);
/* For @fn: has kthread_stop() been called? */
bool kthread_should_stop(void);

/* Ends the current task, which has no mm any more. */
void task_exit(void) __noreturn;

/* Where a thread that is being stopped leaves its result. */
struct kthread_end {
	struct completion done;
	int result;
};
