/*
 * Interrupts of the simulated CPUs.
 *
 * Each CPU has two agents for them: one for inter-processor interrupts, one
 * for the timer. They run when something is pending and the CPU has interrupts
 * on, that is between any two steps of its ordinary course. They have stacks
 * of their own: were handlers on the interrupted task's stack, as on the
 * machine, then the same words of it would seem to be shared by both.
 *
 * What orders a CPU's course and its interrupts is irq_word: each delivery is
 * announced as a change of it, and turning interrupts off as a look at it; hence
 * the search tries a delivery before and after every section without
 * interrupts.
 */
#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "sched/sched.h"

enum { IRQ_STACK = 16384 };

static char irq_stacks[2 * SIM_MAX_CPUS][IRQ_STACK] __aligned(64);

static SIM_STATE u64 time_ns;
static bool time_passes; /* are there ticks at all? */

/* ---- The flag -------------------------------------------------------------- */

bool
arch_irqs_on(void)
{
	return sim_cpu()->irqs_on;
}

static void
irqs_off(u64 caller)
{
	struct sim_cpu *cpu = sim_cpu();

	if (!cpu->irqs_on)
		return;
	/* The last moment for those that are pending. A read, since a write
	 * would go through the store buffer. */
	explore_access(&cpu->irq_word, sizeof(cpu->irq_word), OP_READ, true,
		       caller);
	cpu->irqs_on = false;
}

u64
arch_irq_save(void)
{
	bool on = arch_irqs_on();

	irqs_off(CALLER);
	return on;
}

void
arch_irq_restore(u64 flags)
{
	sim_cpu()->irqs_on = flags;
}

void
arch_irq_disable(void)
{
	irqs_off(CALLER);
}

void
arch_irq_enable(void)
{
	arch_irq_restore(true);
}

/* ---- Sending --------------------------------------------------------------- */

static void
handle(unsigned pending)
{
	if (pending & (1u << IPI_TLB))
		tlb_flush_interrupt();
	if (pending & (1u << IPI_RESCHED))
		resched_interrupt();
}

/* During set-up, and while the explorer is quiet, nobody else runs: the other
 * CPU, which is at rest, answers at once. */
static void
handle_at_once(unsigned id, enum ipi kind)
{
	unsigned me = sim_become(id);
	struct sim_cpu *cpu = sim_cpu();
	bool on = cpu->irqs_on;

	cpu->irqs_on = false;
	this_cpu()->irq_depth++;
	handle(1u << kind);
	this_cpu()->irq_depth--;
	cpu->irqs_on = on;
	cpu->delivered++;
	sim_become(me);
}

void
arch_send_ipi(unsigned id, enum ipi kind)
{
	struct sim_cpu *cpu = &sim_cpus[id];

	if (id >= sim_nr_cpus || kind == IPI_STOP)
		panic("IPI %d for cpu%u, which there is not", kind, id);
	if (!sim_explored() || explore_quiet) {
		handle_at_once(id, kind);
		return;
	}
	explore_access(&cpu->pending, sizeof(cpu->pending), OP_UPDATE, true,
		       CALLER);
	cpu->pending |= 1u << kind;
}

/* ---- Delivering ------------------------------------------------------------- */

bool
interrupt_runnable(unsigned agent)
{
	const struct sim_cpu *cpu = &sim_cpus[agent % sim_nr_cpus];
	bool timer = agent >= 2 * sim_nr_cpus;

	if (cpu->in_interrupt)
		return cpu->in_interrupt == agent;
	if (!cpu->irqs_on)
		return false;
	return timer ? cpu->ticks_left > 0 : cpu->pending != 0;
}

static void
begin_interrupt(struct sim_cpu *cpu)
{
	ASSERT(cpu->irqs_on && !cpu->in_interrupt);
	cpu->in_interrupt = explore_agent();
	cpu->irqs_on = false;
	cpu->delivered++;
	this_cpu()->irq_depth++;
}

