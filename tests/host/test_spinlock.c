// with: kernel/base/spinlock.c kernel/debug/spinlock.c kernel/symbols.c kernel/debug/yield.c
#include "host.h"

#include "kernel/base/spinlock.h"
#include "kernel/symbols.h"

const struct symbol kernel_symbols[] = {
	{ 0x1000, "first" }, { 0x2000, "second" }, { 0x2008, "third" },
};
const u64 kernel_symbols_count = 3;

/* ---- The machine ------------------------------------------------------ */

static u64 now;
static void (*on_wait)(void); /* what the other CPU does meanwhile */

u64
arch_time_ns(void)
{
	return now;
}

void
arch_spin_wait(const atomic_t *word, int busy)
{
	CHECK_EQ(atomic_read(word), busy);
	now += 1000000000;
	if (on_wait)
		on_wait();
}

static struct spinlock outer = SPINLOCK_INIT("outer", RANK_PROCESS);
static struct spinlock inner = SPINLOCK_INIT("inner", RANK_SLAB);
static struct spinlock buckets[2] = {
	SPINLOCK_INIT("bucket", RANK_FUTEX),
	SPINLOCK_INIT("bucket", RANK_FUTEX),
};

/* ---- Used rightly ----------------------------------------------------- */

static void
restores_interrupts(void)
{
	irq_flags_t first = spin_lock_irqsave(&outer), second;

	CHECK(!host_irqs_on);
	CHECK(spin_held(&outer) && !spin_held(&inner));
	second = spin_lock_irqsave(&inner);
	spin_unlock_irqrestore(&inner, second);
	CHECK(!host_irqs_on);
	spin_unlock_irqrestore(&outer, first);
	CHECK(host_irqs_on);
	CHECK(!spin_held(&outer));
	assert_no_spinlocks();
}

static void
any_order_of_release(void)
{
	irq_flags_t flags = spin_lock_irqsave(&outer);

	spin_lock(&buckets[0]);
	spin_lock(&buckets[1]);
	spin_unlock(&buckets[0]);
	spin_lock(&inner);
	spin_unlock(&outer);
	spin_unlock(&buckets[1]);
	CHECK_EQ(this_cpu()->nr_held, 1);
	CHECK(this_cpu()->held[0] == &inner);
	spin_unlock_irqrestore(&inner, flags);
}

static void
release_elsewhere(void)
{
	host_use_cpu(1);
	spin_unlock(&outer);
	host_use_cpu(0);
	on_wait = NULL;
}

static void
waits_for_the_holder(void)
{
	host_use_cpu(1);
	host_irqs_on = false;
	spin_lock(&outer);
	host_use_cpu(0);
	CHECK(!spin_held(&outer));
	on_wait = release_elsewhere;
	spin_lock(&outer);
	CHECK(spin_held(&outer));
	CHECK_EQ(now, 1000000000);
	spin_unlock(&outer);
	host_irqs_on = true;
}

/* ---- Used wrongly ----------------------------------------------------- */

static void
interrupts_on(void)
{
	CHECK_PANICS("interrupts on: lock \"outer\"", spin_lock(&outer));
}

static void
interrupts_turned_on(void)
{
	host_irqs_on = false;
	spin_lock(&outer);
	host_irqs_on = true;
	CHECK_PANICS("turned on under a spin lock", spin_unlock(&outer));
}

static void
taken_twice(void)
{
	irq_flags_t flags = spin_lock_irqsave(&outer);

	CHECK_PANICS("twice by one CPU: lock \"outer\" on cpu0",
		     spin_lock(&outer));
	CHECK(strstr(host_panic_text, "held by cpu0, taken at 0x"));
	(void)flags;
}

static void
wrong_order(void)
{
	irq_flags_t flags = spin_lock_irqsave(&inner);

	CHECK_PANICS("wrong order: cpu0 takes lock \"outer\" (rank 1)",
		     spin_lock(&outer));
	CHECK(strstr(host_panic_text, "holds \"inner\" (rank "));
	CHECK(strstr(host_panic_text, "taken at 0x"));
	(void)flags;
}

static void
wrong_order_below_the_top(void)
{
	struct spinlock middle = SPINLOCK_INIT("middle", RANK_TIMER);

	host_irqs_on = false;
	spin_lock(&outer);
	spin_lock(&middle);
	spin_lock(&inner);
	spin_unlock(&outer);
	CHECK_PANICS("holds \"middle\"", spin_lock(&outer));
}

