/*
 * Tasks and their stacks. This file is instrumented like the kernel's own,
 * since it stores what other CPUs look at.
 */
#include "arch/sim/arch_switch.h"
#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "mm/kstack.h"

void (*sim_user_body)(void);
void (*sim_on_switch)(struct task *prev, struct task *next);

/* First on a new task's stack. */
static void
task_entry(void *arg)
{
	struct task *me = arg;

	task_first_run(sim_cpu()->came_from);
	if (me->arch.fn)
		me->arch.fn(me->arch.arg);
	if (!sim_user_body)
		panic("%s has nothing to do in user mode", me->name);
	sim_user_body();
	panic("%s's life in user mode returned", me->name);
}

void
arch_task_init(struct task *task, void (*fn)(void *), void *arg,
	       const struct regs *from)
{
	(void)from;
	task->arch.fn = fn;
	task->arch.arg = arg;
	task->arch.on_stack = false;
	task->arch.sp = coro_make((void *)task->stack, KSTACK_SIZE, task_entry,
				  task);
}

struct task *
arch_switch_to(struct task *prev, struct task *next)
{
	struct sim_cpu *cpu = sim_cpu();

	ASSERT(!arch_irqs_on() && !cpu->in_interrupt);
	if (next->arch.on_stack)
		panic("%s is switched to while its stack is in use",
		      next->name);
	if (sim_on_switch)
		sim_on_switch(prev, next);
	WRITE_ONCE(this_cpu()->curr, next);
	cpu->came_from = prev;
	next->arch.on_stack = true;
	prev->arch.on_stack = false;
	coro_switch(&prev->arch.sp, next->arch.sp);
	return sim_cpu()->came_from;
}

/* ---- What is not simulated --------------------------------------------------- */

int
arch_task_copy(struct task *child)
{
	(void)child;
	return 0;
}

int
arch_task_make_user(struct task *task)
{
	(void)task;
	return 0;
}

void
arch_task_free(struct task *task)
{
	(void)task;
}

struct regs *
task_regs(struct task *task)
{
	return &task->arch.regs;
}

void
regs_set_result(struct regs *regs, s64 result)
{
	(void)regs, (void)result;
}

void
regs_set_sp(struct regs *regs, uaddr_t sp)
{
	(void)regs, (void)sp;
}

bool
regs_from_user(const struct regs *regs)
{
	(void)regs;
	return true;
}

int
arch_set_fs_base(struct task *task, u64 base)
{
	(void)task, (void)base;
	return 0;
}
