/*
 * Names of words. The kernel's objects are found the way the kernel finds
 * them, from its lists, but without its locks: between two steps a list can
 * be followed forwards.
 */
#include <stdio.h>
#include <string.h>

#include "arch/sim/image.h"
#include "arch/sim/sim.h"
#include "arch/sim/words.h"
#include "kernel/process.h"
#include "mm/mm.h"
#include "sched/run_queue.h"
#include "sched/sched.h"

enum { MAX_FOLLOWED = 256 }; /* a list longer than this is damaged */

/* ---- Fields ------------------------------------------------------------ */

struct field {
	size_t offset, size;
	const char *name;
	const struct field *inside; /* a struct's own fields, or NULL */
};

#define FIELD(type, member) \
	{ offsetof(type, member), sizeof(((type *)0)->member), #member, NULL }
#define INSIDE(type, member, fields) \
	{ offsetof(type, member), sizeof(((type *)0)->member), #member, fields }
#define END { 0, 0, NULL, NULL }

static const struct field mutex_fields[] = {
	FIELD(struct mutex, owner), FIELD(struct mutex, waiters),
	FIELD(struct mutex, queue), END
};

static const struct field mm_fields[] = {
	FIELD(struct mm, users), FIELD(struct mm, count), FIELD(struct mm, id),
	FIELD(struct mm, root), FIELD(struct mm, cpumask),
	FIELD(struct mm, tlb_gen), FIELD(struct mm, table_gen),
	FIELD(struct mm, flush_start), FIELD(struct mm, flush_end),
	INSIDE(struct mm, lock, mutex_fields), FIELD(struct mm, regions),
	FIELD(struct mm, brk_start), FIELD(struct mm, brk),
	FIELD(struct mm, nr_pages), FIELD(struct mm, nr_tables),
	FIELD(struct mm, torn_down), FIELD(struct mm, name),
	FIELD(struct mm, link), FIELD(struct mm, ledger),
	FIELD(struct mm, check), END
};

static const struct field task_fields[] = {
	FIELD(struct task, arch), FIELD(struct task, stack),
	FIELD(struct task, tid), FIELD(struct task, is_kthread),
	FIELD(struct task, mm), FIELD(struct task, active_mm),
	FIELD(struct task, state), FIELD(struct task, cpu),
	FIELD(struct task, on_cpu), FIELD(struct task, on_rq),
	FIELD(struct task, migrating), FIELD(struct task, moving),
	FIELD(struct task, prio), FIELD(struct task, run_link),
	FIELD(struct task, affinity), FIELD(struct task, bound),
	FIELD(struct task, sleep_link),
	FIELD(struct task, wake_time), FIELD(struct task, sleep_queue),
	FIELD(struct task, process), FIELD(struct task, thread_link),
	FIELD(struct task, hash_next), FIELD(struct task, all_link),
	FIELD(struct task, exiting),
	FIELD(struct task, vfork_done), FIELD(struct task, transition),
	FIELD(struct task, kthread_stopping), FIELD(struct task, kthread_end),
	FIELD(struct task, kill_signal), FIELD(struct task, signal_work),
	FIELD(struct task, stopped), FIELD(struct task, pending),
	FIELD(struct task, sigmask),
	FIELD(struct task, switches), FIELD(struct task, ticks), END
};

static const struct field process_fields[] = {
	FIELD(struct process, pid), FIELD(struct process, parent),
	FIELD(struct process, children), FIELD(struct process, sibling),
	FIELD(struct process, threads), FIELD(struct process, nr_threads),
	FIELD(struct process, hash_next), FIELD(struct process, group_exit),
	FIELD(struct process, ended), FIELD(struct process, exit_status),
	FIELD(struct process, all_link), FIELD(struct process, pending),
	FIELD(struct process, stop_signal), FIELD(struct process, nr_stopped),
	FIELD(struct process, changed), END
};

static const struct field cpu_fields[] = {
	FIELD(struct cpu, curr), FIELD(struct cpu, online),
	FIELD(struct cpu, dying), FIELD(struct cpu, need_resched),
	FIELD(struct cpu, idle), FIELD(struct cpu, loaded),
	FIELD(struct cpu, lazy), FIELD(struct cpu, seen_gen),
	FIELD(struct cpu, seen_kernel_gen), FIELD(struct cpu, tlb_requests),
	FIELD(struct cpu, tlb_served), FIELD(struct cpu, prev_mm),
	FIELD(struct cpu, finish_more), FIELD(struct cpu, slice),
	FIELD(struct cpu, rq),
	FIELD(struct cpu, next_tick), FIELD(struct cpu, held),
	FIELD(struct cpu, irq_depth), FIELD(struct cpu, counts), END
};

static const struct field rq_fields[] = {
	FIELD(struct run_queue, lock), FIELD(struct run_queue, bitmap),
	FIELD(struct run_queue, lists), FIELD(struct run_queue, nr_running),
	END
};

/* The machine's side of a CPU. */
static const struct field sim_cpu_fields[] = {
	{ offsetof(struct sim_cpu, irq_word), 8, "interrupt_flag", NULL },
	{ offsetof(struct sim_cpu, pending), 8, "pending_interrupts", NULL },
	END
};

static const struct field page_fields[] = {
	FIELD(struct page, refs), FIELD(struct page, order),
	FIELD(struct page, state), FIELD(struct page, class), END
};

/* Appends ".lock.owner" or, where no field is known, "+0x18". */
static void
append_field(char *name, size_t offset, const struct field *fields)
{
	char *end = name + strlen(name);
	size_t left = WORD_NAME_LEN - (size_t)(end - name);

	for (; fields && fields->name; fields++) {
		if (offset - fields->offset >= fields->size)
			continue;
		snprintf(end, left, ".%s", fields->name);
		if (fields->inside)
			append_field(name, offset - fields->offset,
				     fields->inside);
		return;
	}
	if (offset)
		snprintf(end, left, "+%#zx", offset);
}

/* Is @address inside the object at @base? Then @name, so far the object's,
 * gets its field. */
static bool
inside(const void *address, const void *base, size_t size, char *name,
       const struct field *fields)
{
	size_t offset = (size_t)((const char *)address - (const char *)base);

	if (offset >= size)
		return false;
	append_field(name, offset, fields);
	return true;
}

/* ---- Objects ----------------------------------------------------------- */

typedef bool name_fn(const struct list *link, const void *address, char *name);

/* The head of a list is a variable of its own; its elements are part of
 * something. */
static bool
is_head(const struct list *node)
{
	const void *base;

	return variable_at(node, &base) && base == node;
}

/* Asks @fn about each element of the list that @start is in. */
static bool
any_on_list(const struct list *start, name_fn *fn, const void *address,
	    char *name)
{
	const struct list *node = start->next;

	for (unsigned n = 0; node != start && n < MAX_FOLLOWED; n++) {
		if (!node || shadow_is_freed(node))
			return false;
		if (!is_head(node) && fn(node, address, name))
			return true;
		node = node->next;
	}
	return false;
}

static void
name_mm(const struct mm *mm, char name[16])
{
	if (mm->name[0])
		snprintf(name, 16, "%.15s", mm->name);
	else
		snprintf(name, 16, "mm%u", (u32)mm->id);
}

static bool
in_mm(const struct mm *mm, const void *address, char *name)
{
	name_mm(mm, name);
	return inside(address, mm, sizeof(*mm), name, mm_fields);
}

static bool
in_linked_mm(const struct list *link, const void *address, char *name)
{
	return in_mm(list_entry(link, struct mm, link), address, name);
}

static bool
in_linked_task(const struct list *link, const void *address, char *name)
{
	const struct task *task = list_entry(link, struct task, all_link);

	snprintf(name, WORD_NAME_LEN, "task %.15s", task->name);
	if (inside(address, task, sizeof(*task), name, task_fields))
		return true;
	if (!task->process || shadow_is_freed(task->process))
		return false;
	snprintf(name, WORD_NAME_LEN, "process %.15s", task->process->name);
	return inside(address, task->process, sizeof(*task->process), name,
		      process_fields);
}

static bool
in_cpu(const struct cpu *cpu, const void *address, char *name)
{
	snprintf(name, WORD_NAME_LEN, "cpu%u", cpu->id);
	if (inside(address, cpu, sizeof(*cpu), name, cpu_fields) ||
	    inside(address, &sim_cpus[cpu->id], sizeof(sim_cpus[0]), name,
		   sim_cpu_fields))
		return true;
	snprintf(name, WORD_NAME_LEN, "cpu%u.rq", cpu->id);
	return cpu->rq &&
	       inside(address, cpu->rq, sizeof(*cpu->rq), name, rq_fields);
}

static bool
in_object(const void *address, char *name)
{
	const struct task *idle = nr_cpus ? cpus[0].idle : NULL;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (in_cpu(&cpus[i], address, name))
			return true;
	return in_mm(&init_mm, address, name) ||
	       any_on_list(&init_mm.link, in_linked_mm, address, name) ||
	       (idle && (in_linked_task(&idle->all_link, address, name) ||
			 any_on_list(&idle->all_link, in_linked_task, address,
				     name)));
}

/* ---- Page tables ------------------------------------------------------- */

/* A word of the tables of one address space, looked for from the root down. */
struct search {
	const void *entry;	/* this one */
	int level;		/* found: of its table */
	u64 start;		/* found: the first address that it is for */
};

static bool
find_entry(const pte_t *table, int level, u64 start, struct search *search)
{
	unsigned used = level == TABLE_LEVELS ? USER_ROOT_PTES : PTES_PER_TABLE;
	size_t offset = (size_t)((const char *)search->entry -
				 (const char *)table);

	if (offset < used * sizeof(pte_t)) {
		search->level = level;
		search->start = start + offset / sizeof(pte_t) *
						pte_span(level);
		return true;
	}
	for (unsigned i = 0; level > 1 && i < used; i++) {
		paddr_t lower = table[i].bits & PTE_FRAME;

		if (lower && phys_valid(lower) &&
		    find_entry(phys_to_virt(lower), level - 1,
			       start + i * pte_span(level), search))
			return true;
	}
	return false;
}

static bool
in_tables_of(const struct list *link, const void *address, char *name)
{
	const struct mm *mm = list_entry(link, struct mm, link);
	struct search search = { .entry = address };
	char whose[16];

	if (!mm->root || !find_entry(phys_to_virt(mm->root), TABLE_LEVELS, 0,
				     &search))
		return false;
	name_mm(mm, whose);
	if (search.level == 1)
		snprintf(name, WORD_NAME_LEN, "%s's page entry for %#lx",
			 whose, search.start);
	else
		snprintf(name, WORD_NAME_LEN, "%s's level-%d entry for %#lx",
			 whose, search.level, search.start);
	return true;
}

/* The machine's word for all tables of an address space together. */
static bool
is_word_of(const struct list *link, const void *address, char *name)
{
	const struct mm *mm = list_entry(link, struct mm, link);
	char whose[16];
	paddr_t root;

	if (!mmu_is_word(address, &root) || root != mm->root)
		return false;
	name_mm(mm, whose);
	snprintf(name, WORD_NAME_LEN, "%s's tables", whose);
	return true;
}

/* The frame itself, or its struct page. */
static bool
in_frame(const void *address, char *name)
{
	size_t offset = (size_t)((const char *)address - sim_memory);
	size_t index = (size_t)((const char *)address - (const char *)frames);

	snprintf(name, WORD_NAME_LEN, "frame %zu", offset >> PAGE_SHIFT);
	if (offset < nr_frames << PAGE_SHIFT) {
		append_field(name, offset & ~PAGE_MASK, NULL);
		return true;
	}
	if (index >= nr_frames * sizeof(*frames))
		return false;
	snprintf(name, WORD_NAME_LEN, "frame %zu", index / sizeof(*frames));
	append_field(name, index % sizeof(*frames), page_fields);
	return true;
}

/* ---- All together ------------------------------------------------------ */

static bool
in_variable(const void *address, char *name)
{
	const void *base;
	const char *variable = variable_at(address, &base);

	if (!variable)
		return false;
	snprintf(name, WORD_NAME_LEN, "%.40s", variable);
	append_field(name, (size_t)((const char *)address -
				    (const char *)base), NULL);
	return true;
}

void
word_name(const void *address, char name[WORD_NAME_LEN])
{
	if (!in_object(address, name) &&
	    !any_on_list(&init_mm.link, in_tables_of, address, name) &&
	    !any_on_list(&init_mm.link, is_word_of, address, name) &&
	    !in_frame(address, name) && !in_variable(address, name))
		snprintf(name, WORD_NAME_LEN, "%p", address);
}

/* ---- Address spaces that may be gone by now ------------------------------ */

enum { MAX_MMS = 64 };	/* of one execution */

static char mm_names[MAX_MMS][16];

static bool
learn_name(const struct list *link, const void *unused, char *unused_name)
{
	const struct mm *mm = list_entry(link, struct mm, link);

	(void)unused, (void)unused_name;
	name_mm(mm, mm_names[mm->id % MAX_MMS]);
	return false;
}

void
mm_names_learn(void)
{
	learn_name(&init_mm.link, NULL, NULL);
	any_on_list(&init_mm.link, learn_name, NULL, NULL);
}

const char *
mm_name(u64 id)
{
	return mm_names[id % MAX_MMS];
}
