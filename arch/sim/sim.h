/* Between the files of the simulated machine; nobody else includes this. */
#pragma once

#include "arch/sim/coro.h"
#include "arch/sim/machine.h"

/* Variables of the machine that are saved, restored, and announced: among the
 * kernel's own. */
#define SIM_STATE __attribute__((section("kdata")))

/* What the machine knows of a CPU, beside the kernel's own struct cpu. */
struct sim_cpu {
	/* Stands for the interrupt flag: turning interrupts off, and each
	 * delivery, change it as far as the explorer is concerned. */
	u64 irq_word;
	u64 pending;		/* IPIs that have not been delivered: bits */
	bool irqs_on;
	unsigned in_interrupt;	/* the agent of the one under way; 0: none */
	u64 delivered;		/* interrupts so far */
	u64 seen;		/* what was delivered when it began to wait */
	unsigned ticks_left;

	bool resting;		/* user mode, idle loop: see sim_rest() */
	bool waiting;		/* for an interrupt, with nothing else to do */
	struct task *came_from;	/* who ran before the last switch */
	const struct spinlock *wants; /* a lock that it waits for */
	const void *spins_on;	/* the word that arch_spin_wait() is about */
	int spin_busy;
};

extern struct sim_cpu sim_cpus[SIM_MAX_CPUS];
extern unsigned sim_nr_cpus;

/* ---- machine.c ------------------------------------------------------------ */

/* The CPU that runs now, and whether the explorer is in charge: else this is
 * set-up, where one CPU after the other runs alone. */
unsigned sim_cpu_id(void);
struct sim_cpu *sim_cpu(void);
bool sim_explored(void);
/* Makes the code that follows CPU @id's: in set-up, or quietly. Returns whose it
 * was. */
unsigned sim_become(unsigned id);

/* Set-up is over. */
void sim_explore(void);

/* @agent will run @fn on the stack @base; where it has come to. */
void sim_make_agent(unsigned agent, void *base, size_t size,
		    void (*fn)(void *), void *arg);
u64 sim_agent_sp(unsigned agent);
/* Lets @agent run until it gives its turn back with sim_yield(). */
void sim_run(unsigned agent);
void sim_yield(void);

/* The first ones are the idle tasks'. boot.c */
enum { SIM_IDLE_STACKS = SIM_MAX_CPUS, SIM_STACKS = 32 };
extern char sim_stacks[SIM_STACKS][KSTACK_SIZE];

/* ---- ending.c --------------------------------------------------------------- */

/* Of struct world. */
const char *sim_ended(void);
void sim_describe(unsigned agent, char *who, char *counters);

/* ---- interrupts.c ---------------------------------------------------------- */

void interrupts_boot(void);
void interrupts_restore(void);
/* Has it begun, or may it? */
bool interrupt_runnable(unsigned agent);
/* Until @cpu has had one more interrupt than @cpu->seen says. */
void wait_for_interrupt(u64 caller);

/* ---- user.c ----------------------------------------------------------------- */

/* Would current be in user mode, were it not in the kernel? */
bool in_user_task(void);

/* ---- memory.c ----------------------------------------------------------------- */

/* Restores what the last execution changed in the frames. */
void memory_save(void);
void memory_restore(void);
/* @frame's contents were changed: to be restored. */
void memory_dirty(paddr_t frame);
/* Is @page the frame of a table that is in use? */
bool memory_is_table(paddr_t frame);
/* A choice of the search, as often as sim_allow_failures() said. */
bool sim_should_fail(const char *what);
/* Is an object of @size bytes there, and not freed? */
bool memory_is_object(const void *ptr, size_t size);

/* ---- mmu.c ---------------------------------------------------------------------- */

void mmu_save(void);
/* For reports: does @word stand for all tables under a root? Which one's? */
bool mmu_is_word(const void *word, paddr_t *root);

/* ---- panic.c -------------------------------------------------------------------- */

/* A rule of the machine was broken: as panic(), with the CPUs' states. */
void sim_violation(const char *fmt, ...) __noreturn __printf(1, 2);
/* world->failing. */
void note_state(void);
void catch_wild_pointers(void);

/* ---- trace.c -------------------------------------------------------------------- */

void trace_restart(void);
