/*
 * The simulated machine as a world of the explorer: who runs, where CPUs rest,
 * how it starts and how it should end. See machine.h.
 */
#include <stdio.h>

#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/process.h"
#include "mm/mm.h"
#include "mm/region.h"
#include "sched/sched.h"

SIM_STATE struct sim_cpu sim_cpus[SIM_MAX_CPUS];
unsigned sim_nr_cpus;
char sim_stacks[SIM_STACKS][KSTACK_SIZE] __aligned(4096);

void (*sim_prologue)(void);
void (*sim_at_rest)(void);
const char *(*sim_at_end)(void);

/* The kernel's variables: the build puts them all in one section. Behind it
 * come the simulator's, up to the end of the program: memory, stacks. */
extern char __start_kdata[], __stop_kdata[], _end[];

static u64
kdata_size(void)
{
	return (u64)(__stop_kdata - __start_kdata);
}

/* Where each agent goes on; a CPU's, where the task that runs on it does. */
static SIM_STATE u64 agent_sp[MAX_AGENTS];
static u64 outer_sp;		/* who called run() */
static unsigned running_agent;
static unsigned running_cpu;

static bool explored;		/* set-up is over */
static unsigned rests_left;	/* of sim_run_alone() */
static void (*boot_set_up)(void);
static void (*boot_script)(unsigned cpu);

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
sim_make_agent(unsigned agent, void *base, size_t size, void (*fn)(void *),
	       void *arg)
{
	agent_sp[agent] = coro_make(base, size, fn, arg);
	arena_add((void *)agent_sp[agent],
		  (u64)base + size - agent_sp[agent]);
}

static void
run(unsigned agent)
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

/* ---- At rest ------------------------------------------------------------------ */

static bool
find_transition(struct task *task, void *found)
{
	if (task->transition)
		*(struct task **)found = task;
	return !task->transition;
}

/* All CPUs rest, and no sleeping task is in the middle of something? */
static bool
all_at_rest(void)
{
	struct task *busy = NULL;

	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (!sim_cpus[id].resting || sim_cpus[id].in_interrupt)
			return false;
	task_for_each(find_transition, &busy);
	return !busy;
}

static void
check_at_rest(void)
{
	if (!sim_at_rest)
		return;
	explore_quiet_begin();
	if (all_at_rest()) {
		for (unsigned id = 0; id < sim_nr_cpus; id++)
			cpus[id].root_at_rest = sim_cr3(id);
		mmu_check_all();
		sim_at_rest();
	}
	explore_quiet_end();
}

/* Does what was asked of this CPU meanwhile; interrupts are off afterwards, so
 * that nothing more is asked before it rests. */
static void
obey(void)
{
	if (in_user_task()) {
		arch_irq_disable();
		exit_to_user(NULL);
	} else {
		arch_irq_enable();
		cond_resched();
		arch_irq_disable();
	}
}

static void
come_to_rest(void)
{
	struct sim_cpu *cpu = sim_cpu();

	explore_fence(CALLER);
	if (in_user_task())
		mmu_enter_user(running_cpu);
	cpu->seen = cpu->delivered;
	cpu->resting = true;
	cpu->irqs_on = true;
	if (explored)
		check_at_rest();
}

static void
leave_rest(void)
{
	sim_cpu()->resting = false;
	if (in_user_task())
		mmu_leave_user(running_cpu);
}

/* An interrupt that comes in user mode finds need_resched on its way out: hence
 * the loop. */
void
sim_rest(void)
{
	bool interrupted;

	do {
		obey();
		come_to_rest();
		if (!explored && --rests_left == 0)
			sim_yield();
		arch_irq_disable();
		interrupted = sim_cpu()->delivered != sim_cpu()->seen;
		leave_rest();
	} while (interrupted);
	arch_irq_enable();
}

static void
rest_until_interrupt(u64 caller)
{
	come_to_rest();
	if (!explored)
		sim_yield();
	wait_for_interrupt(caller);
	leave_rest();
	arch_irq_enable();
}

