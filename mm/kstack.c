/*
 * The area of kernel stacks is cut into slots of twice a stack's size: the
 * lower half of a slot is a hole for ever, the upper half is the stack.
 *
 *   slot n   | hole, KSTACK_SIZE | stack, KSTACK_SIZE |   slot n + 1 ...
 *
 * A freed stack stays mapped, first on its CPU's short list, then in a set of
 * free slots, until kstack_drain() unmaps it.
 */
#include "mm/kstack.h"

#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "kernel/base/spinlock.h"
#include "kernel/base/string.h"
#include "mm/fail.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/tlb.h"

#define SLOT_SIZE (2 * KSTACK_SIZE)

enum {
	NR_SLOTS = 65536,
	LOCAL_STACKS = 4, /* kept by each CPU */
	DRAIN_BATCH = 64, /* unmapped for one flush of all CPUs */
	BITS = 64,
	STACK_PAGES = KSTACK_SIZE / PAGE_SIZE,
};

STATIC_ASSERT(NR_SLOTS * SLOT_SIZE <= KSTACK_END - KSTACK_BASE,
	      "the slots lie in the area");

/* One CPU's, touched by that CPU alone with interrupts off. */
struct stack_list {
	unsigned count;
	vaddr_t stacks[LOCAL_STACKS];
} __aligned(64);

static struct stack_list lists[MAX_CPUS];

/* A set of slots. Bits below word @first are clear, so that finding one that
 * is set does not start from the beginning each time. */
struct slot_set {
	u64 words[NR_SLOTS / BITS];
	unsigned first;
	unsigned count;
};

static struct spinlock stacks_lock = SPINLOCK_INIT("kstacks", RANK_SLAB);
/* under stacks_lock */
static struct slot_set empty; /* nothing mapped */
static struct slot_set idle;  /* mapped, nobody's */

/* Guards the area's page tables, also while a drain waits for the flush: a
 * table on its way out may not be mapped into. */
static struct mutex area_mutex;
static struct mm area; /* what mm/pgtable.c needs: the root and the totals */

static vaddr_t
stack_of(unsigned slot)
{
	return KSTACK_BASE + slot * SLOT_SIZE + KSTACK_SIZE;
}

static unsigned
slot_of(vaddr_t stack)
{
	return (stack - KSTACK_BASE) / SLOT_SIZE;
}

/* ---- Sets of slots ------------------------------------------------------ */

static bool
in_set(const struct slot_set *set, unsigned slot)
{
	return set->words[slot / BITS] >> (slot % BITS) & 1;
}

static void
add_slot(struct slot_set *set, unsigned slot)
{
	ASSERT(!in_set(set, slot));
	set->words[slot / BITS] |= 1ul << (slot % BITS);
	set->first = MIN(set->first, slot / BITS);
	set->count++;
}

/* Takes the lowest slot out; -1: the set is empty. */
static int
take_slot(struct slot_set *set)
{
	unsigned bit;

	if (set->count == 0)
		return -1;
	while (set->words[set->first] == 0)
		set->first++;
	bit = __builtin_ctzll(set->words[set->first]);
	set->words[set->first] &= ~(1ul << bit);
	set->count--;
	return set->first * BITS + bit;
}

static void
fill_set(struct slot_set *set)
{
	memset(set->words, 0xff, sizeof(set->words));
	set->first = 0;
	set->count = NR_SLOTS;
}

static int
take_slot_locked(struct slot_set *set)
{
	irq_flags_t flags = spin_lock_irqsave(&stacks_lock);
	int slot = take_slot(set);

	spin_unlock_irqrestore(&stacks_lock, flags);
	return slot;
}

static void
add_slot_locked(struct slot_set *set, unsigned slot)
{
	irq_flags_t flags = spin_lock_irqsave(&stacks_lock);

	add_slot(set, slot);
	spin_unlock_irqrestore(&stacks_lock, flags);
}

/* ---- Mapping ------------------------------------------------------------ */

/* The kernel's root never changes, so the table below it that the area hangs
 * on must not be freed when the last stack goes: it counts an entry more. */
static void
pin_area(void)
{
	const pte_t *root = phys_to_virt(area.root);
	pte_t top = root[pte_index(KSTACK_BASE, TABLE_LEVELS)];
	struct page *table;

	ASSERT(pte_present(top));
	table = phys_to_page(pte_paddr(top));
	table->used_entries = 1;
	table->detached_entries = 0;
	table->first_entry = PTES_PER_TABLE;
	table->last_entry = 0;
}

void
kstack_init(void)
{
	area.root = arch_kernel_root();
	mutex_init(&area_mutex, "kernel stacks");
	pin_area();
	fill_set(&empty);
}

