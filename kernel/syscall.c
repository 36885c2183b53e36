/*
 * System calls: the table, and those that are a line or two of argument
 * checks around what lives elsewhere. Numbers, arguments, results and errors
 * are Linux's; from 0x1000 on they are ours (kernel/native.c). Anything else is
 * for the process's personality; without one, -ENOSYS.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/clone.h"
#include "kernel/ipc/ipc.h"
#include "kernel/native.h"
#include "kernel/personality.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/test.h"
#include "kernel/time.h"
#include "kernel/workers.h"
#include "mm/fail.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"

/* ---- Processes -------------------------------------------------------- */

static long
sys_clone(u64 flags, uaddr_t stack, uaddr_t parent_tid, uaddr_t child_tid,
	  u64 tls)
{
	struct clone_args args = {
		.flags = flags & ~(u64)CLONE_SIGNAL,
		.exit_signal = (int)(flags & CLONE_SIGNAL),
		.stack = stack,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
	};
	long tid;

	if (args.exit_signal > NR_SIGNALS)
		return -EINVAL;
	tid = do_clone(&args);
	if (tid == -ENOMEM && wait_for_reaper())
		tid = do_clone(&args);
	return tid;
}

static long
sys_fork(void)
{
	return sys_clone(SIGCHLD, 0, 0, 0, 0);
}

static long
sys_vfork(void)
{
	return sys_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static long
sys_exit(int code)
{
	do_exit((code & 0xff) << 8);
}

static long
sys_exit_group(int code)
{
	do_group_exit((code & 0xff) << 8);
}

static long
sys_getpid(void)
{
	return current->process->pid;
}

static long
sys_gettid(void)
{
	return current->tid;
}

static long
sys_getppid(void)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *parent = current->process->parent;
	tid_t pid = parent ? parent->pid : 0;

	spin_unlock_irqrestore(&pid_lock, flags);
	return pid;
}

static long
sys_set_tid_address(uaddr_t addr)
{
	current->clear_child_tid = addr;
	return current->tid;
}

enum { ROBUST_HEAD_SIZE = 24 };

static long
sys_set_robust_list(uaddr_t head, size_t size)
{
	if (size != ROBUST_HEAD_SIZE)
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

static long
sys_get_robust_list(int tid, uaddr_t head, uaddr_t size)
{
	uaddr_t list = current->robust_list;
	u64 bytes = ROBUST_HEAD_SIZE;

	if (tid && tid != current->tid) {
		irq_flags_t flags = spin_lock_irqsave(&pid_lock);
		struct task *task = find_task(tid);
		bool found = task || find_process(tid);

		list = task ? task->robust_list : 0;
		spin_unlock_irqrestore(&pid_lock, flags);
		if (!found)
			return -ESRCH;
	}
	if (copy_to_user(size, &bytes, sizeof(bytes)))
		return -EFAULT;
	return copy_to_user(head, &list, sizeof(list));
}

enum {
	ARCH_SET_GS = 0x1001,
	ARCH_SET_FS = 0x1002,
	ARCH_GET_FS = 0x1003,
	ARCH_GET_GS = 0x1004,
};

static long
sys_arch_prctl(int code, u64 addr)
{
	u64 base;

	switch (code) {
	case ARCH_SET_FS:
		return arch_set_fs_base(current, addr);
	case ARCH_SET_GS:
		return arch_set_gs_base(current, addr);
	case ARCH_GET_FS:
		base = arch_get_fs_base(current);
		break;
	case ARCH_GET_GS:
		base = arch_get_gs_base(current);
		break;
	default:
		return -EINVAL;
	}
	return copy_to_user(addr, &base, sizeof(base));
}

/* ---- The scheduler ---------------------------------------------------- */

static long
sys_sched_yield(void)
{
	schedule();
	return 0;
}

/*
 * A task found by its id cannot be kept across a sleep: it may end. What
 * sched_set_affinity() does to another task takes no sleep, so pid_lock, which
 * every exit takes, keeps it here.
 */
static long
set_affinity(int tid, u64 mask)
{
	struct task *task = find_task(tid);
	struct process *process = find_process(tid);

	if (!task && !process)
		return -ESRCH;
	if (task)
		return task->bound ? -EINVAL : sched_set_affinity(task, mask);
	if (!(mask & online_cpus()))
		return -EINVAL;
	process->leader_affinity = mask;
	return 0;
}

static long
sys_sched_setaffinity(int tid, size_t size, uaddr_t mask_addr)
{
	u64 mask = 0;
	irq_flags_t flags;
	long err;

	if (copy_from_user(&mask, mask_addr, MIN(size, sizeof(mask))))
		return -EFAULT;
	if (tid == 0 || tid == current->tid)
		return sched_set_affinity(current, mask);
	flags = spin_lock_irqsave(&pid_lock);
	err = set_affinity(tid, mask);
	spin_unlock_irqrestore(&pid_lock, flags);
	return err;
}

static long
get_affinity(int tid, u64 *mask)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *task = find_task(tid);
	struct process *process = find_process(tid);

	if (task)
		*mask = task->affinity;
	else if (process)
		*mask = process->leader_affinity;
	spin_unlock_irqrestore(&pid_lock, flags);
	return task || process ? 0 : -ESRCH;
}

