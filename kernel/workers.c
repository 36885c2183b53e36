/*
 * The kernel threads that do real work. None of them has an address space:
 * they borrow what their CPU had loaded, and the prefaulter adopts.
 */
#include "kernel/workers.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/hold.h"
#include "kernel/process.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "sched/kthread.h"
#include "sched/reaper.h"

int
name_kthread(struct task *task)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	tid_t tid = alloc_tid();

	if (tid > 0) {
		task->tid = tid;
		hash_task(task);
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	return tid < 0 ? tid : 0;
}

void
unname_kthread(struct task *task)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	unhash_task(task);
	spin_unlock_irqrestore(&pid_lock, flags);
}

struct task *
start_worker(int (*fn)(void *), const char *name, unsigned prio)
{
	struct task *task = kthread_create(fn, NULL, name);

	if (!task || name_kthread(task))
		panic("no memory for the kernel thread %s: boot with more "
		      "memory (MEM=)", name);
	task->prio = (u8)prio;
	wake_up_new_task(task);
	return task;
}

/* ---- The zeroer ------------------------------------------------------- */

enum { ZEROER_PERIOD_NS = 20000000 };

/* At the lowest priority: zeroes frames when there is nothing else to do, so
 * that a page fault need not. */
static int
zeroer_main(void *unused)
{
	(void)unused;
	for (;;) {
		while (zero_pool_low() && zero_pool_refill())
			cond_resched();
		set_current_state(TASK_SLEEPING);
		schedule_until(arch_time_ns() + ZEROER_PERIOD_NS);
		set_current_state(TASK_RUNNABLE);
	}
	return 0;
}

/* ---- The prefaulter --------------------------------------------------- */

struct prefault_request {
	struct mm *mm;
	uaddr_t addr;
	u64 len;
	bool write;
	long result;
	struct completion done;
	struct list link;
};

static struct spinlock prefault_lock = SPINLOCK_INIT("prefault", RANK_TASK);
static struct list prefault_queue = LIST_INIT(prefault_queue);
static struct task *prefaulter;

/* Adopts the address space for as long as it works in it. users was taken in
 * its name by prefault(), and covers the whole window: adoption itself only
 * keeps the struct. */
static void
serve(struct prefault_request *request)
{
	struct mm *mm = request->mm;

	kthread_use_mm(mm);
	hold_point(LODGER_HOLD_ADOPTED);
	mutex_lock(&mm->lock);
	request->result = regions_populate(mm, request->addr, request->len,
					   request->write);
	mutex_unlock(&mm->lock);
	kthread_unuse_mm(mm);
	mmput(mm, REF_GET, current);
	complete(&request->done);
}

static struct prefault_request *
take_request(void)
{
	irq_flags_t flags = spin_lock_irqsave(&prefault_lock);
	struct prefault_request *request = NULL;

	if (!list_empty(&prefault_queue)) {
		request = list_first(&prefault_queue, struct prefault_request,
				     link);
		list_del(&request->link);
	}
	spin_unlock_irqrestore(&prefault_lock, flags);
	return request;
}

static int
prefaulter_main(void *unused)
{
	(void)unused;
	for (;;) {
		struct prefault_request *request;

		set_current_state(TASK_SLEEPING);
		request = take_request();
		if (!request) {
			schedule();
			continue;
		}
		set_current_state(TASK_RUNNABLE);
		serve(request);
	}
	return 0;
}

long
prefault(struct mm *mm, uaddr_t addr, u64 len, bool write)
{
	struct prefault_request request = {
		.mm = mm, .addr = addr, .len = len, .write = write,
	};
	irq_flags_t flags;

	ASSERT(mm == current->mm);
	completion_init(&request.done);
	mmget(mm, REF_GET, prefaulter);
	flags = spin_lock_irqsave(&prefault_lock);
	list_add_tail(&prefault_queue, &request.link);
	spin_unlock_irqrestore(&prefault_lock, flags);
	wake_up_task(prefaulter);
	wait_for_completion(&request.done);
	return request.result;
}

/* ---- Ping ------------------------------------------------------------- */

struct pinger {
	struct mutex lock;	/* one caller at a time */
	struct task *thread;
	struct task *caller;	/* NULL: nobody asks, and the last one may go */
	bool answered;
};

static struct pinger pingers[MAX_CPUS];

