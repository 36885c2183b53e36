/*
 * An address space, and its life. Two counters:
 *
 *   users  how many tasks live in it (and outsiders, for one operation each);
 *          at 0 the contents go: user pages and user page tables
 *   count  how many keep its struct and root alive: one for all users
 *          together, plus one for each borrower; at 0 struct and root go,
 *          perhaps on another CPU, much later
 *
 * They print as U/C. 0/1 is legal: a zombie, on which somebody still stands.
 * Read Linux: include/linux/mm_types.h, include/linux/sched/mm.h and
 * Documentation/mm/active_mm.rst.
 */
#pragma once

#include "kernel/base/list.h"
#include "mm/ledger.h"
#include "mm/pgtable.h"
#include "mm/region.h"
#include "sched/mutex.h"

struct task;

struct mm {
	atomic_t users;
	atomic_t count;
	u64 id;			/* never reused, unlike address and root */
	paddr_t root;		/* physical address of the top-level table */

	/* mm/tlb.c */
	atomic64_t cpumask;	/* CPUs that may have it loaded: a superset */
	atomic64_t tlb_gen;	/* raised by every change that needs a flush */
	u64 table_gen;		/* tlb_gen of the last freed table */
	uaddr_t flush_start, flush_end; /* what the newest tlb_gen is about */

	/* under lock */
	struct mutex lock;
	struct region_tree regions;
	uaddr_t brk_start, brk;
	u64 nr_pages;		/* user pages mapped */
	u64 nr_tables;		/* user page tables, the root not counted */

	bool torn_down;		/* exit_mmap has run */
	char name[16];		/* the program, for people */
	struct list link;	/* all address spaces: mm_list_lock */
	struct list reap_link;	/* the reaper's: mmput_by_reaper() */
#ifdef CONFIG_DEBUG
	struct list ledger;	/* struct ledger_entry: ledger's lock */
	struct {		/* kernel/debug/invariants.c: recounted */
		u64 epoch;
		int users, count;
	} check;
#endif
};

/* The kernel's own: no user half, no users. Its count is exact: one static
 * reference plus its borrowers. */
extern struct mm init_mm;

void mm_init(void); /* at boot: caches, init_mm */

/* The value of @call, which wants mm->lock. */
#define mm_locked(mm, call)                \
	({                                 \
		__typeof__(call) result_;  \
		mutex_lock(&(mm)->lock);   \
		result_ = (call);          \
		mutex_unlock(&(mm)->lock); \
		result_;                   \
	})

/* ---- The counters ----------------------------------------------------- */

/* One more user; the caller already is one, or holds another's for it. */
void mmget(struct mm *mm, enum mm_ref why, const void *holder);
/* One more user unless there is none left: false, and nothing changed. The
 * caller must hold a reference on count. */
bool mmget_not_zero(struct mm *mm, const void *holder) __must_check;
/* One user less. The last one tears the contents down and drops the users'
 * common reference. May sleep. */
void mmput(struct mm *mm, enum mm_ref why, const void *holder);

/* The same for an outsider's REF_GET, unless it is the last one: then false,
 * and nothing has changed. Does not sleep. */
bool mmput_unless_last(struct mm *mm, const void *holder) __must_check;

/* One more, or one less, on count. The last drop frees root and struct: with
 * no spin lock held, not in an interrupt, never for init_mm. */
void mmgrab(struct mm *mm, enum mm_ref why, const void *holder);
void mmdrop(struct mm *mm, enum mm_ref why, const void *holder);

/* ---- Its life --------------------------------------------------------- */

/* A new, empty address space, 1/1; its one user is @holder, building it.
 * NULL: no memory. */
struct mm *mm_alloc(const void *holder);

/* fork and clone: gives @child an mm. @clone_vm: the caller's own, users + 1;
 * otherwise a copy of it, 1/1. A kernel thread's child gets none. -ENOMEM. */
int copy_mm(struct task *child, bool clone_vm);
/* Undoes copy_mm() for a child that never ran. */
void uncopy_mm(struct task *child);

/* The current task leaves its address space and stays on as a borrower until
 * it is switched away from. May sleep (teardown). */
void exit_mm(void);

/* The current task, user or kernel thread, moves into @new, taking over its
 * building reference. May sleep (the old one's teardown). */
void exec_mmap(struct mm *new);

/* A kernel thread adopts @mm, on which it (or the one it works for) holds
 * users for the whole window; and lets go of it again. */
void kthread_use_mm(struct mm *mm);
void kthread_unuse_mm(struct mm *mm);

/* The current task, lazy, trades what it borrows for init_mm. For a CPU that
 * goes offline, and to let the last borrower of a zombie go. */
void return_borrow(void);

/* The caller's own view, without side effects: for statistics. */
static inline int
mm_users(const struct mm *mm)
{
	return atomic_read(&mm->users);
}

static inline int
mm_count(const struct mm *mm)
{
	return atomic_read(&mm->count);
}

/* Calls @fn for every live mm, init_mm first, with mm_list_lock held: @fn
 * must not sleep. Stops when @fn returns false. */
void mm_for_each(bool (*fn)(struct mm *mm, void *arg), void *arg);
/* The live mm with @id, with a REF_PIN on it for @holder; or NULL. */
struct mm *mm_find(u64 id, const void *holder);
unsigned nr_mms(void); /* alive, init_mm and zombies included */
