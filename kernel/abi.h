/*
 * Lodger's own system calls: numbers, structs, and what each one promises.
 * The kernel and the programs both include this file, so it uses plain C
 * types and nothing else of the kernel.
 *
 * Arguments go where Linux's do (rdi rsi rdx r10 r8 r9), the result comes
 * back in rax: 0 or more, or a negative errno. On Linux every number here
 * answers -ENOSYS; a program finds out where it runs by lodger_sys_stat().
 *
 * Every call that fills a struct answers -EFAULT for a bad address, and
 * changes nothing. All statistics are moments: each field is right for some
 * instant during the call, and all of them are exact, and agree, when the
 * tasks concerned stand still.
 */
#pragma once

#include <stdint.h>

#include "kernel/base/counters.h" /* enum cpu_counter */

enum lodger_call {
	LODGER_klog_write = 0x1000,
	LODGER_mm_stat,
	LODGER_mm_list,
	LODGER_task_stat,
	LODGER_task_list,
	LODGER_cpu_stat,
	LODGER_sys_stat,
	LODGER_trace_control,
	LODGER_fail,
	LODGER_fail_happened,
	LODGER_check_invariants,
	LODGER_quiesce,
	LODGER_verdict,
	LODGER_guest,
	LODGER_hold,
	LODGER_kthread_ping,
	LODGER_handle_duplicate, /* from here on: kernel/abi_ipc.h */
	LODGER_handle_close,
	LODGER_handle_stat,
	LODGER_handle_give,
	LODGER_endpoint_create,
	LODGER_notification_create,
	LODGER_signal,
	LODGER_bind,
	LODGER_set_priority,
	LODGER_mm_open,
	LODGER_mm_create,
	LODGER_mm_read,
	LODGER_mm_write,
	LODGER_mm_map,
	LODGER_mm_unmap,
	LODGER_mm_protect,
	LODGER_mm_info,
	LODGER_mm_exec,
	LODGER_resource_narrow, /* from here on: kernel/abi_objects.h */
	LODGER_memory_create,
	LODGER_memory_map,
	LODGER_memory_info,
	LODGER_port_in,
	LODGER_port_out,
	LODGER_ring_from_port,
	LODGER_ring_to_port,
	LODGER_interrupt_bind,
	LODGER_interrupt_ack,
	LODGER_process_create,
	LODGER_process_give,
	LODGER_process_start,
	LODGER_process_signal,
	LODGER_process_watch,
	LODGER_process_info,
	LODGER_mm_heap,
	LODGER_mm_regions,
	LODGER_boot_option,
	LODGER_console_release,
	LODGER_klog_read,
	LODGER_framebuffer_info,
	LODGER_personality_set, /* kernel/abi_personality.h */
	LODGER_personality_signal,
	LODGER_cpu_online,	/* below */
	LODGER_call,	/* call to wait: all registers */
	LODGER_recv,
	LODGER_reply,
	LODGER_reply_recv,
	LODGER_wait,
	LODGER_CALL_END,
};

#include "kernel/abi_ipc.h"
#include "kernel/abi_objects.h"
#include "kernel/abi_personality.h"

/* Includes the final 0. Task and address space names are cut to fit. */
enum { LODGER_NAME_LEN = 16 };

/*
 * long klog_write(const char *text, size_t len)
 *
 * Appends to the kernel's log and console, as it is, without a stamp.
 * Returns len. At most 4096 bytes at once: a longer text is cut, and the
 * result says where.
 */

/*
 * long mm_stat(uint64_t id, struct lodger_mm_stat *buf)
 *
 * An address space by its id, zombies included. id -1: the caller's own;
 * 0: init_mm. -ESRCH: none with that id is alive (ids are never reused, so
 * it is certain that it was freed, or never was).
 *
 * users and count do *not* contain what this call itself holds while it
 * looks, and no other task's mm_stat may leave a trace in them once it has
 * returned. It must answer at once even when a task is held (see hold())
 * that lives in, borrows or has adopted the address space.
 */
struct lodger_mm_stat {
	uint64_t id;
	int32_t users;		/* U */
	int32_t count;		/* C */
	uint64_t resident;	/* user pages mapped; 0 after the teardown */
	uint64_t tables;	/* user page tables, the root not counted */
	uint64_t regions;
	uint64_t mapped_bytes;	/* sum of the regions' lengths */
	uint64_t cpumask;	/* CPUs that may have it loaded: a superset */
	uint32_t torn_down;	/* 1: users was 0, the contents are gone */
	uint32_t unused;
	char name[LODGER_NAME_LEN];
};

/*
 * long mm_list(uint64_t *ids, size_t n)
 *
 * The ids of all live address spaces, init_mm (0) first, at most n of them,
 * in the order of their creation. Returns how many there are, which may be
 * more than n. n == 0 only counts.
 */

