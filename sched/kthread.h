/* Kernel threads. Read Linux: kernel/kthread.c. */
#pragma once

#include "sched/wait.h"

/* A thread that will run @fn(@arg) once woken by kthread_run() or
 * wake_up_new_task(); NULL: no memory. @name is copied. */
struct task *kthread_create(int (*fn)(void *), void *arg, const char *name);
struct task *kthread_run(int (*fn)(void *), void *arg, const char *name);
/* On one CPU only; for a thread that has not been woken yet. */
void kthread_bind(struct task *task, unsigned cpu);
/* Asks it to end, wakes it, waits, returns what @fn returned. */
int kthread_stop(struct task *task);
/* For @fn: has kthread_stop() been called? */
bool kthread_should_stop(void);
