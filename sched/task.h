/*
 * A task is what the scheduler runs. A user task lives in an address space
 * (mm); a kernel thread has none and borrows (active_mm). That is all the
 * difference there is.
 */
#pragma once

#include "arch/arch.h"
#include "kernel/base/cpu.h"
#include "kernel/base/list.h"
#include "kernel/base/spinlock.h"

struct mm;
struct process;

enum task_state {
	TASK_NEW,	/* not yet woken for the first time */
	TASK_RUNNABLE,	/* on a run queue, or running */
	TASK_SLEEPING,	/* waits for a wake-up */
	TASK_DEAD,	/* has exited; on its way to the reaper */
};

enum { TASK_NAME_LEN = 16, NR_PRIORITIES = 32, DEFAULT_PRIORITY = 16 };

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
	u8 prio;		/* 0 (first) .. NR_PRIORITIES - 1 */
	struct list run_link;
	u64 affinity;		/* bit per CPU */
	u64 slice_end;		/* when its turn is over, ns */

	/* --- sleeping: wait.c --- */
	struct list sleep_link;	/* sleep queue of a CPU, by wake_time */
	u64 wake_time;
	bool wake_pending;

	/* --- under pid_lock --- */
	struct process *process; /* NULL: a kernel thread */
	struct list thread_link; /* process->threads */
	struct list all_link;	 /* every task */
	struct task *hash_next;
	bool exiting;

	/* --- its own --- */
	u64 sigmask;
	int exit_signal;
	uaddr_t clear_child_tid;
	uaddr_t robust_list;
	struct completion *vfork_done;
	int transition;		/* inside a marked transition: depth */
	struct kthread *kthread;

	/* --- set by others, read on the way to user mode --- */
	int kill_signal;	/* != 0: die, with this signal */
	bool syscall_traced;

	u64 switches;		/* how often it was switched in */
	u64 cpu_time, started;	/* ns */
#ifdef CONFIG_DEBUG
	unsigned fail_nth;	/* mm/fail.h */
	u8 fail_class;
	bool fail_happened;
#endif
};

/* A task's memory: struct, stack and arch state; not yet known to anyone.
 * NULL: no memory, nothing kept. */
struct task *task_alloc(const char *name);
/* For a task that never ran, or that has been switched away from for good. */
void task_free(struct task *task);
