/*
 * The end of the road, as a lesson: the sentence first, then where, and what
 * every CPU had loaded and borrowed.
 *
 * Everything here runs with the kernel in an unknown state. No lock is waited
 * for, nothing is allocated, and no pointer is followed that does not look
 * like one: an object may have been freed, and filled with junk.
 */
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/spinlock.h"
#include "kernel/base/string.h"
#include "kernel/base/yield.h"
#include "kernel/plausible.h"
#include "kernel/symbols.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "sched/task.h"

enum {
	NOBODY = -1,
	MAX_SENTENCE = 448,
	MAX_LABEL = 40,
	TRACE_RECORDS = 16,
	STOP_TURNS = 10000,
};

static const char rule[] = "======================================"
			   "======================================";

/* The CPU that panicked first; the screen is its alone. */
static atomic_t panic_cpu = ATOMIC_INIT(NOBODY);

/* How often it came here: more than once when the panic itself fails. */
static int depth;

#define say(...) printk(LOG_ERROR, __VA_ARGS__)

/* ---- Labels ----------------------------------------------------------- */

static const char *
task_label(char buf[MAX_LABEL], const struct task *task)
{
	if (!task)
		strscpy(buf, "none", MAX_LABEL);
	else if (!plausible_task(task))
		snprintf(buf, MAX_LABEL, "bad pointer %#lx", (u64)task);
	else
		snprintf(buf, MAX_LABEL, "%d %.*s", task->tid, TASK_NAME_LEN,
			 task->name);
	return buf;
}

static const char *
mm_label(char buf[MAX_LABEL], const struct mm *mm)
{
	if (!mm)
		strscpy(buf, "-", MAX_LABEL);
	else if (mm == &init_mm)
		snprintf(buf, MAX_LABEL, "init %d/%d", mm_users(mm),
			 mm_count(mm));
	else if (!plausible_pointer(mm))
		snprintf(buf, MAX_LABEL, "bad %#lx", (u64)mm);
	else
		snprintf(buf, MAX_LABEL, "%lu %d/%d", mm->id, mm_users(mm),
			 mm_count(mm));
	return buf;
}

/* ---- The parts of the screen ------------------------------------------ */

static void
say_where(void)
{
	const struct cpu *cpu = this_cpu();
	const struct task *task = current;
	u64 us = arch_time_ns() / 1000;
	char name[MAX_LABEL], mm[MAX_LABEL];

	say("after %lu.%06lu s, on cpu%u%s", us / 1000000, us % 1000000,
	    cpu->id, cpu->irq_depth ? ", in an interrupt" : "");
	if (yield_seed())
		say("with the pauses of seed=%lu", yield_seed());
	if (!plausible_task(task))
		say("in task %s", task_label(name, task));
	else
		say("in %s %s, which %s mm %s",
		    task->is_kthread ? "kernel thread" : "user task",
		    task_label(name, task), task->mm ? "lives in" : "borrows",
		    mm_label(mm, task->active_mm));
}

static void
say_frame(u64 address)
{
	char name[SYMBOL_LEN];

	symbol_format_caller(name, sizeof(name), address);
	say("  %016lx  %s", address, name);
}

static void
say_instruction(u64 address)
{
	char name[SYMBOL_LEN];

	symbol_format(name, sizeof(name), address);
	say("  %016lx  %s", address, name);
}

/* @regs: the interrupted code's, or NULL and @fp is the frame of panic(). */
static void
say_backtrace(const struct regs *regs, u64 fp)
{
	say("called from:");
	if (!regs) {
		arch_backtrace(fp, say_frame);
		return;
	}
	say_instruction(regs_ip(regs));
	if (regs_from_user(regs))
		say("  (user mode)");
	else if (regs_fp(regs)) /* 0 would be our own frame */
		arch_backtrace(regs_fp(regs), say_frame);
}

static void
say_cpu(const struct cpu *cpu)
{
	char task[MAX_LABEL], active[MAX_LABEL], loaded[MAX_LABEL];
	char parked[MAX_LABEL];
	const struct mm *active_mm = NULL;

	if (plausible_task(cpu->curr))
		active_mm = cpu->curr->active_mm;
	say("  %3u  %-20s %-12s %-12s %-12s %s", cpu->id,
	    task_label(task, cpu->curr), mm_label(active, active_mm),
	    mm_label(loaded, cpu->loaded), mm_label(parked, cpu->prev_mm),
	    cpu->lazy ? "yes" : "no");
}

