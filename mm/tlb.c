/*
 * What each CPU has loaded, lazy mode, shootdowns. See mm/tlb.h.
 *
 * The words that CPUs read of each other, and in which order:
 *
 *   switch_mm (CPU P, to mm)            shoot_down (CPU Q, of mm)
 *     set P in mm->cpumask                change the page tables
 *     full barrier                        raise mm->tlb_gen
 *     read mm->tlb_gen                    full barrier
 *     load CR3                            read mm->cpumask, loaded, lazy
 *     loaded = mm                         interrupt P
 *
 * Whichever comes second sees the other: either P reads the new generation
 * and starts clean, or Q finds P in the mask and interrupts it. The answer to
 * the interrupt is explicit (tlb_served), since P may be anywhere inside the
 * left column, and only its interrupts-on end is a safe point.
 */
#include "mm/tlb.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/cpu.h"
#include "kernel/base/yield.h"
#include "kernel/trace.h"
#include "mm/mm.h"

/* Above this many pages one full flush is cheaper than single ones. */
enum { FLUSH_RANGE_PAGES = 16 };

/* Raised when kernel mappings go away; CPUs compare seen_kernel_gen. */
static atomic64_t kernel_gen;

static u64
cpu_bit(const struct cpu *cpu)
{
	return 1ul << cpu->id;
}

static void
flush_everything(struct cpu *cpu)
{
	arch_flush_all();
	cpu->counts[COUNT_FLUSH_FULL]++;
	cpu->counts[COUNT_CR3_WRITES]++;
	trace(TRACE_FLUSH, cpu->loaded, ~0ul, CALLER);
}

static void
flush_pages(struct cpu *cpu, uaddr_t start, uaddr_t end)
{
	for (uaddr_t addr = start; addr < end; addr += PAGE_SIZE)
		arch_flush_page(addr);
	cpu->counts[COUNT_FLUSH_RANGE]++;
	trace(TRACE_FLUSH, cpu->loaded, start, CALLER);
}

/* ---- Switching -------------------------------------------------------- */

/*
 * The same address space again. While this CPU was lazy nobody interrupted it
 * for freed pages, so look whether any were.
 *
 * The barrier pairs with the one in shoot_down(): without it Q could still
 * read lazy == true, and P the old generation, and a stale entry would live.
 */
void
leave_lazy_tlb(struct cpu *cpu)
{
	struct mm *mm = cpu->loaded;
	u64 gen;

	DEBUG_ASSERT(cpu == this_cpu() && !arch_irqs_on());
	yield_point(YIELD_UNLAZY);
	WRITE_ONCE(cpu->lazy, false);
	smp_mb();
	yield_point(YIELD_UNLAZIED);
	gen = atomic64_read(&mm->tlb_gen);
	if (cpu->seen_gen == gen) {
		cpu->counts[COUNT_CR3_SPARED]++;
		return;
	}
	flush_everything(cpu);
	cpu->counts[COUNT_FLUSH_UNLAZY]++;
	cpu->seen_gen = gen;
}

void
load_mm(struct cpu *cpu, struct mm *next)
{
	struct mm *prev = cpu->loaded;
	u64 bit = cpu_bit(cpu), gen;

	DEBUG_ASSERT(cpu == this_cpu() && !arch_irqs_on());
	DEBUG_ASSERT(prev != next);
	/* In the mask before the generation is read and the root loaded: a
	 * shootdown in between must find us (Linux: 71b3c126e611). */
	atomic64_or(&next->cpumask, bit);
	yield_point(YIELD_MASK_SET);
	/* No longer lazy before loaded names the new one: shoot_down() reads
	 * them in the other order, and must never see the old lazy with the
	 * new loaded. */
	WRITE_ONCE(cpu->lazy, false);
	gen = atomic64_read(&next->tlb_gen);
	arch_load_root(next->root);
	cpu->counts[COUNT_CR3_WRITES]++;
	yield_point(YIELD_ROOT_LOADED);
	cpu->seen_gen = gen;
	store_release(&cpu->loaded, next);
	/* Out of the old mask only now that its root is gone from CR3. */
	atomic64_and(&prev->cpumask, ~bit);
	trace(TRACE_CR3, next, next->root, CALLER);
}

void
enter_lazy_tlb(void)
{
	struct cpu *cpu = this_cpu();

	DEBUG_ASSERT(!arch_irqs_on());
	WRITE_ONCE(cpu->lazy, true);
	trace(TRACE_LAZY, cpu->loaded, 0, CALLER);
}

void
leave_mm(void)
{
	struct cpu *cpu = this_cpu();

	DEBUG_ASSERT(!arch_irqs_on());
	ASSERT(cpu->lazy);
	if (cpu->loaded == &init_mm)
		return;
	switch_mm(&init_mm);
	WRITE_ONCE(cpu->lazy, true);
	cpu->counts[COUNT_LEFT_ROOT]++;
}

/* ---- Shootdowns, receiving side --------------------------------------- */

/*
 * A lazy CPU needs nothing but safety from freed tables. If the address space
 * lives on, more tables may go later: move to init_mm's root, so that this
 * CPU is not bothered again. At teardown there is no later: the user half is
 * empty from now on, so stay, with nothing left in the caches.
 *
 * This CPU may be here for another shootdown, while who frees tables is about
 * to write table_gen. Too early is no harm: his interrupt is still to come.
 */
