/*
 * A process is a thread group: a pid, a parent, children, an exit status. It
 * does not own an address space; its tasks live in one, usually the same, and
 * with vfork or CLONE_VM two processes may live in one for a while.
 *
 * All of it but the handles is guarded by pid_lock, which is taken with
 * interrupts off and held for short walks only.
 */
#pragma once

#include "kernel/base/signal.h"
#include "sched/task.h"
#include "sched/wait.h"

enum { PID_MAX = 32768 };

struct endpoint;
struct handle_table;
struct process_object;
struct ipc_event;
struct sighand;

/* What a parent may still hear of a child that lives. */
enum child_event { CHILD_QUIET, CHILD_STOPPED, CHILD_CONTINUED };

struct process {
	tid_t pid;
	tid_t pgid, sid;	/* process group and session */
	bool has_execed;
	char name[TASK_NAME_LEN];
	struct process *parent;	  /* NULL: init's */
	struct list children;	  /* by sibling */
	struct list sibling;
	struct list threads;	  /* struct task, by thread_link */
	unsigned nr_threads;
	u64 leader_affinity;	  /* of the first thread, once it has ended */
	struct process *hash_next;
	struct list all_link;	/* every process that can be found */

	bool group_exit;	  /* every thread is on its way out */
	bool ended;		  /* no thread left; the parent may collect */
	int exit_status;	  /* as wait4() reports it */
	int exit_signal;	  /* to the parent at the end; 0: none */
	struct process_object *object; /* its handles'; NULL: there are none */

	struct sighand *sighand;  /* kernel/signal.h; NULL: all default */
	struct sigpending pending; /* sent to the process */
	int stop_signal;	  /* != 0: threads stop; stop.c */
	unsigned nr_stopped;	  /* of them, have */
	enum child_event event;	  /* not waited for yet */

	u64 ticks;		  /* of threads that have ended */
	atomic_t live;		  /* threads that have not begun to exit */

	/* under ipc_lock */
	struct handle_table *handles; /* NULL: none yet, or closed */
	bool handles_closed;
	struct endpoint *personality;	/* kernel/personality.h; NULL: none */
	u64 served_by;			/* its id, until the process is freed */
	struct ipc_event *exit_event;	/* for it, at the end */

	struct wait_queue changed; /* a child ended, or a thread left */
};

extern struct spinlock pid_lock;
extern struct process *init_process; /* pid 1: a kernel thread's */
extern struct list processes; /* all that can be found, by all_link */

void process_init(void);

/* ---- Ids and lookup: pid_lock held ------------------------------------ */

struct task *find_task(tid_t tid);
/* Until it is waited for. On Linux its first thread, when that has ended, can
 * be found as long, so calls that take a thread's id look here too. */
struct process *find_process(tid_t pid);
/* An id that names no task, process, group or session; -EAGAIN: all are in
 * use. */
tid_t alloc_tid(void);
/* A process of this group; NULL: there is none. */
struct process *find_group_member(tid_t pgid);
void hash_task(struct task *task);
void unhash_task(struct task *task);

/* ---- Life ------------------------------------------------------------- */

/* An empty process, a child of @parent, unknown to anyone. NULL: no memory. */
struct process *process_alloc(const char *name);
void process_free(struct process *process);
/* Makes @process findable, a child of @parent, in its group and session.
 * pid_lock held. */
void process_attach(struct process *process, struct process *parent);
/* The opposite: the pid is free. pid_lock held; process_free() comes next. */
void process_detach(struct process *process);
/* @task becomes a thread of @process and findable. pid_lock held. */
void thread_attach(struct task *task, struct process *process);
/* The opposite, of a task that is ending, or never ran. pid_lock held. */
void thread_detach(struct task *task);

/* Timer ticks that found a thread of @process running. pid_lock held. */
u64 process_ticks(const struct process *process);

/* CLONE_* as in Linux; @regs: the parent's; returns the child's tid. */
struct clone_args {
	u64 flags;
	int exit_signal;
	uaddr_t stack;		/* 0: the parent's */
	uaddr_t parent_tid, child_tid;
	u64 tls;
};
long do_clone(const struct clone_args *args);
/* Takes back a process whose only thread never ran, and that nobody is to find
 * any more. It may have been given handles, and threads of its parent may wait
 * for it. */
void undo_clone(struct task *child);

/* Ends the calling task; @status is a wait4() status. */
void do_exit(int status) __noreturn;
/* Ends all threads of the caller's process. */
void do_group_exit(int status) __noreturn;
/* Before exec: ends the other threads and waits until they are gone; the caller
 * gets the pid for its tid, and actions of its own. -EINTR: the caller itself
 * is to die; -ENOMEM. */
int end_other_threads(void);

/* ---- Collecting children: kernel/wait.c ------------------------------- */

/* wait4(); @status and @rusage may be 0. */
long do_wait(tid_t pid, uaddr_t status, int options, uaddr_t rusage);
long sys_waitid(int which, tid_t id, uaddr_t info, int options, uaddr_t rusage);
/* An ended child from the kernel: any; its status; -ECHILD. */
long kernel_wait(int *status);
/* Has init a child that has ended? */
bool orphans_to_collect(void);

/* ---- Groups and sessions: kernel/group.c ------------------------------ */

long sys_setpgid(tid_t pid, tid_t pgid);
long sys_getpgid(tid_t pid);
long sys_getpgrp(void);
long sys_setsid(void);
long sys_getsid(tid_t pid);

/* ---- Signals: kernel/signal.c ----------------------------------------- */

/* From the kernel. pid_lock held. */
void send_signal_to_process(struct process *process, int signal);
/* Tells all threads but @spare to die. pid_lock held. */
void kill_threads(struct process *process, const struct task *spare);

/* ---- Futexes: kernel/futex.c ------------------------------------------ */

void futex_init(void);
long do_futex(uaddr_t addr, int op, u32 val, uaddr_t timeout, uaddr_t addr2,
	      u32 val3);
/* Wakes up to @n waiters (always one) on @addr in the caller's mm. @private:
 * only threads of this mm wait there. How many it woke, or an errno. */
long futex_wake(uaddr_t addr, bool private, int n, u32 bitset);
/* At exit: marks the robust mutexes that the caller holds as orphaned. */
void exit_robust_list(void);
