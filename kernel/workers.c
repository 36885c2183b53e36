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

static int
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
create_worker(int (*fn)(void *), void *arg, const char *name)
{
	struct task *task = kthread_create(fn, arg, name);
	int err;

	if (!task)
		return ERR_PTR(-ENOMEM);
	err = name_kthread(task);
	if (!err)
		return task;
	task_free(task);
	return ERR_PTR(err);
}

struct task *
start_worker(int (*fn)(void *), const char *name, unsigned prio)
{
	struct task *task = create_worker(fn, NULL, name);

	if (IS_ERR(task))
		panic("no memory for the kernel thread %s: boot with more "
		      "memory (MEM=)", name);
	task->prio = (u8)prio;
	wake_up_new_task(task);
	return task;
}

/* ---- The zeroer ------------------------------------------------------- */

enum { ZEROER_PERIOD_NS = 20000000 };

/* Held while the zeroer has a frame in its hands, which nobody counts then. */
static struct mutex zeroing;

static bool
zero_one(void)
{
	bool more;

	mutex_lock(&zeroing);
	more = zero_pool_refill();
	mutex_unlock(&zeroing);
	return more;
}

/* At the lowest priority: zeroes frames when there is nothing else to do, so
 * that a page fault need not. */
static int
zeroer_main(void *unused)
{
	(void)unused;
	for (;;) {
		while (zero_pool_low() && zero_one())
			cond_resched();
		sleep_ns(ZEROER_PERIOD_NS);
	}
	return 0;
}

/* ---- The prefaulter --------------------------------------------------- */

enum { PREFAULT_BYTES = 2 << 20 }; /* at once: mm->lock is held meanwhile */

struct prefault_request {
	struct mm *mm;
	uaddr_t addr;
	u64 len;
	bool write;
	long result;
	/* Under prefault_lock. Of the caller and the prefaulter, the second one
	 * to be done with it frees it. */
	bool queued, finished, abandoned;
	struct list link;
};

static struct spinlock prefault_lock = SPINLOCK_INIT("prefault", RANK_TASK);
static struct list prefault_queue = LIST_INIT(prefault_queue);
static struct wait_queue prefault_finished;
static atomic_t prefaults; /* requests there are */
static struct task *prefaulter;

static long
populate(const struct prefault_request *request)
{
	struct mm *mm = request->mm;
	u64 done = 0;
	long err;

	do {
		u64 part = MIN(request->len - done, (u64)PREFAULT_BYTES);

		err = mm_locked(mm, regions_populate(mm, request->addr + done,
						     part, request->write));
		done += part;
	} while (!err && done < request->len &&
		 !READ_ONCE(request->abandoned));
	return err;
}

/* Adopts the address space for as long as it works in it. users was taken in
 * its name by prefault(), and covers the whole window: adoption itself only
 * keeps the struct. */
static void
serve(struct prefault_request *request)
{
	struct mm *mm = request->mm;

	kthread_use_mm(mm);
	hold_point(LODGER_HOLD_ADOPTED);
	request->result = populate(request);
	kthread_unuse_mm(mm);
	hold_point(LODGER_HOLD_UNUSED);
	mmput(mm, REF_GET, current);
}

static void
free_request(struct prefault_request *request)
{
	kfree(request);
	atomic_dec(&prefaults);
}

static void
finish_request(struct prefault_request *request)
{
	irq_flags_t flags = spin_lock_irqsave(&prefault_lock);
	bool abandoned = request->abandoned;

	WRITE_ONCE(request->finished, true);
	spin_unlock_irqrestore(&prefault_lock, flags);
	if (abandoned)
		free_request(request);
	else
		wake_up_all(&prefault_finished);
}

static void
add_request(struct prefault_request *request)
{
	irq_flags_t flags = spin_lock_irqsave(&prefault_lock);

	request->queued = true;
	list_add_tail(&prefault_queue, &request->link);
	spin_unlock_irqrestore(&prefault_lock, flags);
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
		request->queued = false;
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
		finish_request(request);
	}
	return 0;
}

/* The caller goes, whether it is finished or not. */
static long
leave_request(struct prefault_request *request)
{
	irq_flags_t flags = spin_lock_irqsave(&prefault_lock);
	bool queued = request->queued;
	bool finished = request->finished;
	long result = finished ? request->result : -EINTR;

	if (queued)
		list_del(&request->link);
	else if (!finished)
		WRITE_ONCE(request->abandoned, true);
	spin_unlock_irqrestore(&prefault_lock, flags);
	if (queued)
		mmput(request->mm, REF_GET, prefaulter);
	if (queued || finished)
		free_request(request);
	return result;
}