static void
say_cpus(void)
{
	say("  cpu  current              active_mm    loaded       "
	    "prev_mm      lazy   (mm: id U/C)");
	for (unsigned i = 0; i < MAX_CPUS; i++)
		if (cpus[i].online || &cpus[i] == this_cpu())
			say_cpu(&cpus[i]);
}

static void
say_mm(const struct mm *mm)
{
	char label[MAX_LABEL];

	if (!mm)
		return;
	if (!plausible_pointer(mm)) {
		say("mm %#lx: no such address", (u64)mm);
		return;
	}
	say("mm %s \"%.16s\", root %#lx, on CPUs %#lx%s", mm_label(label, mm),
	    mm->name, mm->root, atomic64_read(&mm->cpumask),
	    mm->torn_down ? ", contents gone" : "");
	ledger_print(mm);
}

/* ---- The way here ----------------------------------------------------- */

static void
stop_other_cpus(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++)
		if (cpus[i].online && &cpus[i] != this_cpu())
			arch_send_ipi(i, IPI_STOP);
	/* They cannot answer. One in the middle of a line may finish it. */
	for (unsigned i = 0; i < STOP_TURNS; i++)
		arch_cpu_relax();
}

/* The first CPU goes on; the others wait for the end here. */
static void
claim_the_screen(void)
{
	int me = this_cpu()->id, owner = NOBODY;

	arch_irq_disable();
	if (!atomic_cmpxchg(&panic_cpu, &owner, me) && owner != me)
		arch_cpu_park();
	depth++;
}

static const struct mm *
mm_concerned(const struct mm *mm)
{
	const struct task *task = current;

	if (mm)
		return mm;
	return plausible_task(task) ? task->active_mm : NULL;
}

static void
say_everything(const char *sentence, const struct mm *mm,
	       const struct regs *regs, u64 fp)
{
	say("%s", ""); /* after half a line of a stopped CPU */
	say("%s", rule);
	say("KERNEL PANIC: %s", sentence);
	say_where();
	say("%s", rule);
	say_backtrace(regs, fp);
	if (!current && !regs) { /* not started yet: the sentence says it all */
		say("%s", rule);
		return;
	}
	say_cpus();
	say_mm(mm_concerned(mm));
	say("registers:");
	arch_dump_regs(regs);
	say("last trace records:");
	trace_dump(TRACE_RECORDS);
	say("%s", rule);
	say("Again, the reason: %s", sentence); /* the first has scrolled away */
	say("To look closer: run \"make gdb\" with the same variables; in gdb, "
	    "\"break panic\", \"continue\".");
}

static void __noreturn
end(const struct mm *mm, const struct regs *regs, u64 fp, const char *fmt,
    va_list args)
{
	/* Not on the stack, which may be full. */
	static char sentence[MAX_SENTENCE], second[MAX_SENTENCE];

	claim_the_screen();
	if (depth == 1) {
		spin_locks_give_up();
		trace_enable(false);
		stop_other_cpus();
		printk_force();
		vsnprintf(sentence, sizeof(sentence), fmt, args);
		say_everything(sentence, mm, regs, fp);
	} else if (depth == 2) {
		vsnprintf(second, sizeof(second), fmt, args);
		say("PANIC WHILE PRINTING THE PANIC: %s", second);
		say("the first was: %s", sentence);
	}
	if (depth <= 2)
		say("lodger: verdict PANIC"); /* for the one who watches */
	arch_exit(VERDICT_PANIC);
}

/* The frame of the function this is used in: the backtrace starts above. */
#define OWN_FRAME ((u64)__builtin_frame_address(0))

void
panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(NULL, NULL, OWN_FRAME, fmt, args);
}

void
panic_mm(const struct mm *mm, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(mm, NULL, OWN_FRAME, fmt, args);
}

void
panic_regs(const struct regs *regs, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(NULL, regs, OWN_FRAME, fmt, args);
}