void
sim_cpu_done(void)
{
	for (;;) {
		obey();
		rest_until_interrupt(CALLER);
	}
}

void
sim_rest_until(const void *word, bool (*ready)(const void *arg),
	       const void *arg)
{
	obey();
	come_to_rest();
	sim_cpu()->waiting = true;
	explore_wait(word, ready, arg, CALLER);
	sim_cpu()->waiting = false;
	leave_rest();
	arch_irq_enable();
}

void
arch_idle_wait(void)
{
	ASSERT(!arch_irqs_on());
	rest_until_interrupt(CALLER);
}

/* ---- Start ---------------------------------------------------------------------- */

/* The idle task's whole life, on its own stack. */
static void
idle_main(void *arg)
{
	unsigned id = (unsigned)(u64)arg;

	sim_yield();
	if (id == 0) {
		boot_set_up();
		sim_yield();
	}
	sim_cpu()->resting = false;
	boot_script(id);
	panic("the script of cpu%u returned", id);
}

/* Process 1, without a thread: the parent of orphans. */
static void
make_init_process(void)
{
	irq_flags_t flags;

	init_process = process_alloc("init");
	flags = spin_lock_irqsave(&pid_lock);
	init_process->pid = alloc_tid();
	process_attach(init_process, NULL);
	spin_unlock_irqrestore(&pid_lock, flags);
	ASSERT(init_process->pid == 1);
}

static void
start_cpu(unsigned id)
{
	sim_become(id);
	cpus[id].self = &cpus[id];
	cpus[id].id = id;
	cpus[id].online = true;
	if (id == 0) {
		mm_init();
		regions_init();
		sched_init();
		process_init();
	} else {
		sched_init_secondary();
	}
	cpus[id].idle->tid = 0;
	cpus[id].idle->stack = (vaddr_t)sim_stacks[id];
	cpus[id].idle->arch.on_stack = true;
	mmu_load_root(id, init_mm.root);
	sim_cpus[id].resting = true;
	agent_sp[id] = coro_make(sim_stacks[id], KSTACK_SIZE, idle_main,
				 (void *)(u64)id);
	run(id);
	sim_cpus[id].irqs_on = true;
}

void
sim_run_alone(unsigned id, unsigned rests)
{
	unsigned before = running_cpu;

	ASSERT(!explored && id < sim_nr_cpus);
	rests_left = rests;
	if (rests)
		run(id);
	running_cpu = before;
}

/* The part of @task's stack that is in use. */
static bool
add_stack(struct task *task, void *unused)
{
	u64 sp = task->arch.sp, end;

	(void)unused;
	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (cpus[id].curr == task)
			sp = agent_sp[id];
	end = task->stack + KSTACK_SIZE;
	ASSERT(sp > task->stack && sp < end);
	arena_add((void *)sp, end - sp);
	return true;
}

static void
save(void)
{
	explore_quiet_begin();
	task_for_each(add_stack, NULL);
	explore_quiet_end();
	arena_add(__start_kdata, kdata_size());
	memory_save();
	mmu_save();
	arena_save();
}

void
sim_boot(unsigned nr, void (*set_up)(void), void (*script)(unsigned cpu))
{
	ASSERT(!explored && nr >= 1 && nr <= SIM_MAX_CPUS);
	catch_wild_pointers();
	sim_nr_cpus = nr_cpus = nr;
	boot_set_up = set_up;
	boot_script = script;
	/* One region is found faster than one for each array. */
	shadow_add_region(__start_kdata,
			  ALIGN_UP((u64)(_end - __start_kdata), PAGE_SIZE));
	memory_boot();
	for (unsigned id = 0; id < nr; id++)
		start_cpu(id);
	sim_become(0);
	make_init_process();
	interrupts_boot();
	run(0); /* set_up() */
	if (sim_prologue)
		sim_prologue();
	save();
	explored = true;
}