long
prefault(struct mm *mm, uaddr_t addr, u64 len, bool write)
{
	struct prefault_request *request = kmalloc(sizeof(*request));

	ASSERT(mm == current->mm);
	if (!request)
		return -ENOMEM;
	*request = (struct prefault_request){
		.mm = mm, .addr = addr, .len = len, .write = write,
	};
	mmget(mm, REF_GET, prefaulter);
	atomic_inc(&prefaults);
	add_request(request);
	wake_up_task(prefaulter);
	wait_event_killable(&prefault_finished, READ_ONCE(request->finished));
	return leave_request(request);
}

/* ---- Ping ------------------------------------------------------------- */

struct pinger {
	struct mutex mutex;	/* one caller at a time */
	struct task *thread;
	struct spinlock lock;	/* keeps the caller while it is being woken */
	struct task *caller;	/* NULL: nobody asks, or it was answered */
};

static struct pinger pingers[MAX_CPUS];

/* Afterwards the thread has nothing to do with the caller any more. */
static void
forget_caller(struct pinger *pinger)
{
	irq_flags_t flags = spin_lock_irqsave(&pinger->lock);

	WRITE_ONCE(pinger->caller, NULL);
	spin_unlock_irqrestore(&pinger->lock, flags);
}

static void
answer(struct pinger *pinger)
{
	irq_flags_t flags = spin_lock_irqsave(&pinger->lock);
	struct task *caller = pinger->caller;

	WRITE_ONCE(pinger->caller, NULL);
	if (caller)
		wake_up_task(caller);
	spin_unlock_irqrestore(&pinger->lock, flags);
}

static int
pinger_main(void *arg)
{
	struct pinger *pinger = arg;

	for (;;) {
		set_current_state(TASK_SLEEPING);
		if (READ_ONCE(pinger->caller))
			answer(pinger);
		else
			schedule();
	}
	return 0;
}

static int
make_pinger(struct pinger *pinger, unsigned cpu)
{
	struct task *thread = create_worker(pinger_main, pinger, "pinger");

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	kthread_bind(thread, cpu);
	pinger->thread = thread;
	wake_up_new_task(thread);
	return 0;
}

/* Asleep before each look: an answer in between makes us runnable again. */
static long
ping(struct pinger *pinger)
{
	WRITE_ONCE(pinger->caller, current); /* forgotten by the last one */
	wake_up_task(pinger->thread);
	set_current_state(TASK_SLEEPING);
	while (READ_ONCE(pinger->caller) && !READ_ONCE(current->kill_signal)) {
		schedule();
		set_current_state(TASK_SLEEPING);
	}
	set_current_state(TASK_RUNNABLE);
	/* Killed, or the thread may not be done with us yet. */
	forget_caller(pinger);
	return READ_ONCE(current->kill_signal) ? -EINTR : 0;
}

long
kthread_ping(void)
{
	unsigned cpu = this_cpu()->id;
	struct pinger *pinger = &pingers[cpu];
	long err = mutex_lock_killable(&pinger->mutex);

	if (err)
		return err;
	if (!pinger->thread)
		err = make_pinger(pinger, cpu);
	if (!err)
		err = ping(pinger);
	mutex_unlock(&pinger->mutex);
	return err;
}

/* ---- Bringing the system to rest -------------------------------------- */

enum { LOOK_NS = 100000 };

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
	while (!reaper_idle() || atomic_read(&prefaults))
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

u64
quiesce(void)
{
	struct completion done;
	u64 free;

	/* init itself is not collecting when it asks; a caller that comes
	 * before it must let it run. */
	while (current->process != init_process && orphans_to_collect())
		sleep_ns(LOOK_NS);
	completion_init(&done);
	mutex_lock(&quiesce_lock);
	store_release(&quiesce_done, &done);
	wake_up_task(quiescer);
	wait_for_completion(&done);
	mutex_lock(&zeroing);
	free = nr_free_pages();
	mutex_unlock(&zeroing);
	mutex_unlock(&quiesce_lock);
	return free;
}

/* ---- Start ------------------------------------------------------------ */

void
workers_start(void)
{
	mutex_init(&quiesce_lock, "quiesce");
	mutex_init(&zeroing, "zeroing");
	wait_queue_init(&prefault_finished, "prefault");
	for (unsigned id = 0; id < MAX_CPUS; id++) {
		mutex_init(&pingers[id].mutex, "pinger");
		spin_init(&pingers[id].lock, "pinger", RANK_TASK);
	}
	if (name_kthread(reaper_start()))
		panic("no id for the reaper");
	start_worker(zeroer_main, "zeroer", NR_PRIORITIES - 2);
	prefaulter = start_worker(prefaulter_main, "prefaulter",
				  DEFAULT_PRIORITY);
	quiescer = start_worker(quiescer_main, "quiescer", DEFAULT_PRIORITY);
}
