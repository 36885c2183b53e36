/*
 * The ledger: one entry a reference, on a list of its mm. Entries come from a
 * pool that is made at boot, since references change hands where nothing may be
 * allocated.
 */
#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/plausible.h"
#include "kernel/process.h"
#include "kernel/symbols.h"
#include "mm/mm.h"
#include "sched/task.h"

enum {
	/* A task that lives, borrows, is served, and pins another. */
	REFS_PER_TASK = 4,
	MAX_ENTRIES = REFS_PER_TASK * PID_MAX,
	MAX_PRINTED = 48,
	MAX_HOLDER = 56,
	MAX_SENTENCE = 112,
};

struct ledger_entry {
	struct list link; /* mm->ledger, newest first; or the free list */
	const void *holder;
	u64 caller;
	tid_t tid; /* who took it, on which CPU */
	u16 cpu;
	u16 why; /* enum mm_ref */
};

static struct spinlock ledger_lock = SPINLOCK_INIT("ledger", RANK_LEDGER);

/* Under ledger_lock, like every mm->ledger. */
static struct ledger_entry *pool;
static unsigned pool_size; /* entries */
static unsigned pool_used; /* entries from here on were never taken */
static struct list pool_free = LIST_INIT(pool_free);

/* ---- Entries ---------------------------------------------------------- */

/* One a frame: a task has a stack of KSTACK_SIZE / PAGE_SIZE = REFS_PER_TASK
 * frames, and an mm, which counts its users as one, has a root. */
size_t
ledger_size(u64 memory)
{
	STATIC_ASSERT(KSTACK_SIZE / PAGE_SIZE >= REFS_PER_TASK,
		      "a task's stack is worth its references");
	return MIN(memory / PAGE_SIZE, (u64)MAX_ENTRIES) *
	       sizeof(struct ledger_entry);
}

void
ledger_boot(void *memory, size_t size)
{
	pool = memory;
	pool_size = size / sizeof(struct ledger_entry);
}

static struct ledger_entry *
entry_alloc(void)
{
	struct ledger_entry *entry;

	if (list_empty(&pool_free)) {
		if (pool_used == pool_size)
			panic("the ledger's %u entries are used up: somebody "
			      "takes references and does not give them back",
			      pool_size);
		return &pool[pool_used++];
	}
	entry = list_first(&pool_free, struct ledger_entry, link);
	list_del(&entry->link);
	return entry;
}

static void
entry_free(struct ledger_entry *entry)
{
	list_del(&entry->link);
	list_add(&pool_free, &entry->link);
}

static struct ledger_entry *
entry_find(struct mm *mm, enum mm_ref why, const void *holder)
{
	struct ledger_entry *entry;

	list_for_each(entry, &mm->ledger, link)
		if (entry->why == why && entry->holder == holder)
			return entry;
	return NULL;
}

static void
entry_fill(struct ledger_entry *entry, enum mm_ref why, const void *holder,
	   u64 caller)
{
	entry->why = why;
	entry->holder = holder;
	entry->caller = caller;
	entry->cpu = this_cpu()->id;
	entry->tid = current ? current->tid : 0;
}

/* ---- Names of holders ------------------------------------------------- */

static void
task_name(char buf[MAX_HOLDER], const struct task *task)
{
	if ((const void *)task == &init_mm)
		strscpy(buf, "the kernel itself", MAX_HOLDER);
	else if (plausible_task(task))
		snprintf(buf, MAX_HOLDER, "%s %d %s",
			 task->is_kthread ? "kernel thread"
			 : task->exiting  ? "exiting task"
					  : "task",
			 task->tid, task->name);
	else
		snprintf(buf, MAX_HOLDER, "something at %#lx", (u64)task);
}

static void
cpu_name(char buf[MAX_HOLDER], const struct cpu *cpu)
{
	if (cpu >= cpus && cpu < cpus + MAX_CPUS)
		snprintf(buf, MAX_HOLDER, "cpu%u", cpu->id);
	else
		snprintf(buf, MAX_HOLDER, "something at %#lx", (u64)cpu);
}

/* How a reference is told: before and after the holder's name. */
static const struct {
	const char *before, *after;
} sentences[NR_MM_REFS] = {
	[REF_TASK] = { "user: ", " lives here" },
	[REF_GET] = { "user: ", ", for one operation" },
	[REF_BUILDING] = { "user: being built by ", "" },
	[REF_USERS] = { "one for all users together", "" },
	[REF_STATIC] = { "static, for ever", "" },
	[REF_BORROW] = { "borrowed by ", "" },
	[REF_PARKED] = { "parked on ", " until its finish step" },
	[REF_ADOPTED] = { "adopted by ", "" },
	[REF_PIN] = { "pinned by ", "" },
};

/* "borrowed by kernel thread 7 reaper/3" */
static void
describe(char buf[MAX_SENTENCE], enum mm_ref why, const void *holder)
{
	char name[MAX_HOLDER] = "";

	if (why == REF_PARKED)
		cpu_name(name, holder);
	else if (why != REF_USERS && why != REF_STATIC)
		task_name(name, holder);
	snprintf(buf, MAX_SENTENCE, "%s%s%s", sentences[why].before, name,
		 sentences[why].after);
}

/* ---- Keeping it ------------------------------------------------------- */

void
ledger_init(struct mm *mm)
{
	list_init(&mm->ledger);
}

