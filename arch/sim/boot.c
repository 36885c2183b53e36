/*
 * The start: boots the kernel's part far enough, runs the set-up, and saves
 * what each execution begins with.
 */
#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "kernel/process.h"
#include "mm/mm.h"
#include "mm/region.h"
#include "sched/sched.h"

char sim_stacks[SIM_STACKS][KSTACK_SIZE] __aligned(4096);

/* The ledger's: small, since it is restored for each execution. */
static char ledger_memory[12288] __aligned(64);

void (*sim_prologue)(void);

/* The kernel's variables: the build puts them all in one section. Behind it
 * come the simulator's, up to the end of the program: memory, stacks. */
extern char __start_kdata[], __stop_kdata[], _end[];

static void (*the_set_up)(void);
static void (*the_script)(unsigned cpu);

/* ---- CPUs --------------------------------------------------------------------- */

/* The idle task's whole life, on its own stack. */
static void
idle_main(void *arg)
{
	unsigned id = (unsigned)(u64)arg;

	sim_yield();
	if (id == 0) {
		the_set_up();
		sim_yield();
	}
	sim_cpu()->resting = false;
	the_script(id);
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
	sim_make_agent(id, sim_stacks[id], KSTACK_SIZE, idle_main,
		       (void *)(u64)id);
	sim_run(id);
	sim_cpus[id].irqs_on = true;
}

/* ---- Saving -------------------------------------------------------------------- */

/* The part of @task's stack that is in use. */
static bool
add_stack(struct task *task, void *unused)
{
	u64 sp = task->arch.sp, end;

	(void)unused;
	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (cpus[id].curr == task)
			sp = sim_agent_sp(id);
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
	arena_add(__start_kdata, (size_t)(__stop_kdata - __start_kdata));
	arena_add(ledger_memory, sizeof(ledger_memory));
	memory_save();
	mmu_save();
	arena_save();
}

void
sim_boot(unsigned nr, void (*set_up)(void), void (*script)(unsigned cpu))
{
	ASSERT(!sim_explored() && nr >= 1 && nr <= SIM_MAX_CPUS);
	catch_wild_pointers();
	sim_nr_cpus = nr_cpus = nr;
	the_set_up = set_up;
	the_script = script;
	/* One region is found faster than one for each array. */
	shadow_add_region(__start_kdata,
			  ALIGN_UP((u64)(_end - __start_kdata), PAGE_SIZE));
	memory_boot();
	ledger_boot(ledger_memory, sizeof(ledger_memory));
	for (unsigned id = 0; id < nr; id++)
		start_cpu(id);
	sim_become(0);
	make_init_process();
	interrupts_boot();
	sim_run(0); /* set_up() */
	if (sim_prologue)
		sim_prologue();
	save();
	sim_explore();
}