static int
pinger_main(void *arg)
{
	struct pinger *pinger = arg;

	for (;;) {
		struct task *caller;

		set_current_state(TASK_SLEEPING);
		caller = load_acquire(&pinger->caller);
		if (!caller) {
			schedule();
			continue;
		}
		set_current_state(TASK_RUNNABLE);
		WRITE_ONCE(pinger->answered, true);
		wake_up_task(caller);
		store_release(&pinger->caller, NULL);
	}
	return 0;
}

static int
make_pinger(struct pinger *pinger, unsigned cpu)
{
	struct task *thread = kthread_create(pinger_main, pinger, "pinger");
	int err;

	if (!thread)
		return -ENOMEM;
	err = name_kthread(thread);
	if (err) {
		task_free(thread);
		return err;
	}
	kthread_bind(thread, cpu);
	pinger->thread = thread;
	wake_up_new_task(thread);
	return 0;
}

/* Asleep before the thread can find us, which may be awake on another CPU, and
 * before each look: an answer in between makes us runnable again. */
static void
ping(struct pinger *pinger)
{
	pinger->answered = false;
	set_current_state(TASK_SLEEPING);
	store_release(&pinger->caller, current);
	wake_up_task(pinger->thread);
	do {
		schedule();
		set_current_state(TASK_SLEEPING);
	} while (!READ_ONCE(pinger->answered));
	set_current_state(TASK_RUNNABLE);
	/* A signal may have woken us, on another CPU: until the pinger is done
	 * with this task, it must not end. */
	while (load_acquire(&pinger->caller))
		arch_cpu_relax();
}

long
kthread_ping(void)
{
	unsigned cpu = this_cpu()->id;
	struct pinger *pinger = &pingers[cpu];
	long err = 0;

	mutex_lock(&pinger->lock);
	if (!pinger->thread)
		err = make_pinger(pinger, cpu);
	if (!err)
		ping(pinger);
	mutex_unlock(&pinger->lock);
	return err;
}

/* ---- Bringing the system to rest -------------------------------------- */

static struct mutex quiesce_lock; /* one at a time */
static struct task *quiescer;
static struct completion *quiesce_done;

/* Visits CPU @id: what is borrowed there goes back, what is cached too. */
static void
quiesce_cpu(unsigned id)
{
	if (sched_set_affinity(current, 1ul << id))
		return; /* offline */
	return_borrow();
	drain_local_pages();
	slab_drain_local();
	kstack_drain_local();
}

static void
quiesce_all(void)
{
	while (!reaper_idle())
		schedule();
	for (unsigned id = 0; id < nr_cpus; id++)
		quiesce_cpu(id);
	kstack_drain();
	zero_pool_drain();
	slab_shrink();
	/* The shrinking and draining went through per-CPU lists again. */
	for (unsigned id = 0; id < nr_cpus; id++)
		quiesce_cpu(id);
	sched_set_affinity(current, ~0ul);
}

static int
quiescer_main(void *unused)
{
	(void)unused;
	for (;;) {
		struct completion *done;

		set_current_state(TASK_SLEEPING);
		done = load_acquire(&quiesce_done);
		if (!done) {
			schedule();
			continue;
		}
		set_current_state(TASK_RUNNABLE);
		quiesce_all();
		store_release(&quiesce_done, NULL);
		complete(done);
	}
	return 0;
}

void
quiesce(void)
{
	struct completion done;

	completion_init(&done);
	mutex_lock(&quiesce_lock);
	store_release(&quiesce_done, &done);
	wake_up_task(quiescer);
	wait_for_completion(&done);
	mutex_unlock(&quiesce_lock);
}

/* ---- Start ------------------------------------------------------------ */

void
workers_start(void)
{
	mutex_init(&quiesce_lock, "quiesce");
	for (unsigned id = 0; id < MAX_CPUS; id++)
		mutex_init(&pingers[id].lock, "pinger");
	if (name_kthread(reaper_start()))
		panic("no id for the reaper");
	start_worker(zeroer_main, "zeroer", NR_PRIORITIES - 2);
	prefaulter = start_worker(prefaulter_main, "prefaulter",
				  DEFAULT_PRIORITY);
	quiescer = start_worker(quiescer_main, "quiescer", DEFAULT_PRIORITY);
}
