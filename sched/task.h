/*
 * A task is what the scheduler runs. A user task lives in an address space
 * (mm); a kernel thread has none and borrows (active_mm). That is all the
 * difference there is.
 */
#pragma once

#include "arch/arch.h"
#include "kernel/base/cpu.h"
#include "kernel/base/list.h"
#include "kernel/base/sigframe.h"
#include "kernel/base/spinlock.h"

struct ipc_task;
struct mm;
struct process;

enum task_state {
	TASK_NEW,	/* not yet woken for the first time */
	TASK_RUNNABLE,	/* on a run queue, or running */
	TASK_SLEEPING,	/* waits for a wake-up */
	TASK_DEAD,	/* has exited; on its way to the reaper */
};

enum { TASK_NAME_LEN = 16, NR_PRIORITIES = 32, DEFAULT_PRIORITY = 16 };

/* Signals that were sent and not taken yet: kernel/signal.c. */
struct sigpending {
	u64 signals;
	struct list queue;	/* struct sigqueue: what is known of them */
	unsigned length;
};

/* How restart_syscall() goes on with a sleep that was interrupted. */
struct restart_block {
	long (*fn)(struct restart_block *restart); /* NULL: not at all */
	u64 deadline;
	uaddr_t addr;
	u32 value, bitset;
	bool private;
};

struct task {
	/* --- arch/x86: offsets are in asm_offsets.c --- */
	struct arch_task arch;
	vaddr_t stack;		/* lowest address of the kernel stack */

	tid_t tid;
	char name[TASK_NAME_LEN];
	bool is_kthread;	/* also while it has adopted an mm */

	/* --- the borrow: changed by the task itself or by the switch, with
	 * interrupts off --- */
	struct mm *mm;		/* lives here; NULL: a kernel thread */
	struct mm *active_mm;	/* mm, or what it borrows while it runs */

	/* --- under the lock of its CPU's run queue --- */
	enum task_state state;
	unsigned cpu;		/* whose queue, or where it runs */
	bool on_cpu;		/* its stack is in use */
	bool on_rq;		/* on a list of that queue */
	bool migrating;		/* to leave this CPU when it is switched away */
	bool moving;		/* between two queues; see take_away() */
	u8 prio;		/* 0 (first) .. NR_PRIORITIES - 1 */
	struct list run_link;
	u64 affinity;		/* bit per CPU */
	bool bound;		/* by kthread_bind(): nobody else may move it */

	/* --- sleeping with a deadline: timer.c; its queue's lock --- */
	struct list sleep_link;
	u64 wake_time;		/* ns */
	struct sleep_queue *sleep_queue; /* NULL: on none */

	/* --- under pid_lock --- */
	struct process *process; /* NULL: a kernel thread */
	struct list thread_link; /* process->threads */
	struct task *hash_next;
	u64 start_ns;

	struct list all_link;	/* every task: task_list_lock */

	/* --- signals: written under pid_lock --- */
	int kill_signal;	/* != 0: die, with this signal */
	bool signal_work;	/* to be looked at on the way to user mode; only
				 * the task itself clears it */
	bool stopped;		/* asleep there until SIGCONT */
	struct sigpending pending; /* sent to this task */
	u64 sigmask;
	u64 sigwait;		/* taken by rt_sigtimedwait(), though masked */
	u64 saved_sigmask;	/* rt_sigsuspend()'s, while restore_sigmask */
	bool restore_sigmask;
	struct altstack altstack;
	struct restart_block restart;

	/* --- its own --- */
	bool exiting;		/* do_exit() has begun: for people to see */
	uaddr_t clear_child_tid;
	uaddr_t robust_list;
	struct completion *vfork_done;
	bool no_faults;		/* user copies stop at a missing page */
	int transition;		/* inside a marked transition: depth */

	uaddr_t set_child_tid;	/* written at its first run, if not 0 */

	struct ipc_task *ipc;	/* kernel/ipc/ipc.h; NULL: never used any */

	/* --- kernel threads: kthread.c --- */
	int (*kthread_fn)(void *);
	void *kthread_arg;
	bool kthread_stopping;
	struct kthread_end *kthread_end; /* of the one who stops it */

	u64 switches;		/* how often it was switched in */
	u64 ticks;		/* timer ticks that found it running */
#ifdef CONFIG_DEBUG
	unsigned fail_nth;	/* mm/fail.h */
	u8 fail_class;
	bool fail_happened;
#endif
};

/*
 * Should @task, the current one, give up its sleep? There is an unmasked
 * signal for it, or a stop, or it is to die. Who asks after
 * set_current_state(TASK_SLEEPING) misses none.
 */
static inline bool
signal_pending(const struct task *task)
{
	return READ_ONCE(task->signal_work);
}

/* A task's memory: struct, stack and arch state; not yet known to anyone.
 * NULL: no memory, nothing kept. */
struct task *task_alloc(const char *name);
/* The fields of a fresh task; puts it on the list of all tasks. */
void task_init(struct task *task, const char *name);
void task_cache_init(void);
/* For a task that never ran, or that has been switched away from for good. */
void task_free(struct task *task);

/* Takes a dead task, whose stack may still be in use, off a CPU's hands; the
 * reaper thread frees it. Any context. */
void reaper_add(struct task *task);

/* Calls @fn for every task from task_alloc() on, with task_list_lock held: it
 * must not sleep. Stops when @fn returns false. */
void task_for_each(bool (*fn)(struct task *task, void *arg), void *arg);
unsigned nr_tasks(void);

/*
 * Fork, exec, exit, teardown and adoption move references in several steps.
 * Between these two marks the sums need not add up, even if the task sleeps.
 */
static inline void
transition_begin(void)
{
	current->transition++;
}

static inline void
transition_end(void)
{
	current->transition--;
}