void
ledger_add(struct mm *mm, enum mm_ref why, const void *holder, u64 caller)
{
	irq_flags_t flags = spin_lock_irqsave(&ledger_lock);
	struct ledger_entry *entry = entry_alloc();

	entry_fill(entry, why, holder, caller);
	list_add(&mm->ledger, &entry->link);
	spin_unlock_irqrestore(&ledger_lock, flags);
}

static void __noreturn
missing(const struct mm *mm, const char *what, enum mm_ref why,
	const void *holder, u64 caller)
{
	char sentence[MAX_SENTENCE], where[SYMBOL_LEN];

	describe(sentence, why, holder);
	symbol_format_caller(where, sizeof(where), caller);
	panic_mm(mm, "mm %lu is %d/%d, and at %s a reference is %s that "
		 "nobody took: %s", mm->id, mm_users(mm), mm_count(mm), where,
		 what, sentence);
}

void
ledger_remove(struct mm *mm, enum mm_ref why, const void *holder, u64 caller)
{
	irq_flags_t flags = spin_lock_irqsave(&ledger_lock);
	struct ledger_entry *entry = entry_find(mm, why, holder);

	if (!entry)
		missing(mm, "dropped", why, holder, caller);
	entry_free(entry);
	spin_unlock_irqrestore(&ledger_lock, flags);
}

void
ledger_move(struct mm *mm, enum mm_ref why, const void *holder,
	    enum mm_ref new_why, const void *new_holder, u64 caller)
{
	irq_flags_t flags = spin_lock_irqsave(&ledger_lock);
	struct ledger_entry *entry = entry_find(mm, why, holder);

	if (!entry)
		missing(mm, "passed on", why, holder, caller);
	entry_fill(entry, new_why, new_holder, caller);
	spin_unlock_irqrestore(&ledger_lock, flags);
}

void
ledger_close(struct mm *mm, u64 caller)
{
	irq_flags_t flags = spin_lock_irqsave(&ledger_lock);
	char where[SYMBOL_LEN];

	if (!list_empty(&mm->ledger)) {
		symbol_format_caller(where, sizeof(where), caller);
		panic_mm(mm, "mm %lu is %d/%d and being freed at %s, but its "
			 "ledger still names who holds it", mm->id,
			 mm_users(mm), mm_count(mm), where);
	}
	spin_unlock_irqrestore(&ledger_lock, flags);
}

unsigned
ledger_count(const struct mm *mm, enum mm_ref why)
{
	irq_flags_t flags = spin_lock_irqsave(&ledger_lock);
	struct ledger_entry *entry;
	unsigned n = 0;

	list_for_each(entry, &mm->ledger, link)
		n += entry->why == why;
	spin_unlock_irqrestore(&ledger_lock, flags);
	return n;
}

/* ---- Printing it ------------------------------------------------------ */

/* The list's next entry, or NULL at its end, and where it leads out of the
 * pool: the mm may be freed, and its list junk. */
static const struct ledger_entry *
next_entry(const struct mm *mm, const struct list *link, bool *damaged)
{
	const struct list *next = link->next;

	*damaged = false;
	if (next == &mm->ledger)
		return NULL;
	if ((u64)next >= (u64)pool && (u64)next < (u64)(pool + pool_size) &&
	    ((u64)next - (u64)pool) % sizeof(pool[0]) ==
		    offsetof(struct ledger_entry, link))
		return list_entry(next, struct ledger_entry, link);
	*damaged = true;
	return NULL;
}

static void
print_entry(const struct ledger_entry *entry)
{
	char sentence[MAX_SENTENCE], where[SYMBOL_LEN];

	if (entry->why >= NR_MM_REFS) {
		printk(LOG_INFO, "  an entry that is junk");
		return;
	}
	describe(sentence, entry->why, entry->holder);
	symbol_format_caller(where, sizeof(where), entry->caller);
	printk(LOG_INFO, "  %s; taken at %s on cpu%u by task %d", sentence,
	       where, entry->cpu, entry->tid);
}

static bool
counts_users(enum mm_ref why)
{
	return why == REF_TASK || why == REF_GET || why == REF_BUILDING;
}

static void
print_totals(const struct mm *mm, unsigned users, unsigned count)
{
	if (users + count > MAX_PRINTED)
		printk(LOG_INFO, "  and %u more", users + count - MAX_PRINTED);
	printk(LOG_INFO, "  together %u/%u; the counters say %d/%d", users,
	       count, mm_users(mm), mm_count(mm));
}

void
ledger_print(const struct mm *mm)
{
	irq_flags_t flags = spin_lock_irqsave(&ledger_lock);
	const struct list *link = &mm->ledger;
	const struct ledger_entry *entry;
	unsigned users = 0, count = 0;
	bool damaged;

	printk(LOG_INFO, "who holds mm %lu:", mm->id);
	while ((entry = next_entry(mm, link, &damaged)) &&
	       users + count < pool_size /* else it goes in circles */) {
		if (counts_users(entry->why))
			users++;
		else
			count++;
		if (users + count <= MAX_PRINTED)
			print_entry(entry);
		link = &entry->link;
	}
	if (damaged)
		printk(LOG_INFO, "  the rest is junk: has the mm been freed?");
	print_totals(mm, users, count);
	spin_unlock_irqrestore(&ledger_lock, flags);
}
