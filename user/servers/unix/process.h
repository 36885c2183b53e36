/*
 * What the server knows of a process, beside what the kernel does: that has
 * pid, parent, group and session, and is asked for them.
 */
#pragma once

#include "kernel/base/list.h"
#include "user/servers/unix/linux.h"
#include "user/servers/unix/os.h"
#include "user/servers/unix/timer.h"

struct descriptors;
struct node;

/* Where paths begin. Shared by who asks for CLONE_FS. */
struct place {
	unsigned refs;
	struct node *cwd;
	unsigned umask;
};

enum {
	NR_RLIMITS = 16,
	CMDLINE_MAX = 4096,
	PROCESSES_MAX = OS_CALLS_MAX / 2, /* unless root sets another limit */
};

struct process {
	struct list link;  /* in its hash chain */
	struct list all;   /* in the order of arrival */
	struct list calls; /* that wait */
	int pid;
	int ppid;
	struct place *place;
	struct descriptors *descriptors;
	struct node *exe;      /* NULL: unknown */
	char *cmdline;	       /* strings with their zeros */
	unsigned cmdline_len;
	char name[16];	       /* set by prctl; empty: the kernel knows it */
	u64 children_time;     /* of those that have ended */
	struct timer alarm;    /* setitimer's */
	u64 alarm_interval;
	struct linux_rlimit limits[NR_RLIMITS];
};

/* NULL: the server never heard of it, or it has ended. */
struct process *process_find(int pid);

/* How many there may be unless somebody sets another limit: so that they fit
 * into @memory bytes, and can all wait in calls. Once, before the first. */
void processes_init(u64 memory);

/* One that nobody forked: the root directory, no descriptors. NULL: no
 * memory. */
struct process *process_create(int pid);

/* As fork says. -EAGAIN: there are as many as @parent's limit allows; -ENOMEM.
 * Then nothing has changed. */
int process_fork(struct process *parent, int pid, u64 flags);
void process_exit(struct process *process);

/* The call that @tid waits in; NULL. */
struct call *process_waiting_call(struct process *process, int tid);
/* All its waiting calls but @but are answered now. */
void process_interrupt_others(struct process *process, struct call *but);

/* A copy of a shared table becomes its own. */
int process_unshare_descriptors(struct process *process);

/* The soft one. */
static inline u64
process_limit(const struct process *process, unsigned which)
{
	return process->limits[which].soft;
}

/* All processes, the oldest first. */
extern struct list processes;
#define for_each_process(p) list_for_each (p, &processes, all)

/* Group and session, from the kernel; 0: it has ended. */
int process_group(int pid);
int process_session(int pid);