static long
sys_sched_getaffinity(int tid, size_t size, uaddr_t mask_addr)
{
	u64 mask = current->affinity;

	if (size < sizeof(mask) || size % sizeof(mask))
		return -EINVAL;
	if (tid && tid != current->tid) {
		long err = get_affinity(tid, &mask);

		if (err)
			return err;
	}
	mask &= online_cpus();
	if (copy_to_user(mask_addr, &mask, sizeof(mask)))
		return -EFAULT;
	return sizeof(mask);
}

/* ---- Memory ----------------------------------------------------------- */

static long
sys_mmap(uaddr_t addr, u64 len, unsigned prot, unsigned flags, int fd,
	 u64 offset)
{
	struct mm *mm = current->mm;

	(void)fd;
	if (!IS_ALIGNED(offset, PAGE_SIZE))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) /* files are the personality's */
		return personality_call();
	return mm_locked(mm, do_mmap(mm, addr, len, prot, flags, false));
}

static long
sys_munmap(uaddr_t addr, u64 len)
{
	struct mm *mm = current->mm;

	return mm_locked(mm, do_munmap(mm, addr, len));
}

static long
sys_mprotect(uaddr_t addr, u64 len, unsigned prot)
{
	struct mm *mm = current->mm;

	return mm_locked(mm, do_mprotect(mm, addr, len, prot));
}

static long
sys_mremap(uaddr_t addr, u64 old_len, u64 new_len, unsigned flags,
	   uaddr_t new_addr)
{
	struct mm *mm = current->mm;

	return mm_locked(mm, do_mremap(mm, addr, old_len, new_len, flags,
				       new_addr));
}

static long
sys_brk(uaddr_t brk)
{
	struct mm *mm = current->mm;

	return mm_locked(mm, do_brk(mm, brk));
}

static long
sys_madvise(uaddr_t addr, u64 len, int advice)
{
	struct mm *mm = current->mm;

	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return prefault(mm, addr, len, advice == MADV_POPULATE_WRITE);
	return mm_locked(mm, do_madvise(mm, addr, len, advice));
}

/* ---- Odds and ends ---------------------------------------------------- */

static long
sys_getrandom(uaddr_t buf, size_t len, unsigned flags)
{
	size_t done = 0;

	if (flags & ~7u)
		return -EINVAL;
	len = MIN(len, (size_t)(1 << 25) - 1); /* as Linux does */
	while (done < len) {
		u64 bits = arch_random();
		size_t part = MIN(len - done, sizeof(bits));

		if (copy_to_user(buf + done, &bits, part))
			return done ? (long)done : -EFAULT;
		done += part;
		cond_resched();
	}
	return (long)done;
}

/* ---- The table -------------------------------------------------------- */

typedef long (*syscall_t)(u64, u64, u64, u64, u64, u64);

enum { NR_LINUX_CALLS = 512 };

#define CALL(number, function) [number] = (syscall_t)(void (*)(void))(function)

