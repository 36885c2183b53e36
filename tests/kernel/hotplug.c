/* CPUs go offline and come back under load. */
#include "kernel/abi.h"
#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/errno.h"
#include "kernel/guest.h"
#include "kernel/test.h"
#include "mm/mm.h"
#include "sched/hotplug.h"
#include "sched/kthread.h"

enum { PAIRS = 4, ROUNDS = 400, DRIFTERS = 4 };

/* ---- Threads that do not stand still ----------------------------------- */

struct pair {
	struct wait_queue queue;
	int turn; /* whose */
	atomic_t done;
};

static struct pair pairs[PAIRS];
static atomic_t running;

static int
play_turns(struct pair *pair, int me)
{
	for (int i = 0; i < ROUNDS; i++) {
		wait_event(&pair->queue, READ_ONCE(pair->turn) == me);
		WRITE_ONCE(pair->turn, !me);
		wake_up_all(&pair->queue);
	}
	atomic_dec(&running);
	return 0;
}

static int
play_first(void *pair)
{
	return play_turns(pair, 0);
}

static int
play_second(void *pair)
{
	return play_turns(pair, 1);
}

/* Sleeps here, sleeps there; with an address space now and then. */
static int
drift(void *arg)
{
	u64 state = (u64)arg;

	for (int i = 0; i < ROUNDS / 4; i++) {
		u64 mask;

		state = state * 6364136223846793005ul + 1442695040888963407ul;
		mask = (state >> 33) & online_cpus();
		if (mask)
			sched_set_affinity(current, mask);
		if (i % 4 == 0) {
			struct mm *mm = mm_alloc(current);

			ASSERT(mm);
			kthread_use_mm(mm);
			kthread_unuse_mm(mm);
			mmput(mm, REF_BUILDING, current); /* a zombie now */
		}
		set_current_state(TASK_SLEEPING);
		schedule_until(arch_time_ns() + (state >> 44));
		set_current_state(TASK_RUNNABLE);
	}
	atomic_dec(&running);
	return 0;
}

static void
start(int (*fn)(void *), void *arg)
{
	atomic_inc(&running);
	ASSERT(kthread_run(fn, arg, "churn"));
}

static void
start_all(void)
{
	for (int i = 0; i < PAIRS; i++) {
		wait_queue_init(&pairs[i].queue, "pair");
		pairs[i].turn = 0;
		start(play_first, &pairs[i]);
		start(play_second, &pairs[i]);
	}
	for (u64 i = 0; i < DRIFTERS; i++)
		start(drift, (void *)(i * 7919 + 1));
}

/* ---- Tests ------------------------------------------------------------- */

// run: cpus=2,4,8 append="invariants=5" timeout=60
KERNEL_TEST(hotplug_under_load,
	    "CPUs leave and come back, and no thread is lost")
{
	unsigned turns = 0;

	start_all();
	while (atomic_read(&running) || turns < 2 * nr_cpus) {
		unsigned id = 1 + turns++ % (nr_cpus - 1);

		EXPECT_EQ(cpu_offline(id), 0);
		EXPECT_EQ(count_bits(online_cpus()), nr_cpus - 1);
		schedule();
		EXPECT_EQ(cpu_online(id), 0);
		EXPECT_EQ(count_bits(online_cpus()), nr_cpus);
	}
}

// run: cpus=4 append="invariants=5" timeout=60
KERNEL_TEST(hotplug_all_but_one,
	    "all CPUs but the first leave, work goes on, and all come back")
{
	for (int i = 0; i < 3; i++) {
		start_all();
		for (unsigned id = nr_cpus - 1; id > 0; id--)
			EXPECT_EQ(cpu_offline(id), 0);
		EXPECT_EQ(cpu_offline(0), -EBUSY);
		EXPECT_EQ(online_cpus(), 1);
		while (atomic_read(&running))
			schedule();
		start_all();
		for (unsigned id = 1; id < nr_cpus; id++)
			EXPECT_EQ(cpu_online(id), 0);
		while (atomic_read(&running))
			schedule();
	}
	EXPECT_EQ(cpu_online(1), -EBUSY);
	EXPECT_EQ(cpu_offline(nr_cpus), -EINVAL);
}

// run: cpus=2 timeout=60
KERNEL_TEST(hotplug_not_under_a_guest,
	    "a CPU that a guest keeps stays, and one that has left gets none")
{
	sched_set_affinity(current, 1);
	EXPECT_EQ(guest_control(LODGER_GUEST_RUN, 1), 0);
	EXPECT_EQ(cpu_offline(1), -EBUSY);
	EXPECT_EQ(online_cpus(), 3);
	EXPECT_EQ(guest_control(LODGER_GUEST_LEAVE, 1), 0);
	EXPECT_EQ(cpu_offline(1), 0);
	EXPECT_EQ(guest_control(LODGER_GUEST_RUN, 1), -EINVAL);
	EXPECT_EQ(guest_control(LODGER_GUEST_LEAVE, 1), -ESRCH);
	EXPECT_EQ(cpu_online(1), 0);
	EXPECT_EQ(guest_control(LODGER_GUEST_RUN, 1), 0);
	EXPECT_EQ(guest_control(LODGER_GUEST_LEAVE, 1), 0);
}