static void
buckets_backwards(void)
{
	irq_flags_t flags = spin_lock_irqsave(&buckets[1]);

	CHECK_PANICS("wrong order", spin_lock(&buckets[0]));
	(void)flags;
}

static void
same_rank(void)
{
	struct spinlock other = SPINLOCK_INIT("other", RANK_SLAB);
	irq_flags_t flags = spin_lock_irqsave(&inner);

	CHECK_PANICS("takes lock \"other\"", spin_lock(&other));
	(void)flags;
}

static void
not_the_holder(void)
{
	host_irqs_on = false;
	CHECK_PANICS("nobody holds it", spin_unlock(&outer));
	host_irqs_on = false;
	spin_lock(&outer);
	host_use_cpu(1);
	CHECK_PANICS("does not hold it: lock \"outer\" on cpu1",
		     spin_unlock(&outer));
	CHECK(strstr(host_panic_text, "held by cpu0"));
}

static void
sleeping(void)
{
	irq_flags_t flags = spin_lock_irqsave(&inner);

	CHECK_PANICS("cpu0 holds spin lock \"inner\"", assert_no_spinlocks());
	(void)flags;
}

static void
holder_never_releases(void)
{
	host_irqs_on = false;
	spin_lock(&outer);
	host_use_cpu(1);
	CHECK_PANICS("waited 30 s for a spin lock: lock \"outer\" on cpu1",
		     spin_lock(&outer));
	CHECK(strstr(host_panic_text, "held by cpu0"));
	CHECK(now >= 30000000000 && now < 40000000000);
}

static void
after_a_panic(void)
{
	irq_flags_t flags = spin_lock_irqsave(&inner);

	host_use_cpu(1);
	spin_locks_give_up();
	spin_lock(&inner);   /* held by a CPU that has stopped */
	spin_lock(&outer);   /* and out of order */
	spin_unlock(&outer);
	spin_unlock(&inner);
	assert_no_spinlocks();
	CHECK_EQ(now, 0);
	arch_irq_restore(flags);
}

/* ---- Names of addresses ----------------------------------------------- */

static void
symbols(void)
{
	char name[SYMBOL_LEN];

	CHECK(!symbol_find(0xfff));
	CHECK(symbol_find(0x1000) == &kernel_symbols[0]);
	CHECK(symbol_find(0x1fff) == &kernel_symbols[0]);
	CHECK(symbol_find(0x2000) == &kernel_symbols[1]);
	CHECK(symbol_find(0x2007) == &kernel_symbols[1]);
	CHECK(symbol_find(0x2008) == &kernel_symbols[2]);
	CHECK(!symbol_find(0xffffffff80000000));
	symbol_format(name, sizeof(name), 0x2003);
	CHECK(strcmp(name, "second+0x3") == 0);
	symbol_format(name, sizeof(name), 0x2000);
	CHECK(strcmp(name, "second+0x0") == 0);
	symbol_format_caller(name, sizeof(name), 0x2000);
	CHECK(strcmp(name, "first+0x1000") == 0);
	symbol_format_caller(name, sizeof(name), 0x2001);
	CHECK(strcmp(name, "second+0x1") == 0);
	symbol_format(name, sizeof(name), 0xffffffff80000000);
	CHECK(strcmp(name, "0xffffffff80000000") == 0);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("nested locks put the interrupt flag back", restores_interrupts);
	test("locks may be released in any order", any_order_of_release);
	test("a lock held elsewhere is waited for", waits_for_the_holder);
	test("taking a lock with interrupts on panics", interrupts_on);
	test("releasing a lock with interrupts on panics",
	     interrupts_turned_on);
	test("taking a lock twice panics and says where", taken_twice);
	test("two locks in the wrong order panic and are both named",
	     wrong_order);
	test("the order is checked against every lock held",
	     wrong_order_below_the_top);
	test("two futex buckets nest in the order of their addresses only",
	     buckets_backwards);
	test("two locks of one rank do not nest", same_rank);
	test("only the holder may release a lock", not_the_holder);
	test("sleeping with a spin lock panics and names it", sleeping);
	test("a lock that is never released is reported, not waited for",
	     holder_never_releases);
	test("after a panic no lock waits or complains", after_a_panic);
	test("an address is named after the function that holds it", symbols);
	return host_result();
}
