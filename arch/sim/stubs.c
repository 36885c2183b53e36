/* What the kernel's files call and the simulation leaves out. */
#include <stdio.h>
#include <string.h>

#include "arch/sim/sim.h"
#include "kernel/base/string.h"
#include "kernel/base/yield.h"
#include "kernel/cmdline.h"
#include "kernel/exec.h"
#include "kernel/exit.h"
#include "kernel/invariants.h"
#include "kernel/ipc/ipc.h"
#include "kernel/native.h"
#include "kernel/objects/process_object.h"
#include "kernel/personality.h"
#include "kernel/plausible.h"
#include "kernel/signal.h"
#include "kernel/symbols.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"

/* The explorer stops everywhere. */
void
yield_point(enum yield_point point)
{
	(void)point;
}

/* libc has no strscpy(). */
void
strscpy(char *dst, const char *src, size_t size)
{
	size_t n;

	if (size == 0)
		return;
	n = strnlen(src, size - 1);
	memcpy(dst, src, n);
	dst[n] = 0;
}

/* The report turns addresses into names. */
void
symbol_format_caller(char *buf, size_t size, u64 address)
{
	snprintf(buf, size, "%#lx", address);
}

bool
plausible_task(const struct task *task)
{
	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (task == cpus[id].idle)
			return true;
	return memory_is_object(task, sizeof(*task));
}

/* No thread waits on a user word here. */
long
futex_wake(uaddr_t addr, bool private, int n, u32 bitset)
{
	(void)addr, (void)private, (void)n, (void)bitset;
	return 0;
}

void
exit_robust_list(void)
{
}

/* No signal has a handler here: all that happens is that one kills. */
void
deliver_signals(struct regs *regs)
{
	(void)regs;
	sim_violation("%s has a signal to handle", current->name);
}

int
sighand_fork(struct process *child, u64 flags)
{
	(void)child, (void)flags;
	return 0;
}

int
sighand_unshare(void)
{
	return 0;
}

void
sighand_put(struct process *process)
{
	(void)process;
}

/* Nor does user mode fail. */
void
user_exception(struct regs *regs, const struct kernel_siginfo *info,
	       const char *what)
{
	(void)regs, (void)info;
	sim_violation("%s: %s", current->name, what);
}

/* Nobody sends messages here: no handle is a caller's. */
const struct object_ops reply_ops = { .type = LODGER_REPLY };

void
ipc_task_exit(void)
{
}

void
process_object_ended(struct process_object *object, int status)
{
	(void)object, (void)status;
}

void
check_ipc(void)
{
}

/* Nor asks for figures; and who execs has no other threads. */
long
stat_pinned_mm(struct mm *mm, uaddr_t buf)
{
	(void)mm, (void)buf;
	return -ENOSYS;
}

int
exec_into(struct mm *mm, const char *name, uaddr_t entry, uaddr_t sp)
{
	(void)name, (void)entry, (void)sp;
	mm_release();
	exec_mmap(mm);
	return 0;
}

/* Nor a personality. */
int
personality_inherit(struct process *child)
{
	(void)child;
	return 0;
}

void
personality_forget(struct process *child)
{
	(void)child;
}

/* Its server may refuse a child, where allocations may fail. */
int
personality_fork(const struct process *child, u64 flags)
{
	(void)child, (void)flags;
	return sim_should_fail("the server refuses the child?") ? -ENOMEM : 0;
}

struct endpoint *
personality_end(struct process *process)
{
	(void)process;
	return NULL;
}

void
personality_put(struct endpoint *endpoint)
{
	(void)endpoint;
}

void
check_signals(void)
{
}

/* Of invariants_start(), which nobody calls. */
u64
cmdline_u64(const char *name, u64 fallback)
{
	(void)name;
	return fallback;
}

/* ---- Of kernel/workers.c ------------------------------------------------------ */

/* Memory here comes from arrays: there are no lists of each CPU, and no pool of
 * frames that are zero already. */
void
drain_local_pages(void)
{
}

void
slab_drain_local(void)
{
}

void
slab_shrink(void)
{
}

void
kstack_drain_local(void)
{
}

void
zero_pool_drain(void)
{
}

bool
zero_pool_low(void)
{
	return false;
}

bool
zero_pool_refill(void)
{
	return false;
}

/* The answer of quiesce(), which no scenario asks for. */
u64
nr_free_pages(void)
{
	return 0;
}
