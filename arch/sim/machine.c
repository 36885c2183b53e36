/*
 * The simulated machine as a world of the explorer: which agent runs, on which
 * CPU. See machine.h.
 */
#include <stdio.h>

#include "arch/sim/sim.h"
#include "kernel/base/assert.h"

SIM_STATE struct sim_cpu sim_cpus[SIM_MAX_CPUS];
unsigned sim_nr_cpus;

/* Where each agent goes on; a CPU's, where the task that runs on it does. */
static SIM_STATE u64 agent_sp[MAX_AGENTS];
static u64 outer_sp;		/* who called sim_run() */
static unsigned running_agent;
static unsigned running_cpu;

static bool explored;		/* set-up is over */

/* ---- Who runs --------------------------------------------------------------- */

unsigned
sim_cpu_id(void)
{
	return running_cpu;
}

struct sim_cpu *
sim_cpu(void)
{
	return &sim_cpus[running_cpu];
}

struct cpu *
this_cpu(void)
{
	return &cpus[running_cpu];
}

struct task *
arch_current(void)
{
	return cpus[running_cpu].curr;
}

bool
sim_explored(void)
{
	return explored;
}

unsigned
sim_become(unsigned id)
{
	unsigned before = running_cpu;

	ASSERT(!explored || explore_quiet);
	running_cpu = id;
	return before;
}

void
sim_explore(void)
{
	explored = true;
}

void
sim_make_agent(unsigned agent, void *base, size_t size, void (*fn)(void *),
	       void *arg)
{
	agent_sp[agent] = coro_make(base, size, fn, arg);
}

u64
sim_agent_sp(unsigned agent)
{
	return agent_sp[agent];
}

void
sim_run(unsigned agent)
{
	running_agent = agent;
	running_cpu = agent % sim_nr_cpus;
	coro_switch(&outer_sp, agent_sp[agent]);
}

void
sim_yield(void)
{
	coro_switch(&agent_sp[running_agent], outer_sp);
}

/* restore() puts everything back, the stacks too. */
static void
abandon(void)
{
}

/* ---- The world ------------------------------------------------------------------------ */

static void
restore(void)
{
	arena_restore();
	memory_restore();
	interrupts_restore();
	trace_restart();
}

enum agent_kind { COURSE, IPIS, TICKS, BUFFER };

static enum agent_kind
kind_of(unsigned agent)
{
	return agent / sim_nr_cpus;
}

static bool
runnable(unsigned agent)
{
	switch (kind_of(agent)) {
	case COURSE:
		return !sim_cpus[agent].in_interrupt;
	case BUFFER:
		return false; /* the explorer's own business */
	default:
		return interrupt_runnable(agent);
	}
}

static const char *
agent_name(unsigned agent)
{
	static char name[24];
	static const char *const suffix[] = { "", " irq", " tick", " buffer" };

	snprintf(name, sizeof(name), "cpu%u%s", agent % sim_nr_cpus,
		 suffix[kind_of(agent)]);
	return name;
}

static unsigned
host_of(unsigned agent)
{
	return kind_of(agent) == BUFFER ? agent : agent % sim_nr_cpus;
}

static bool
masked(unsigned agent)
{
	return kind_of(agent) != BUFFER && !sim_cpus[agent].irqs_on;
}

static int
buffer_of(unsigned agent)
{
	return (int)(3 * sim_nr_cpus + agent % sim_nr_cpus);
}

const struct world *
machine_world(void)
{
	static struct world world = {
		.restore = restore,
		.runnable = runnable,
		.run = sim_run,
		.yield = sim_yield,
		.abandon = abandon,
		.ended = sim_ended,
		.failing = note_state,
		.agent_name = agent_name,
		.describe = sim_describe,
		.host_of = host_of,
		.masked = masked,
		.buffer_of = buffer_of,
		.stored = mmu_entry_stored,
	};

	world.nr_agents = 4 * sim_nr_cpus;
	world.watched = sim_memory;
	world.watched_end = sim_memory + SIM_FRAMES * PAGE_SIZE;
	return &world;
}