/*
 * long task_stat(int tid, struct lodger_task_stat *buf)
 *
 * tid 0: the caller. -ESRCH: no such task. A process that has ended and was
 * not waited for yet is found by its pid: state 'Z'.
 */
struct lodger_task_stat {
	int32_t tid;
	int32_t pid;		/* of its process; 0: a kernel thread */
	int32_t ppid;		/* 0: none */
	int32_t cpu;		/* where it runs, ran last, or will run */
	uint32_t prio;		/* 0 runs first */
	uint8_t state;		/* 'R' runnable or running, 'S' asleep, 'T'
				 * stopped, 'D' dead (switched away from or about
				 * to be), 'Z' ended, its parent has not waited,
				 * 'N' never ran */
	uint8_t is_kthread;
	uint8_t on_cpu;		/* running now */
	uint8_t unused;
	int64_t mm;		/* id of the one it lives in; -1: none */
	int64_t active_mm;	/* id of the one it uses or borrows; -1: none */
	uint64_t affinity;	/* bit per CPU */
	uint64_t switches;	/* how often it was switched in */
	uint64_t cpu_time_ns;
	char name[LODGER_NAME_LEN];
	int32_t pgid, sid;	/* process group and session */
	uint64_t sig_blocked;	/* bit n - 1: signal n; of the task, */
	uint64_t sig_ignored;	/* of its process: by SIG_IGN, */
	uint64_t sig_caught;	/* by a handler, */
	uint64_t sig_pending;	/* of both */
	uint64_t start_ns;	/* since the kernel's entry; 0: a kernel thread */
	uint32_t nr_threads;	/* of its process */
	uint32_t unused2;
};

/*
 * long task_list(int *tids, size_t n)
 *
 * All tasks but the per-CPU idle ones, kernel threads included, and processes
 * that nobody has waited for, in ascending order. As mm_list().
 */

/*
 * long cpu_stat(unsigned cpu, struct lodger_cpu_stat *buf)
 *
 * -EINVAL: there is no such CPU. An idle CPU's task has tid 0 and its name
 * begins with "idle". Read without stopping the CPU: of current, loaded,
 * active and lazy each may be a switch newer than the one before.
 */
struct lodger_cpu_stat {
	uint32_t online;
	uint32_t held_at;	/* enum lodger_hold_point of the task held here */
	int32_t current_tid;
	uint32_t lazy;		/* the current task has no mm of its own */
	int64_t loaded_mm;	/* whose root is in CR3 */
	int64_t active_mm;	/* what the current task uses or borrows */
	int64_t prev_mm;	/* parked until the finish step; -1: none */
	uint64_t seen_gen;
	uint64_t counts[NR_COUNTERS];
	char current_name[LODGER_NAME_LEN];
};

/*
 * long sys_stat(struct lodger_sys_stat *buf)
 *
 * Exact free_frames needs quiesce(); otherwise frames on per-CPU lists and in
 * the zero pool count as free, those cached in slabs and stacks do not.
 */
struct lodger_sys_stat {
	uint32_t nr_cpus;
	uint32_t debug;		/* 1: a debug build (fail, check_invariants) */
	uint64_t total_frames;
	uint64_t free_frames;
	uint64_t nr_mms;	/* alive, init_mm and zombies included */
	uint64_t nr_zombie_mms;	/* users 0, count not */
	uint64_t nr_tasks;	/* idle tasks not counted */
	uint64_t time_ns;	/* since the kernel's entry */
	uint64_t user_frames;	/* in use: pages of programs */
	uint64_t table_frames;	/* page tables of address spaces, with roots */
};

/*
 * long trace_control(int op, uint64_t arg)
 *
 * Dump prints the newest arg records of all CPUs to the log. Mark adds one
 * TRACE_USER record with extra = arg. -EINVAL: no such op.
 */
enum lodger_trace_op {
	LODGER_TRACE_OFF,
	LODGER_TRACE_ON,
	LODGER_TRACE_DUMP,
	LODGER_TRACE_MARK,
};

/*
 * long fail(int alloc_class, unsigned nth)
 *
 * In the caller's *next system call* the nth allocation (1: the first) of
 * that class (mm/page.h, or LODGER_FAIL_ANY) fails, and only that one. At the
 * end of that system call, whatever came of it, the request is withdrawn, so
 * that no later page fault meets it. fail and fail_happened are not a "next
 * system call". Allocations in page faults before it do count: touch first.
 * nth 0 withdraws. A child starts with no request. -ENOSYS: release build;
 * -EINVAL: no such class.
 */
enum { LODGER_FAIL_ANY = -1 };

