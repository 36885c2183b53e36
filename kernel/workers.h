/* Kernel threads with real jobs; the reaper is in sched/task.c. */
#pragma once

#include "kernel/base/types.h"
#include "sched/task.h"

struct mm;

void workers_start(void);

/*
 * madvise(MADV_POPULATE_*): the prefaulter thread adopts the caller's address
 * space and faults the pages in on its behalf. The caller's own @mm; waits.
 * Errors are Linux's. A caller that is killed waits no longer: the prefaulter
 * then stops soon, and keeps the address space until it has.
 */
long prefault(struct mm *mm, uaddr_t addr, u64 len, bool write);

/* Wakes a thread bound to this CPU that does nothing but answer. -ENOMEM;
 * -EAGAIN: no id for it; -EINTR: the caller is being killed. */
long kthread_ping(void);

/* Brings the system to rest; see kernel/abi.h, quiesce(). Returns the exact
 * number of free frames. */
u64 quiesce(void);

/* A kernel thread that user space can find by its id; not woken yet. An
 * ERR_PTR: -ENOMEM; -EAGAIN: all ids are in use. */
struct task *create_worker(int (*fn)(void *), void *arg, const char *name);
/* Its id goes: before kthread_stop(). */
void unname_kthread(struct task *task);
/* The same, woken, for threads made at boot: panics without memory. */
struct task *start_worker(int (*fn)(void *), const char *name, unsigned prio);
