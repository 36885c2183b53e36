/* Tasks: their memory, the list of all of them, and the reaper. */
#include "sched/task.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "sched/kthread.h"
#include "sched/reaper.h"

static struct kmem_cache *task_cache;

static struct spinlock task_list_lock = SPINLOCK_INIT("tasks", RANK_MMLIST);
static struct list task_list = LIST_INIT(task_list);
static unsigned task_list_length;

/* ---- Memory ----------------------------------------------------------- */

void
task_cache_init(void)
{
	task_cache = kmem_cache_create("task", sizeof(struct task), 64, NULL);
}

void
task_init(struct task *task, const char *name)
{
	irq_flags_t flags;

	memset(task, 0, sizeof(*task));
	strscpy(task->name, name, sizeof(task->name));
	task->state = TASK_NEW;
	task->prio = DEFAULT_PRIORITY;
	task->affinity = ~0ul;
	list_init(&task->run_link);
	list_init(&task->sleep_link);
	list_init(&task->thread_link);
	list_init(&task->pending.queue);

	flags = spin_lock_irqsave(&task_list_lock);
	list_add_tail(&task_list, &task->all_link);
	task_list_length++;
	spin_unlock_irqrestore(&task_list_lock, flags);
}

struct task *
task_alloc(const char *name)
{
	struct task *task = kmem_cache_alloc(task_cache);

	if (!task)
		return NULL;
	task_init(task, name);
	task->stack = kstack_alloc();
	if (!task->stack) {
		task_free(task);
		return NULL;
	}
	return task;
}

void
task_free(struct task *task)
{
	irq_flags_t flags;

	ASSERT(!task->mm && !task->active_mm);
	ASSERT(!task->on_cpu && !task->on_rq);
	flags = spin_lock_irqsave(&task_list_lock);
	list_del(&task->all_link);
	task_list_length--;
	spin_unlock_irqrestore(&task_list_lock, flags);

	arch_task_free(task);
	if (task->stack)
		kstack_free(task->stack);
	kmem_cache_free(task_cache, task);
}

/* ---- All of them ------------------------------------------------------ */

void
task_for_each(bool (*fn)(struct task *task, void *arg), void *arg)
{
	irq_flags_t flags = spin_lock_irqsave(&task_list_lock);
	struct task *task;

	list_for_each(task, &task_list, all_link) {
		if (!fn(task, arg))
			break;
	}
	spin_unlock_irqrestore(&task_list_lock, flags);
}

unsigned
nr_tasks(void)
{
	return READ_ONCE(task_list_length);
}

/* ---- The reaper ------------------------------------------------------- */

/*
 * A task cannot free the stack it runs on, and the finish step that leaves it
 * behind must be short. So the dead wait here for a thread of their own.
 */
static struct spinlock dead_lock = SPINLOCK_INIT("dead", RANK_TASK);
static struct list dead = LIST_INIT(dead); /* by run_link */
static struct list left = LIST_INIT(left); /* struct mm, by reap_link */
static struct task *reaper;
static atomic_t unreaped; /* added, not freed yet */

/* How many tasks have begun to end, and how many of them are freed; both may
 * wrap around. */
static atomic_t expected, reaped;
static struct wait_queue reaped_some;

void
reaper_add(struct task *task)
{
	irq_flags_t flags = spin_lock_irqsave(&dead_lock);

	list_add_tail(&dead, &task->run_link);
	spin_unlock_irqrestore(&dead_lock, flags);
	atomic_inc(&unreaped);
	if (reaper)
		wake_up_task(reaper);
}

/* A reference of its own keeps @mm on the list: nobody else's is the last one
 * meanwhile, so it is there only once. */
void
mmput_by_reaper(struct mm *mm, const void *holder)
{
	irq_flags_t flags;

	if (mmput_unless_last(mm, holder))
		return;
	ledger_move(mm, REF_GET, holder, REF_GET, reaper, CALLER);
	flags = spin_lock_irqsave(&dead_lock);
	list_add_tail(&left, &mm->reap_link);
	spin_unlock_irqrestore(&dead_lock, flags);
	atomic_inc(&unreaped);
	wake_up_task(reaper);
}

/* The first of @work off the list; NULL: there is none. dead_lock held. */
static inline struct list *
take_first(struct list *work)
{
	struct list *first = work->next;

	if (first == work)
		return NULL;
	list_del(first);
	return first;
}

/* One dead task and one mm that was left, where there are any. */
static void
take_work(struct list **task, struct list **mm)
{
	irq_flags_t flags = spin_lock_irqsave(&dead_lock);

	*task = take_first(&dead);
	*mm = take_first(&left);
	spin_unlock_irqrestore(&dead_lock, flags);
}

static void
reap(struct task *task)
{
	task_free(task);
	if (kstack_cache_full())
		kstack_drain();
	atomic_inc(&reaped);
	wake_up_all(&reaped_some);
	atomic_dec(&unreaped);
}

static int
reaper_main(void *unused)
{
	(void)unused;
	for (;;) {
		struct list *task, *mm;

		set_current_state(TASK_SLEEPING);
		take_work(&task, &mm);
		if (!task && !mm) {
			schedule();
			continue;
		}
		set_current_state(TASK_RUNNABLE);
		if (task)
			reap(list_entry(task, struct task, run_link));
		if (mm) {
			mmput(list_entry(mm, struct mm, reap_link), REF_GET,
			      reaper);
			atomic_dec(&unreaped);
		}
		cond_resched();
	}
	return 0;
}

bool
reaper_idle(void)
{
	return atomic_read(&unreaped) == 0;
}

void
reaper_expect(void)
{
	atomic_inc(&expected);
}

static bool
has_reaped(int total)
{
	return (int)((unsigned)atomic_read(&reaped) - (unsigned)total) >= 0;
}

bool
wait_for_reaper(void)
{
	int total = atomic_read(&expected);

	if (has_reaped(total))
		return false;
	return wait_event_killable(&reaped_some, has_reaped(total));
}

struct task *
reaper_start(void)
{
	wait_queue_init(&reaped_some, "reaped");
	reaper = kthread_create(reaper_main, NULL, "reaper");
	if (!reaper)
		panic("no memory for the reaper: boot with more memory");
	reaper->prio = DEFAULT_PRIORITY / 2;
	wake_up_new_task(reaper);
	return reaper;
}