static bool
find_dead(struct task *task, void *found)
{
	if (task->state != TASK_DEAD || task->on_cpu)
		return true;
	*(struct task **)found = task;
	return false;
}

void
sim_reap(void)
{
	struct task *dead;

	do {
		dead = NULL;
		task_for_each(find_dead, &dead);
		if (dead)
			task_free(dead);
	} while (dead);
}

/* ---- How it ends ------------------------------------------------------------------ */

static char sentence[256];

static const char *
name_of(unsigned id)
{
	return cpus[id].curr->name;
}

static const char *
why_unfinished(unsigned id)
{
	const struct sim_cpu *cpu = &sim_cpus[id];

	if (cpu->wants) {
		snprintf(sentence, sizeof(sentence),
			 "cpu%u (%s) waits for the spin lock \"%s\", which "
			 "cpu%u holds", id, name_of(id), cpu->wants->name,
			 cpu->wants->holder ? cpu->wants->holder->id : ~0u);
		return sentence;
	}
	for (unsigned other = 0; other < sim_nr_cpus; other++) {
		if (cpu->spins_on != &cpus[other].tlb_served)
			continue;
		snprintf(sentence, sizeof(sentence),
			 "cpu%u (%s) waits for cpu%u to answer a shootdown",
			 id, name_of(id), other);
		return sentence;
	}
	snprintf(sentence, sizeof(sentence), "cpu%u (%s) cannot go on", id,
		 name_of(id));
	return sentence;
}

/* A task that ought to run, or sleeps where it may not stay. */
static bool
find_stuck(struct task *task, void *found)
{
	bool idle = task == cpus[task->cpu].idle;

	if (task->on_rq && !task->on_cpu && !idle)
		snprintf(sentence, sizeof(sentence),
			 "%s is runnable on cpu%u, which waits for an "
			 "interrupt and was not told", task->name, task->cpu);
	else if (task->transition)
		snprintf(sentence, sizeof(sentence),
			 "%s sleeps in the middle of a fork, exec, exit, "
			 "teardown or adoption", task->name);
	else
		return true;
	*(bool *)found = true;
	return false;
}

static const char *
ended(void)
{
	const char *missing = NULL;
	bool stuck = false;

	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (!sim_cpus[id].waiting)
			return why_unfinished(id);
	explore_quiet_begin();
	task_for_each(find_stuck, &stuck);
	if (stuck)
		missing = sentence;
	else if (sim_at_end)
		missing = sim_at_end();
	explore_quiet_end();
	return missing;
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

struct text {
	char *buf;
	size_t size, used;
};

static bool
add_counters(struct mm *mm, void *arg)
{
	struct text *text = arg;

	if (mm != &init_mm && !memory_is_object(mm))
		return false;
	if (mm != &init_mm && text->used < text->size)
		text->used += (size_t)snprintf(
			text->buf + text->used, text->size - text->used,
			"%s%.8s %d/%d", text->used ? " " : "",
			mm->name[0] ? mm->name : "?", mm_users(mm),
			mm_count(mm));
	return true;
}

static void
describe(unsigned agent, char *who, char *counters)
{
	struct text text = { counters, 48, 0 };

	counters[0] = 0;
	snprintf(who, 24, "%s", name_of(agent % sim_nr_cpus));
	explore_quiet_begin();
	mm_for_each(add_counters, &text);
	explore_quiet_end();
}

static unsigned
host_of(unsigned agent)
{
	return kind_of(agent) == BUFFER ? agent : agent % sim_nr_cpus;
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
		.run = run,
		.yield = sim_yield,
		.abandon = abandon,
		.ended = ended,
		.failing = note_state,
		.agent_name = agent_name,
		.describe = describe,
		.host_of = host_of,
		.buffer_of = buffer_of,
		.stored = mmu_entry_stored,
	};

	world.nr_agents = 4 * sim_nr_cpus;
	world.watched = sim_memory;
	world.watched_end = sim_memory + SIM_FRAMES * PAGE_SIZE;
	return &world;
}
