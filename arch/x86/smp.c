/*
 * Waking the other CPUs, one after another: INIT, STARTUP, and then waiting
 * until it says that it is there. Intel SDM volume 3, 9.4 (the protocol).
 *
 * A CPU may be slow (the host is busy) or never come. The boot CPU waits long,
 * and then gives the slot up; the CPU that comes after all finds it given up and
 * parks itself, mostly in the trampoline: boot/trampoline.asm.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "mm/kstack.h"

enum {
	INIT_US = 10000,     /* between INIT and STARTUP */
	STARTUP_US = 1000,   /* before STARTUP is sent once more */
	SKIPPED_US = 100000, /* patience with a CPU that is said to be missing */
};

#define ANSWER_NS   (15ul * 1000 * 1000 * 1000)
#define NS_PER_US   1000ul
#define SKIPPED_NS  (SKIPPED_US * NS_PER_US)

/* Each step is taken by a compare-and-swap, so that "given up" excludes the
 * steps that would have followed. */
enum ap_state {
	AP_NONE,     /* nobody is asked for */
	AP_WAITING,  /* the boot CPU waits */
	AP_TAKEN,    /* the CPU came and uses stack and cpu */
	AP_ARRIVED,  /* the CPU is set up, and waits in its turn */
	AP_RUNNING,  /* the boot CPU has counted it */
	AP_GIVEN_UP, /* the boot CPU no longer waits */
};

/* What the trampoline hands to the CPU with this APIC id. */
struct ap_slot {
	atomic_t state; /* enum ap_state */
	u32 late;	/* came when the slot was given up */
	u64 stack;	/* top */
	struct cpu *cpu;
};

/* boot/trampoline.asm has these figures. */
STATIC_ASSERT(offsetof(struct ap_slot, state) == 0 &&
	      offsetof(struct ap_slot, late) == 4 &&
	      offsetof(struct ap_slot, stack) == 8 &&
	      offsetof(struct ap_slot, cpu) == 16 &&
	      sizeof(struct ap_slot) == 24 && AP_WAITING == 1 &&
	      AP_TAKEN == 2, "struct ap_slot and trampoline.asm");

extern struct ap_slot ap_slots[MAX_LISTED_CPUS];
struct ap_slot ap_slots[MAX_LISTED_CPUS];

extern const u8 trampoline_start[], trampoline_end[], trampoline_root[];

/* For the comparison of clocks: the latest TSC that each side has read. */
static u64 boot_tsc, ap_tsc;

static bool
step(struct ap_slot *slot, int from, int to)
{
	return atomic_cmpxchg(&slot->state, &from, to);
}

/* ---- The CPU that wakes ----------------------------------------------- */

static void
compare_clocks(u64 theirs)
{
	if (read_tsc() < theirs)
		clock_not_synchronous();
}

void
start_secondary_cpu(struct cpu *cpu)
{
	struct ap_slot *slot = &ap_slots[cpu->apic_id];

	arch_load_root(arch_kernel_root());
	cpu_init_early(cpu);
	apic_init_this_cpu();

	compare_clocks(READ_ONCE(boot_tsc));
	WRITE_ONCE(ap_tsc, read_tsc());
	if (!step(slot, AP_TAKEN, AP_ARRIVED))
		arch_cpu_park();
	while (atomic_read(&slot->state) != AP_RUNNING)
		arch_cpu_relax();
	secondary_main();
}

/* ---- The CPU that waits --------------------------------------------- */

static void
copy_trampoline(void)
{
	u8 *page = phys_to_virt(trampoline_page());
	u32 root = ap_root();

	memcpy(page, trampoline_start, trampoline_end - trampoline_start);
	memcpy(page + (trampoline_root - trampoline_start), &root,
	       sizeof(root));
}

/* Waits until @slot has come to @state, @ns at most. */
static bool
reaches(struct ap_slot *slot, enum ap_state state, u64 ns)
{
	u64 end = arch_time_ns() + ns;

	while (atomic_read(&slot->state) < (int)state) {
		if (arch_time_ns() >= end)
			return false;
		WRITE_ONCE(boot_tsc, read_tsc());
		arch_cpu_relax();
	}
	return true;
}

/* A second STARTUP does nothing to a CPU that runs. */
static void
wake(unsigned apic_id, struct ap_slot *slot)
{
	apic_send_startup(apic_id, trampoline_page());
	if (!reaches(slot, AP_TAKEN, STARTUP_US * NS_PER_US))
		apic_send_startup(apic_id, trampoline_page());
	reaches(slot, AP_ARRIVED, ANSWER_NS);
}

/* For the tests: no STARTUP until the slot has been given up; then the CPU
 * comes too late. */
