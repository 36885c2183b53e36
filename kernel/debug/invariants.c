/*
 * The invariants. The sums are taken anew from tasks and CPUs and compared
 * with the counters by equality: a total that is merely plausible proves
 * nothing. Each violation is a sentence, followed by the ledger, which names
 * the reference that should not be there, or is missing.
 */
#include "kernel/invariants.h"

#include "kernel/base/assert.h"
#include "kernel/base/printk.h"
#include "kernel/cmdline.h"
#include "kernel/workers.h"
#include "mm/mm.h"
#include "sched/kthread.h"
#include "sched/world.h"

enum { RETRY_NS = 1000000 };

/* Which walk this is: a freed mm, poisoned, does not have it. */
static u64 epoch;

static bool
is_live(const struct mm *mm)
{
	return mm->check.epoch == epoch;
}

/* ---- Sums over address spaces, tasks and CPUs ------------------------- */

static bool
begin_mm(struct mm *mm, void *unused)
{
	(void)unused;
	mm->check.epoch = epoch;
	mm->check.users = 0;
	mm->check.count = 0;
	return true;
}

static void
add_user_task(struct task *task)
{
	struct mm *mm = task->mm;

	if (!is_live(mm))
		panic("I4: task %d (%s) lives in an address space that was "
		      "freed", task->tid, task->name);
	if (task->active_mm != mm)
		panic_mm(mm, "I6: task %d (%s) lives in mm %lu but its "
			 "active_mm is another", task->tid, task->name, mm->id);
	if (task->is_kthread) {
		mm->check.count++; /* REF_ADOPTED */
		if (mm_users(mm) == 0)
			panic_mm(mm, "I11: %s has adopted mm %lu, which has "
				 "no users", task->name, mm->id);
	} else {
		mm->check.users++;
	}
}

static void
add_lazy_task(struct task *task)
{
	struct mm *mm = task->active_mm;

	if (!mm) {
		if (task->on_cpu && cpu_by_id(task->cpu)->online)
			panic("I6: %s runs and borrows nothing", task->name);
		return;
	}
	if (!is_live(mm))
		panic("I4: task %d (%s) borrows an address space that was "
		      "freed", task->tid, task->name);
	if (!task->on_cpu)
		panic_mm(mm, "I6: task %d (%s) is not running, yet borrows "
			 "mm %lu", task->tid, task->name, mm->id);
	mm->check.count++; /* REF_BORROW */
}

static bool
add_task(struct task *task, void *unused)
{
	(void)unused;
	if (task->state == TASK_NEW && !task->mm)
		return true;
	if (task->mm)
		add_user_task(task);
	else
		add_lazy_task(task);
	return true;
}

static void
add_cpu(const struct cpu *cpu)
{
	struct mm *owed = cpu->prev_mm;

	if (!owed)
		return;
	if (!is_live(owed))
		panic("I4: cpu%u owes a reference on an address space that "
		      "was freed", cpu->id);
	owed->check.count++; /* REF_PARKED */
}

/* ---- Each address space ----------------------------------------------- */

static void
check_counters(struct mm *mm)
{
	int users = mm->check.users + (int)ledger_count(mm, REF_GET) +
		    (int)ledger_count(mm, REF_BUILDING) + (mm == &init_mm);
	int count = mm->check.count + (int)ledger_count(mm, REF_PIN) +
		    (mm_users(mm) > 0);

	if (mm_users(mm) != users)
		panic_mm(mm, "I2: mm %lu (%s) has users %d, but %d live in "
			 "it or hold it for an operation", mm->id, mm->name,
			 mm_users(mm), users);
	if (mm_count(mm) != count)
		panic_mm(mm, "I3: mm %lu (%s) has count %d, but its users, "
			 "borrowers, adopters and pins are %d", mm->id,
			 mm->name, mm_count(mm), count);
}

static void
check_contents(struct mm *mm)
{
	if (mm == &init_mm)
		return;
	if (mm_users(mm) > 0 && mm->torn_down)
		panic_mm(mm, "I5: mm %lu has users but was torn down", mm->id);
	if (mm_users(mm) > 0)
		return;
	if (!mm->torn_down || mm->nr_pages || mm->nr_tables ||
	    !pgtable_user_empty(mm->root))
		panic_mm(mm, "I5: mm %lu has no users, but %lu pages and %lu "
			 "tables are left", mm->id, mm->nr_pages,
			 mm->nr_tables);
}