static void
put_pages(struct page **pages, unsigned n)
{
	while (n-- > 0)
		put_page(pages[n]);
}

/* area_mutex is held. A slot lies in one leaf table, so only the first page
 * can find a table missing, and then nothing is mapped yet. */
static int
map_pages(vaddr_t stack, struct page **pages)
{
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		int err = pgtable_map(&area, stack + i * PAGE_SIZE, pages[i],
				      PAGE_WRITE);

		ASSERT(err == 0 || i == 0);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Makes the stack of @slot. May sleep. */
static int
map_stack(unsigned slot)
{
	struct page *pages[STACK_PAGES];
	unsigned n;
	int err;

	for (n = 0; n < STACK_PAGES; n++) {
		pages[n] = alloc_pages_uncounted(0, ALLOC_STACK);
		if (!pages[n])
			break;
	}
	if (n < STACK_PAGES) {
		put_pages(pages, n);
		return -ENOMEM;
	}
	mutex_lock(&area_mutex);
	err = map_pages(stack_of(slot), pages);
	mutex_unlock(&area_mutex);
	if (err < 0)
		put_pages(pages, STACK_PAGES);
	return err;
}

static vaddr_t
new_stack(void)
{
	int slot = take_slot_locked(&empty);

	if (slot < 0)
		return 0;
	if (map_stack(slot) < 0) {
		add_slot_locked(&empty, slot);
		return 0;
	}
	return stack_of(slot);
}

/* ---- Handing out -------------------------------------------------------- */

vaddr_t
kstack_alloc(void)
{
	struct stack_list *list;
	irq_flags_t flags;
	vaddr_t stack = 0;
	int slot;

	if (should_fail_allocation(ALLOC_STACK))
		return 0;
	flags = arch_irq_save();
	list = &lists[this_cpu()->id];
	if (likely(list->count > 0))
		stack = list->stacks[--list->count];
	arch_irq_restore(flags);
	if (likely(stack))
		return stack;
	slot = take_slot_locked(&idle);
	return slot >= 0 ? stack_of(slot) : new_stack();
}

void
kstack_free(vaddr_t stack)
{
	irq_flags_t flags = arch_irq_save();
	struct stack_list *list = &lists[this_cpu()->id];

	DEBUG_ASSERT(stack == stack_of(slot_of(stack)));
	if (likely(list->count < LOCAL_STACKS))
		list->stacks[list->count++] = stack;
	else
		add_slot_locked(&idle, slot_of(stack));
	arch_irq_restore(flags);
}

bool
kstack_cache_full(void)
{
	/* 1/64 of memory: 32 stacks of 32 MiB. */
	return READ_ONCE(idle.count) * STACK_PAGES > nr_total_pages() / 64;
}

/* ---- Giving back -------------------------------------------------------- */

void
kstack_drain_local(void)
{
	irq_flags_t flags = arch_irq_save();
	struct stack_list *list = &lists[this_cpu()->id];

	while (list->count > 0)
		add_slot_locked(&idle, slot_of(list->stacks[--list->count]));
	arch_irq_restore(flags);
}

/* Takes idle slots and detaches their stacks; returns how many. */
static unsigned
detach_batch(int *slots)
{
	unsigned n = 0;

	while (n < DRAIN_BATCH && (slots[n] = take_slot_locked(&idle)) >= 0) {
		vaddr_t stack = stack_of(slots[n++]);

		pgtable_detach(&area, stack, stack + KSTACK_SIZE);
	}
	return n;
}

static void
release_batch(const int *slots, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		vaddr_t stack = stack_of(slots[i]);

		pgtable_release(&area, stack, stack + KSTACK_SIZE);
		add_slot_locked(&empty, slots[i]);
	}
}

void
kstack_drain(void)
{
	int slots[DRAIN_BATCH];
	unsigned n;

	kstack_drain_local();
	mutex_lock(&area_mutex);
	while ((n = detach_batch(slots)) > 0) {
		flush_tlb_all();
		release_batch(slots, n);
	}
	mutex_unlock(&area_mutex);
}

/* ---- Asking ------------------------------------------------------------- */

static bool
in_area(vaddr_t addr)
{
	return addr >= KSTACK_BASE && addr < stack_of(NR_SLOTS);
}

bool
kstack_is_guard(vaddr_t addr)
{
	return in_area(addr) && (addr - KSTACK_BASE) % SLOT_SIZE < KSTACK_SIZE;
}

bool
kstack_contains(vaddr_t addr)
{
	const pte_t *entry;

	if (!in_area(addr) || !area.root)
		return false;
	entry = pgtable_lookup(&area, addr);
	return entry && pte_present(pte_read(entry));
}