/*
 * long fail_happened(void)
 *
 * 1: the failure last asked for by this task did happen; 0: the system call
 * made fewer allocations, or none was asked for. Stays until the next fail,
 * also across exec. -ENOSYS: release build.
 */

/*
 * long check_invariants(void)
 *
 * Checks the whole system now: 0, or the kernel panics with what it found.
 * -ENOSYS: release build. Guests and held tasks (below) count as standing
 * outside every transition: the check does not wait for them.
 */

/*
 * long quiesce(void)
 *
 * Brings the system to rest: the reaper's, the prefaulter's and init's work
 * done (dead tasks, their requests, orphans), every CPU but the caller's on
 * init_mm, every zombie that nobody else pins freed, per-CPU frame lists, zero
 * pool, stack cache and slabs drained. Returns the number of free frames, which
 * is then exact and equal for equal states. All other
 * user tasks must be asleep. -EBUSY: a guest or a held task is about.
 */

/*
 * long verdict(unsigned ports, int code)
 *
 * Ends the machine: code 0 is PASS, anything else FAIL. @ports must hold port
 * 0xf4, with WRITE, by which QEMU is left: -EPERM; -EBADF, -EINVAL: it is no
 * handle on ports. Does not return otherwise.
 */

/*
 * long guest(int op, unsigned cpu)
 *
 * A kernel thread under remote control, at most one on each CPU, named
 * "lodger", bound to that CPU, with priority 0. It does one thing: it spins in
 * kernel mode, interrupts on, with no preemption point, so that it keeps the
 * address space that the CPU had loaded when it came, and nothing else runs
 * there. It stands outside every marked transition and holds no lock.
 *
 * RUN    makes one and wakes it. Whatever user task runs on the CPU is
 *	  preempted; it stays on the run queue (and sched_setaffinity can take
 *	  it to another CPU). Returns when the guest spins. -EINVAL: no such CPU,
 *	  or not online, or the caller's own one; -EBUSY: it has a guest;
 *	  -ENOMEM; -EAGAIN: no task id is left.
 * LEAVE  ends it. Returns when it has stopped spinning; the CPU then switches
 *	  to the best of its run queue. -ESRCH: no guest there.
 *
 * A guest does not end with the process that called it in. Its CPU cannot go
 * offline.
 */
enum lodger_guest_op {
	LODGER_GUEST_RUN,
	LODGER_GUEST_LEAVE,
};

/*
 * long hold(unsigned cpu, int point)
 *
 * Arms a rendezvous: the next task that reaches the point on that CPU stops
 * there, spinning in kernel mode with interrupts on and no preemption, until
 * it is let go. While it stands, cpu_stat(cpu).held_at is the point. It holds
 * no lock there (no spin lock, no mutex) and is outside every marked
 * transition.
 *
 * LODGER_HOLD_NONE disarms, and lets go of a task that is held; returns
 * without waiting for what it does next. A new point replaces the old one
 * (and lets go). At most one task is held for each call: the point disarms
 * itself as it is reached. -EINVAL: no such CPU, no such point, or the caller's
 * own CPU.
 */
enum lodger_hold_point {
	LODGER_HOLD_NONE,
	/* In do_exit, after exit_mm() and everything that wakes others (vfork's
	 * parent, joiners, the waiting parent), just before the last switch:
	 * the task is dead and still borrows what was its own. */
	LODGER_HOLD_DEAD,
	/* In the prefaulter, between kthread_use_mm() and the first fault it
	 * takes on the user's behalf: adopted, users held for the window. */
	LODGER_HOLD_ADOPTED,
	/* In the prefaulter, after kthread_unuse_mm(): it only borrows again, and
	 * has not given users back yet. */
	LODGER_HOLD_UNUSED,
	/* In mm_read() and mm_write(), between mmget_not_zero() and the copy:
	 * users held for this one operation. */
	LODGER_HOLD_ENTERED,
	LODGER_NR_HOLD_POINTS,
};

/*
 * long cpu_online(unsigned cpu, int online)
 *
 * Takes a CPU out of the system (online 0), or back in. One that leaves gives
 * back what it borrows, and its tasks go on elsewhere, whatever their affinity;
 * a task that is held there is waited for. -EBUSY: it is so already, it is CPU 0,
 * or it has a guest; -EINVAL: no such CPU.
 */

/*
 * long kthread_ping(void)
 *
 * Wakes a kernel thread that is bound to the caller's CPU and does nothing,
 * and sleeps until it has answered: user -> kernel thread -> user, two
 * switches when the CPU has nothing better to do. Returns 0. -ENOMEM: the
 * first call on a CPU makes the thread.
 */

/*
 * Kernel threads that a program may look for by name: "reaper", "zeroer",
 * "prefaulter". sched_setaffinity works for them as for any task (borrow puts
 * the prefaulter on a CPU of its choice); a bound one answers -EINVAL.
 */