static void
catch_up_lazy(struct cpu *cpu, struct mm *mm, u64 gen)
{
	if (cpu->seen_gen >= READ_ONCE(mm->table_gen))
		return;
	if (mm_users(mm) > 0) {
		leave_mm();
		return;
	}
	flush_everything(cpu);
	cpu->seen_gen = gen;
}

/*
 * Drops what this CPU may hold of changes up to now. The range is only right
 * for the newest change, and only while its author waits for us: so not for a
 * lazy CPU, and not when we are more than one generation behind.
 */
static void
catch_up(struct cpu *cpu)
{
	struct mm *mm = cpu->loaded;
	u64 gen = atomic64_read(&mm->tlb_gen);
	u64 bytes;

	if (cpu->seen_gen == gen)
		return;
	if (cpu->lazy) {
		catch_up_lazy(cpu, mm, gen);
		return;
	}
	bytes = mm->flush_end - mm->flush_start;
	if (cpu->seen_gen + 1 == gen && bytes <= FLUSH_RANGE_PAGES * PAGE_SIZE)
		flush_pages(cpu, mm->flush_start, mm->flush_end);
	else
		flush_everything(cpu);
	cpu->seen_gen = gen;
}

static void
catch_up_kernel(struct cpu *cpu)
{
	u64 gen = atomic64_read(&kernel_gen);

	if (cpu->seen_kernel_gen == gen)
		return;
	arch_flush_kernel();
	cpu->seen_kernel_gen = gen;
}

void
tlb_flush_interrupt(void)
{
	struct cpu *cpu = this_cpu();
	int requests = atomic_read(&cpu->tlb_requests);

	smp_mb(); /* the requests before what they are about */
	catch_up(cpu);
	catch_up_kernel(cpu);
	store_release(&cpu->tlb_served.value, requests);
}

/* ---- Shootdowns, sending side ----------------------------------------- */

/*
 * May @cpu, which is in the mask, be left alone? Only if it has @mm loaded
 * and is lazy. loaded is read first: switch_mm() writes lazy first, so a CPU
 * seen with @mm loaded cannot show the laziness it had on another one.
 */
static bool
spared(const struct cpu *cpu, const struct mm *mm, bool freed_tables)
{
	if (freed_tables)
		return false;
	return load_acquire(&cpu->loaded) == mm && load_acquire(&cpu->lazy);
}

static int
interrupt_cpu(struct cpu *cpu)
{
	int request = atomic_add_return(&cpu->tlb_requests, 1);

	arch_send_ipi(cpu->id, IPI_TLB);
	count_event(COUNT_IPIS_TLB);
	return request;
}

static void
wait_until_served(struct cpu *cpu, int request)
{
	int served;

	while ((served = load_acquire(&cpu->tlb_served.value)) - request < 0)
		arch_spin_wait(&cpu->tlb_served, served);
}

/* Interrupts every CPU of @mask but this one that is not spared, all at once,
 * then waits for their answers. The caller cannot migrate: the kernel is not
 * preemptible. */
static void
shoot_down(u64 mask, const struct mm *mm, bool freed_tables)
{
	int request[MAX_CPUS];
	u64 told = 0;

	mask &= ~cpu_bit(this_cpu());
	for (u64 rest = mask; rest; rest &= rest - 1) {
		unsigned id = first_bit(rest);
		struct cpu *cpu = cpu_by_id(id);

		if (mm && spared(cpu, mm, freed_tables)) {
			count_event(COUNT_IPIS_SPARED);
			continue;
		}
		trace(TRACE_IPI, mm, id, CALLER);
		request[id] = interrupt_cpu(cpu);
		told |= 1ul << id;
	}
	for (u64 rest = told; rest; rest &= rest - 1) {
		unsigned id = first_bit(rest);

		wait_until_served(cpu_by_id(id), request[id]);
	}
}

static void
catch_up_here(const struct mm *mm)
{
	irq_flags_t flags = arch_irq_save();

	if (this_cpu()->loaded == mm)
		catch_up(this_cpu());
	arch_irq_restore(flags);
}

void
flush_tlb_range(struct mm *mm, uaddr_t start, uaddr_t end, bool freed_tables)
{
	u64 gen;

	ASSERT(arch_irqs_on());
	assert_no_spinlocks();
	DEBUG_ASSERT(mutex_held(&mm->lock) || mm_users(mm) == 0);
	mm->flush_start = start;
	mm->flush_end = end;
	/* A full barrier: the changed tables, the range, then the generation,
	 * all before the mask, loaded and lazy are read. */
	gen = atomic64_add_return(&mm->tlb_gen, 1);
	if (freed_tables)
		WRITE_ONCE(mm->table_gen, gen);
	yield_point(YIELD_GENERATION);
	catch_up_here(mm);
	shoot_down(atomic64_read(&mm->cpumask), mm, freed_tables);
}

void
flush_tlb_page(struct mm *mm, uaddr_t addr)
{
	flush_tlb_range(mm, addr, addr + PAGE_SIZE, false);
}

void
flush_tlb_mm(struct mm *mm)
{
	flush_tlb_range(mm, 0, USER_END, true);
}

void
flush_tlb_all(void)
{
	irq_flags_t flags;

	ASSERT(arch_irqs_on());
	assert_no_spinlocks();
	atomic64_add_return(&kernel_gen, 1);
	flags = arch_irq_save();
	catch_up_kernel(this_cpu());
	arch_irq_restore(flags);
	shoot_down(online_cpus(), NULL, true);
}