static void
pretend_missing(unsigned apic_id, struct ap_slot *slot)
{
	u64 end = arch_time_ns() + ANSWER_NS;

	if (reaches(slot, AP_TAKEN, SKIPPED_NS) ||
	    !step(slot, AP_WAITING, AP_GIVEN_UP))
		return;
	apic_send_startup(apic_id, trampoline_page());
	while (!READ_ONCE(slot->late) && arch_time_ns() < end)
		arch_cpu_relax();
	if (READ_ONCE(slot->late))
		pr_info("CPU with APIC id %u came late and parked itself",
			apic_id);
}

/* Puts a stack and @cpu into the slot; false: no memory. An earlier CPU that
 * did not come may have left the stacks for exceptions in @cpu. */
static bool
prepare(struct ap_slot *slot, struct cpu *cpu)
{
	static unsigned prepared;
	vaddr_t stack = kstack_alloc();

	if (!stack)
		return false;
	if (prepared < cpu->id) {
		if (cpu_alloc_stacks(cpu) < 0) {
			kstack_free(stack);
			return false;
		}
		prepared = cpu->id;
	}
	cpu->kernel_sp = slot->stack = stack + KSTACK_SIZE;
	slot->cpu = cpu;
	return true;
}

/* From here on it counts. */
static void
admit(struct ap_slot *slot, struct cpu *cpu)
{
	compare_clocks(READ_ONCE(ap_tsc));
	nr_cpus = cpu->id + 1;
	WRITE_ONCE(cpu->online, true);
	store_release(&slot->state.value, AP_RUNNING);
}

/* Starts the CPU with @apic_id as @cpu, whose id is set. False: it got stuck
 * with @cpu in its hands. */
static bool
start_cpu(struct cpu *cpu, unsigned apic_id, bool skip)
{
	struct ap_slot *slot = &ap_slots[apic_id];

	cpu->apic_id = apic_id;
	if (!prepare(slot, cpu)) {
		pr_warn("CPU with APIC id %u stays asleep: no memory for its "
			"stacks", apic_id);
		return true;
	}
	atomic_set(&slot->state, AP_WAITING);
	if (skip)
		pretend_missing(apic_id, slot);
	else
		wake(apic_id, slot);

	/* In the order of the CPU's steps, so that it cannot slip through. */
	if (step(slot, AP_WAITING, AP_GIVEN_UP) ||
	    atomic_read(&slot->state) == AP_GIVEN_UP) {
		pr_warn("CPU with APIC id %u does not answer: skipped",
			apic_id);
		kstack_free(slot->stack - KSTACK_SIZE);
		return true;
	}
	if (step(slot, AP_TAKEN, AP_GIVEN_UP)) {
		pr_err("CPU with APIC id %u came, but got stuck on its way: "
		       "no more are started", apic_id);
		return false;
	}
	admit(slot, cpu);
	return true;
}

static void
report_sleepers(unsigned asleep, unsigned max)
{
	if (asleep)
		pr_warn("%u more CPUs stay asleep: %u is the limit", asleep,
			max);
	if (acpi.nr_beyond)
		pr_warn("%u more CPUs stay asleep: their APIC ids are beyond "
			"254", acpi.nr_beyond);
	if (acpi.nr_disabled)
		pr_info("%u more CPUs could be plugged in", acpi.nr_disabled);
}

/* INIT for all of @ids, then one wait for all. */
static void
init_all(const u8 *ids, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		apic_send_init(ids[i]);
	delay_us(INIT_US);
}

/* The APIC ids to start; the others are reported. */
static unsigned
choose(u8 *ids, unsigned max)
{
	unsigned nr = 0, asleep = 0, me = apic_this_id();

	for (unsigned i = 0; i < acpi.nr_cpus; i++) {
		if (acpi.apic_ids[i] == me)
			continue;
		if (nr + 1 < max)
			ids[nr++] = acpi.apic_ids[i];
		else
			asleep++;
	}
	report_sleepers(asleep, max);
	return nr;
}

void
arch_start_cpus(unsigned max, int skip)
{
	u8 ids[MAX_LISTED_CPUS];
	unsigned nr = choose(ids, MIN(MAX(max, 1u), (unsigned)MAX_CPUS));

	nr_cpus = 1;
	if (nr == 0)
		return;
	if (!trampoline_page()) {
		pr_warn("%u more CPUs stay asleep: no free page in the first "
			"512 KiB for them to start in", nr);
		return;
	}
	copy_trampoline();
	init_all(ids, nr);
	for (unsigned i = 0; i < nr; i++) {
		struct cpu *cpu = cpu_by_id(nr_cpus);

		cpu->id = nr_cpus;
		if (!start_cpu(cpu, ids[i], skip == (int)i + 1))
			return;
	}
}