static bool
check_mm(struct mm *mm, void *zombies)
{
	check_counters(mm);
	check_contents(mm);
	if (!pgtable_kernel_intact(mm->root))
		panic_mm(mm, "I12: the kernel half of mm %lu's root is not "
			 "init_mm's", mm->id);
	if (mm_users(mm) == 0 && ledger_count(mm, REF_PIN) == 0)
		++*(unsigned *)zombies;
	return true;
}

/* ---- Each CPU --------------------------------------------------------- */

/* What this CPU has in CR3; another one said it when it came to rest. */
static paddr_t
root_of(const struct cpu *cpu)
{
	return cpu == this_cpu() ? arch_loaded_root() : cpu->root_at_rest;
}

static void
check_loaded(const struct cpu *cpu, struct mm *loaded)
{
	struct mm *active = cpu->curr->active_mm;

	if (!is_live(loaded))
		panic("I4: cpu%u has an address space loaded that was freed",
		      cpu->id);
	if (root_of(cpu) != loaded->root)
		panic_mm(loaded, "I1: CR3 of cpu%u is 0x%lx, but the root of "
			 "mm %lu, its loaded one, is 0x%lx", cpu->id,
			 root_of(cpu), loaded->id, loaded->root);
	if (loaded != active && !(cpu->lazy && loaded == &init_mm))
		panic_mm(loaded, "I1: cpu%u has mm %lu loaded, but its task "
			 "%s uses another one", cpu->id, loaded->id,
			 cpu->curr->name);
	if (loaded != &init_mm &&
	    !(atomic64_read(&loaded->cpumask) & (1ul << cpu->id)))
		panic_mm(loaded, "I8: cpu%u has mm %lu loaded, but is not in "
			 "its mask", cpu->id, loaded->id);
}

static void
check_generation(const struct cpu *cpu, struct mm *loaded)
{
	u64 gen = atomic64_read(&loaded->tlb_gen);

	if (!cpu->lazy && cpu->seen_gen != gen)
		panic_mm(loaded, "I7: cpu%u runs in mm %lu and has flushed up "
			 "to generation %lu of %lu", cpu->id, loaded->id,
			 cpu->seen_gen, gen);
	if (cpu->seen_gen < loaded->table_gen)
		panic_mm(loaded, "I7b: cpu%u may walk tables of mm %lu that "
			 "were freed in generation %lu; it is at %lu",
			 cpu->id, loaded->id, loaded->table_gen,
			 cpu->seen_gen);
}

static void
check_cpu(const struct cpu *cpu)
{
	if (cpu->lazy != (cpu->curr->mm == NULL))
		panic_mm(cpu->curr->active_mm, "I9: cpu%u is %s, but its task "
			 "%s %s an address space", cpu->id,
			 cpu->lazy ? "lazy" : "not lazy", cpu->curr->name,
			 cpu->curr->mm ? "has" : "does not have");
	check_loaded(cpu, cpu->loaded);
	check_generation(cpu, cpu->loaded);
}

/* ---- The whole -------------------------------------------------------- */

void
check_world(void)
{
	unsigned zombies = 0;
	unsigned online = 0;

	epoch++;
	mm_for_each(begin_mm, NULL);
	task_for_each(add_task, NULL);
	for (unsigned id = 0; id < nr_cpus; id++)
		add_cpu(cpu_by_id(id));
	mm_for_each(check_mm, &zombies);
	for (unsigned id = 0; id < nr_cpus; id++) {
		if (!cpu_by_id(id)->online)
			continue;
		check_cpu(cpu_by_id(id));
		online++;
	}
	if (zombies > online)
		panic("I10: %u zombies on %u CPUs, though only a running task "
		      "can borrow", zombies, online);
}

static bool
is_settled(struct task *task, void *settled)
{
	if (task->transition)
		*(bool *)settled = false;
	return *(bool *)settled;
}

void
check_invariants(void)
{
	for (;;) {
		bool settled = true;

		world_stop();
		task_for_each(is_settled, &settled);
		if (settled) {
			check_world();
			check_ipc();
			check_signals();
		}
		world_resume();
		if (settled)
			return;
		/* Somebody is in the middle of a fork or a teardown, and may
		 * have a lower priority than we: get out of the way. */
		sleep_ns(RETRY_NS);
	}
}

static u64 period_ns;

static int
checker_main(void *unused)
{
	(void)unused;
	for (;;) {
		sleep_ns(period_ns);
		check_invariants();
	}
	return 0;
}

enum { DEFAULT_PERIOD_MS = 1000 };

void
invariants_start(void)
{
	period_ns = cmdline_u64("invariants", DEFAULT_PERIOD_MS) * 1000000;
	if (period_ns)
		start_worker(checker_main, "checker", DEFAULT_PRIORITY - 1);
}