static void
end_interrupt(struct sim_cpu *cpu)
{
	this_cpu()->irq_depth--;
	cpu->in_interrupt = 0;
	cpu->irqs_on = true;
	explore_agent_done();
	sim_yield();
}

/* An interrupt agent: begins after its announced operation, once for each
 * delivery. */
static void
ipi_agent(void *unused)
{
	(void)unused;
	for (;;) {
		struct sim_cpu *cpu = sim_cpu();
		unsigned pending = cpu->pending;

		begin_interrupt(cpu);
		cpu->pending = 0;
		handle(pending);
		end_interrupt(cpu);
	}
}

static void
timer_agent(void *unused)
{
	(void)unused;
	for (;;) {
		struct sim_cpu *cpu = sim_cpu();

		begin_interrupt(cpu);
		cpu->ticks_left--;
		time_ns += TICK_NS;
		timer_interrupt();
		end_interrupt(cpu);
	}
}

static void
make_agent(unsigned agent, char *stack, void (*fn)(void *))
{
	u64 sp;

	sim_make_agent(agent, stack, IRQ_STACK, fn, NULL);
	sp = sim_agent_sp(agent);
	arena_add((void *)sp, (u64)stack + IRQ_STACK - sp);
}

void
interrupts_boot(void)
{
	for (unsigned id = 0; id < sim_nr_cpus; id++) {
		make_agent(sim_nr_cpus + id, irq_stacks[2 * id], ipi_agent);
		make_agent(2 * sim_nr_cpus + id, irq_stacks[2 * id + 1],
			   timer_agent);
	}
}

/* What each interrupt waits to do, at the start of an execution. */
void
interrupts_restore(void)
{
	for (unsigned id = 0; id < sim_nr_cpus; id++) {
		struct sim_cpu *cpu = &sim_cpus[id];
		struct op op = {
			.kind = OP_UPDATE, .atomic = true, .size = 8,
			.address = &cpu->pending, .second = &cpu->irq_word,
		};

		explore_announce(sim_nr_cpus + id, &op);
		if (!cpu->ticks_left)
			continue;
		op.address = &cpu->irq_word;
		op.second = &time_ns;
		explore_announce(2 * sim_nr_cpus + id, &op);
	}
}

/* ---- Waiting ------------------------------------------------------------------ */

static bool
was_interrupted(const void *arg)
{
	const struct sim_cpu *cpu = arg;

	return cpu->delivered != cpu->seen;
}

void
wait_for_interrupt(u64 caller)
{
	struct sim_cpu *cpu = sim_cpu();

	cpu->waiting = true;
	explore_wait(&cpu->irq_word, was_interrupted, cpu, caller);
	sim_cpu()->waiting = false;
}

void
arch_cpu_relax(void)
{
	explore_relax(CALLER);
}

/* explore_wait() passes one pointer: to the CPU that waits. */
static bool
is_not_busy(const void *arg)
{
	const struct sim_cpu *cpu = arg;
	const atomic_t *word = cpu->spins_on;

	return word->value != cpu->spin_busy;
}

void
arch_spin_wait(const atomic_t *word, int busy)
{
	struct sim_cpu *cpu = sim_cpu();

	if (!sim_explored() || explore_quiet)
		panic("cpu%u waits for others, but nobody else moves",
		      sim_cpu_id());
	cpu->spins_on = word;
	cpu->spin_busy = busy;
	explore_wait(word, is_not_busy, cpu, CALLER);
	cpu->spins_on = NULL;
}

/* ---- Time ----------------------------------------------------------------------- */

void
sim_allow_ticks(unsigned id, unsigned n)
{
	sim_cpus[id].ticks_left = n;
	time_passes |= n > 0;
}

u64
arch_time_ns(void)
{
	if (time_passes)
		explore_access(&time_ns, sizeof(time_ns), OP_READ, true,
			       CALLER);
	return time_ns;
}

/* The timer may fire whenever the explorer likes; when is of no account. */
void
arch_timer_set(u64 deadline_ns)
{
	(void)deadline_ns;
}
