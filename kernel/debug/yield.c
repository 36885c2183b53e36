/* Rendezvous and seeded pauses. See kernel/base/yield.h. */
#include "kernel/base/yield.h"

#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"

enum { PAUSE_ODDS = 8, MAX_PAUSES = 32 };

static bool active; /* anything to do at all? */

static atomic_t armed[MAX_CPUS]; /* enum yield_point */
static atomic_t held[MAX_CPUS];

static u64 seed;
static u64 random[MAX_CPUS]; /* each CPU's own sequence */

void
yield_init(u64 new_seed)
{
	seed = new_seed;
	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
		random[cpu] = (seed + cpu) * 0x9e3779b97f4a7c15ul;
	if (seed)
		WRITE_ONCE(active, true);
}

u64
yield_seed(void)
{
	return seed;
}

/* Marsaglia's xorshift; never 0. */
static u64
next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
pause_perhaps(unsigned cpu)
{
	u64 number = next_random(&random[cpu]);

	if (number % PAUSE_ODDS)
		return;
	for (u64 n = (number >> 32) % MAX_PAUSES + 1; n > 0; n--)
		arch_cpu_relax();
}

static void
meet(unsigned cpu, enum yield_point point)
{
	atomic_set(&held[cpu], point);
	atomic_set(&armed[cpu], YIELD_NONE);
	while (atomic_read(&held[cpu]))
		arch_cpu_relax();
}

void
yield_point(enum yield_point point)
{
	unsigned cpu;

	if (likely(!READ_ONCE(active)))
		return;
	cpu = this_cpu()->id;
	if (seed)
		pause_perhaps(cpu);
	if (atomic_read(&armed[cpu]) == (int)point)
		meet(cpu, point);
}

void
yield_arm(unsigned cpu, enum yield_point point)
{
	ASSERT(!yield_held(cpu));
	atomic_set(&armed[cpu], point);
	WRITE_ONCE(active, true);
}

bool
yield_held(unsigned cpu)
{
	return atomic_read(&held[cpu]) != YIELD_NONE;
}

void
yield_release(unsigned cpu)
{
	atomic_set(&armed[cpu], YIELD_NONE);
	atomic_set(&held[cpu], YIELD_NONE);
}
