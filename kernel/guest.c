/*
 * Guests are kernel threads that do nothing but stay: they keep what their CPU
 * had loaded. Rendezvous stop a task at a known point. Both spin in kernel
 * mode, outside every transition, and wait whenever the world stops.
 */
#include "kernel/guest.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/hold.h"
#include "kernel/workers.h"
#include "sched/hotplug.h"
#include "sched/kthread.h"
#include "sched/world.h"

/* ---- Guests ----------------------------------------------------------- */

struct guest {
	struct task *thread; /* NULL: none; under guest_lock */
	struct completion spins;
};

static struct guest guests[MAX_CPUS];
static struct mutex guest_lock;
static bool no_more; /* the run ends */

void
guest_init(void)
{
	mutex_init(&guest_lock, "guests");
}

static int
guest_main(void *arg)
{
	struct guest *guest = arg;

	complete(&guest->spins);
	while (!kthread_should_stop()) {
		world_meet();
		arch_cpu_relax();
	}
	return 0;
}

static int
make_guest(struct guest *guest, unsigned cpu)
{
	struct task *thread = create_worker(guest_main, guest, "lodger");

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	thread->prio = 0;
	kthread_bind(thread, cpu);
	guest->thread = thread;
	return 0;
}

static long
guest_run(struct guest *guest, unsigned cpu)
{
	int err;

	if (guest->thread)
		return -EBUSY;
	err = cpu_keep_online(cpu);
	if (err)
		return err;
	err = make_guest(guest, cpu);
	if (err) {
		cpu_release(cpu);
		return err;
	}
	completion_init(&guest->spins);
	wake_up_new_task(guest->thread);
	/* Asleep, not yielding: an idle CPU takes over what waits elsewhere. */
	wait_for_completion(&guest->spins);
	return 0;
}

static long
guest_leave(struct guest *guest, unsigned cpu)
{
	if (!guest->thread)
		return -ESRCH;
	unname_kthread(guest->thread);
	kthread_stop(guest->thread);
	guest->thread = NULL;
	cpu_release(cpu);
	return 0;
}

long
guest_control(int op, unsigned cpu)
{
	long err = -EINVAL;

	if (cpu >= nr_cpus)
		return -EINVAL;
	mutex_lock(&guest_lock);
	if (op == LODGER_GUEST_RUN && cpu != this_cpu()->id && !no_more)
		err = guest_run(&guests[cpu], cpu);
	else if (op == LODGER_GUEST_LEAVE)
		err = guest_leave(&guests[cpu], cpu);
	mutex_unlock(&guest_lock);
	return err;
}

/* ---- Rendezvous ------------------------------------------------------- */

static atomic_t armed[MAX_CPUS]; /* enum lodger_hold_point */
static atomic_t held[MAX_CPUS];

void
hold_point(enum lodger_hold_point point)
{
	unsigned cpu = this_cpu()->id;
	int expected = point;

	if (likely(atomic_read(&armed[cpu]) != (int)point))
		return;
	ASSERT(arch_irqs_on() && current->transition == 0);
	atomic_set(&held[cpu], point);
	if (!atomic_cmpxchg(&armed[cpu], &expected, LODGER_HOLD_NONE))
		atomic_set(&held[cpu], LODGER_HOLD_NONE);
	while (atomic_read(&held[cpu]) == (int)point) {
		world_meet();
		arch_cpu_relax();
	}
}

long
hold_control(unsigned cpu, int point)
{
	if (cpu >= nr_cpus || cpu == this_cpu()->id)
		return -EINVAL;
	if (point < 0 || point >= LODGER_NR_HOLD_POINTS)
		return -EINVAL;
	if (READ_ONCE(no_more))
		return -EINVAL;
	atomic_set(&armed[cpu], point);
	atomic_set(&held[cpu], LODGER_HOLD_NONE);
	return 0;
}

unsigned
held_at(unsigned cpu)
{
	return (unsigned)atomic_read(&held[cpu]);
}

bool
guests_about(void)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		if (guests[cpu].thread || held_at(cpu))
			return true;
	}
	return false;
}

void
guests_end(void)
{
	WRITE_ONCE(no_more, true);
	/* First, since a guest may be waiting behind a held task, and whoever
	 * called it in has the lock. */
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		atomic_set(&armed[cpu], LODGER_HOLD_NONE);
		atomic_set(&held[cpu], LODGER_HOLD_NONE);
	}
	mutex_lock(&guest_lock);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		guest_leave(&guests[cpu], cpu);
	mutex_unlock(&guest_lock);
}