static const syscall_t linux_calls[NR_LINUX_CALLS] = {
	CALL(9, sys_mmap),
	CALL(10, sys_mprotect),
	CALL(11, sys_munmap),
	CALL(12, sys_brk),
	CALL(13, sys_rt_sigaction),
	CALL(14, sys_rt_sigprocmask),
	CALL(15, sys_rt_sigreturn),
	CALL(24, sys_sched_yield),
	CALL(25, sys_mremap),
	CALL(28, sys_madvise),
	CALL(34, sys_pause),
	CALL(35, sys_nanosleep),
	CALL(39, sys_getpid),
	CALL(56, sys_clone),
	CALL(57, sys_fork),
	CALL(58, sys_vfork),
	CALL(60, sys_exit),
	CALL(61, do_wait),
	CALL(62, sys_kill),
	CALL(109, sys_setpgid),
	CALL(110, sys_getppid),
	CALL(111, sys_getpgrp),
	CALL(112, sys_setsid),
	CALL(121, sys_getpgid),
	CALL(124, sys_getsid),
	CALL(127, sys_rt_sigpending),
	CALL(128, sys_rt_sigtimedwait),
	CALL(129, sys_rt_sigqueueinfo),
	CALL(130, sys_rt_sigsuspend),
	CALL(131, sys_sigaltstack),
	CALL(158, sys_arch_prctl),
	CALL(186, sys_gettid),
	CALL(200, sys_tkill),
	CALL(202, do_futex),
	CALL(203, sys_sched_setaffinity),
	CALL(204, sys_sched_getaffinity),
	CALL(218, sys_set_tid_address),
	CALL(219, sys_restart_syscall),
	CALL(228, sys_clock_gettime),
	CALL(229, sys_clock_getres),
	CALL(230, sys_clock_nanosleep),
	CALL(231, sys_exit_group),
	CALL(234, sys_tgkill),
	CALL(247, sys_waitid),
	CALL(270, sys_pselect6),
	CALL(271, sys_ppoll),
	CALL(273, sys_set_robust_list),
	CALL(274, sys_get_robust_list),
	CALL(318, sys_getrandom),
};

static inline bool
is_message_call(u64 number)
{
	return number - LODGER_call <= LODGER_wait - LODGER_call;
}

static __noinline void
nobody_answers(struct regs *regs, u64 number)
{
	arch_irq_enable();
	regs_set_result(regs, -ENOSYS);
	end_injection(number);
}

/* Does the way back to user mode make another call of this one's result, or
 * -EINTR? What a server answers is its own affair. */
static inline bool
is_interrupted(const struct regs *regs)
{
	s64 result = regs_result(regs);

	return regs_in_syscall(regs) && !current->process->personality &&
	       result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

static __noinline void
linux_dispatch(struct regs *regs, syscall_t call, u64 number)
{
	arch_irq_enable();
	regs_set_result(regs, call(regs_arg(regs, 0), regs_arg(regs, 1),
				   regs_arg(regs, 2), regs_arg(regs, 3),
				   regs_arg(regs, 4), regs_arg(regs, 5)));
	DEBUG_ASSERT(!is_interrupted(regs) || signal_pending(current));
	end_injection(number);
}

/* Those from 0x1000 on. */
static __noinline void
lodger_dispatch(struct regs *regs, u64 number)
{
	syscall_t call = native_call(number);
	long result = -ENOSYS;

	arch_irq_enable();
	if (call)
		result = call(regs_arg(regs, 0), regs_arg(regs, 1),
			      regs_arg(regs, 2), regs_arg(regs, 3),
			      regs_arg(regs, 4), regs_arg(regs, 5));
	else if (number == TEST_CALL)
		result = test_call();
	regs_set_result(regs, result);
	end_injection(number);
}

static __noinline void
quick_dispatch(struct regs *regs)
{
	if (unlikely(!signal_dispatch(regs)))
		return lodger_dispatch(regs, LODGER_signal);
	end_injection(LODGER_signal);
}

/* Each sets its result itself: so nothing is left to do here, and no register
 * is saved on the way to it. Interrupts are off: messages begin with a lock. */
void
syscall_dispatch(struct regs *regs)
{
	u64 number = regs_syscall(regs);

	count_event(COUNT_SYSCALLS);
	if (likely(number < NR_LINUX_CALLS && linux_calls[number])) {
		linux_dispatch(regs, linux_calls[number], number);
	} else if (is_message_call(number)) {
		ipc_dispatch(regs);
	} else if (number == LODGER_signal) {
		quick_dispatch(regs);
	} else if (number >= LODGER_klog_write) {
		lodger_dispatch(regs, number);
	} else if (likely(current->process->personality)) {
		personality_dispatch(regs);
	} else {
		nobody_answers(regs, number);
	}
}
