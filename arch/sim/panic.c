/*
 * The end of an execution. A panic is a violation: its sentence goes to the
 * explorer. Whatever it ended by, the ledgers and the CPUs' states go beside it.
 */
#define _GNU_SOURCE /* REG_RIP */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "arch/sim/sim.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "mm/mm.h"
#include "sched/task.h"

static bool printing;		 /* what is logged belongs to a failure */
static const struct mm *guilty; /* panic_mm()'s */

void
printk(enum log_level level, const char *fmt, ...)
{
	char line[256];
	va_list args;

	(void)level;
	if (!printing)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	explore_note("%s", line);
}

static void
mm_text(char buf[48], const struct mm *mm)
{
	if (!mm)
		snprintf(buf, 48, "nothing");
	else if (mm == &init_mm)
		snprintf(buf, 48, "init_mm");
	else if (!memory_is_object(mm, sizeof(*mm)))
		snprintf(buf, 48, "a freed mm");
	else
		snprintf(buf, 48, "%.15s (mm %lu, %d/%d)", mm->name, mm->id,
			 mm_users(mm), mm_count(mm));
}

static void
note_cpu(unsigned id)
{
	const struct cpu *cpu = &cpus[id];
	char loaded[48], owed[48], lives[48], active[48];

	mm_text(loaded, cpu->loaded);
	mm_text(owed, cpu->prev_mm);
	mm_text(lives, cpu->curr->mm);
	mm_text(active, cpu->curr->active_mm);
	explore_note("cpu%u: current %s, mm %s, active_mm %s", id,
		     cpu->curr->name, lives, active);
	explore_note("      loaded %s%s, prev_mm %s, CR3 %#lx", loaded,
		     cpu->lazy ? ", lazy" : "", owed, sim_cr3(id));
}

static bool
print_ledger(struct mm *mm, void *unused)
{
	(void)unused;
	if (mm != &init_mm && !memory_is_object(mm, sizeof(*mm)))
		return false;
	if (mm != &init_mm && mm != guilty)
		ledger_print(mm);
	return true;
}

/* For the report of a failure, the guilty one first. A list of address spaces
 * that leads to a freed one is not followed. */
void
note_state(void)
{
	printing = true;
	if (guilty == &init_mm || memory_is_object(guilty, sizeof(*guilty)))
		ledger_print(guilty);
	for (unsigned id = 0; id < sim_nr_cpus; id++)
		note_cpu(id);
	mm_for_each(print_ledger, NULL);
	printing = false;
	guilty = NULL;
}

static void __noreturn
end(const struct mm *mm, const char *fmt, va_list args)
{
	char sentence[512];

	vsnprintf(sentence, sizeof(sentence), fmt, args);
	if (!sim_explored()) {
		printf("during set-up: %s\n", sentence);
		exit(EXPLORE_VIOLATION);
	}
	guilty = mm;
	explore_fail(EXPLORE_VIOLATION, "%s", sentence);
}

void
panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(NULL, fmt, args);
}

void
panic_mm(const struct mm *mm, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(mm, fmt, args);
}

void
panic_regs(const struct regs *regs, const char *fmt, ...)
{
	va_list args;

	(void)regs;
	va_start(args, fmt);
	end(NULL, fmt, args);
}

void
sim_violation(const char *fmt, ...)
{
	const struct task *task = current;
	va_list args;

	va_start(args, fmt);
	end(task->mm ? task->mm : task->active_mm, fmt, args);
}

/* ---- Wild pointers ------------------------------------------------------------------ */

static void
wild(int number, siginfo_t *info, void *context)
{
	const ucontext_t *at = context;

	(void)number;
	sim_violation("cpu%u (%s) uses a wild pointer, %#lx, at %#lx",
		      sim_cpu_id(), current->name, (u64)info->si_addr,
		      (u64)at->uc_mcontext.gregs[REG_RIP]);
}

/* The handler does not return: it leaves by the explorer's door, on whatever
 * stack it was. */
void
catch_wild_pointers(void)
{
	struct sigaction action = {
		.sa_sigaction = wild,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}
