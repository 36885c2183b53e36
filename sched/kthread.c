/* Kernel threads. See sched/kthread.h. */
#include "sched/kthread.h"

#include "kernel/base/assert.h"
#include "mm/mm.h"
#include "sched/reaper.h"

/* Leaves for good. The stack is in use until the switch is over; whoever runs
 * next hands this task to the reaper. */
void
task_exit(void)
{
	ASSERT(!current->mm);
	set_current_state(TASK_DEAD);
	schedule();
	panic("a dead task runs");
}

static void
kthread_main(void *task)
{
	struct task *me = task;
	int result = me->kthread_fn(me->kthread_arg);

	if (me->mm)
		panic("kernel thread %s ends while it has adopted mm %lu",
		      me->name, me->mm->id);
	reaper_expect();
	if (load_acquire(&me->kthread_end)) {
		me->kthread_end->result = result;
		complete(&me->kthread_end->done);
	}
	task_exit();
}

struct task *
kthread_create(int (*fn)(void *), void *arg, const char *name)
{
	struct task *task = task_alloc(name);

	if (!task)
		return NULL;
	task->is_kthread = true;
	task->kthread_fn = fn;
	task->kthread_arg = arg;
	arch_task_init(task, kthread_main, task, NULL);
	return task;
}

struct task *
kthread_run(int (*fn)(void *), void *arg, const char *name)
{
	struct task *task = kthread_create(fn, arg, name);

	if (task)
		wake_up_new_task(task);
	return task;
}

void
kthread_bind(struct task *task, unsigned cpu)
{
	ASSERT(task->state == TASK_NEW);
	task->affinity = 1ul << cpu;
	task->bound = true;
}

bool
kthread_should_stop(void)
{
	return READ_ONCE(current->kthread_stopping);
}

/* The lock keeps @task from ending while we still wake it: it may have seen
 * kthread_stopping already, but must complete() first. */
int
kthread_stop(struct task *task)
{
	struct kthread_end end = { .result = 0 };
	irq_flags_t flags;

	completion_init(&end.done);
	flags = spin_lock_irqsave(&end.done.queue.lock);
	store_release(&task->kthread_end, &end);
	store_release(&task->kthread_stopping, true);
	wake_up_task(task);
	spin_unlock_irqrestore(&end.done.queue.lock, flags);
	wait_for_completion(&end.done);
	return end.result;
}
