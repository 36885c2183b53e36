/* The end of a run, waiting, and random bits. */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/platform.h"
#include "kernel/base/atomic.h"

enum {
	DEBUG_EXIT = 0xf4, /* QEMU: -device isa-debug-exit,iobase=0xf4 */

	/* Where ACPI's power-off register lies, machine by machine. */
	POWER_QEMU = 0x604,
	POWER_QEMU_OLD = 0xb004, /* Bochs too */
	POWER_VIRTUALBOX = 0x4004,
	SLEEP_S5_QEMU = 0x2000,
	SLEEP_S5_VIRTUALBOX = 0x3400,
	BOCHS_SHUTDOWN = 0x8900, /* takes the word Shutdown */
};

static void
power_off(void)
{
	outw(POWER_QEMU, SLEEP_S5_QEMU);
	outw(POWER_QEMU_OLD, SLEEP_S5_QEMU);
	outw(POWER_VIRTUALBOX, SLEEP_S5_VIRTUALBOX);
	for (const char *c = "Shutdown"; *c; c++)
		outb(BOCHS_SHUTDOWN, *c);
}

/* After a panic the machine stays on, so that its screen can be read. */
void
arch_exit(enum verdict verdict)
{
	arch_irq_disable();
	console_drain();
	outb(DEBUG_EXIT, verdict);
	if (verdict != VERDICT_PANIC)
		power_off();
	arch_cpu_park();
}

u16
arch_exit_port(void)
{
	return DEBUG_EXIT;
}

void
arch_cpu_park(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* STI lets no interrupt in before the next instruction has begun: one that
 * arrives between a caller's last look and the halt ends the halt. */
void
arch_idle_wait(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

void
arch_spin_wait(const atomic_t *word, int busy)
{
	if (atomic_read(word) == busy)
		arch_cpu_relax();
}

/* ---- Random bits ---------------------------------------------------- */

enum {
	CPUID_FEATURES = 1,
	FEATURES_ECX_RDRAND = 1 << 30,
	RDRAND_TRIES = 10,
};

static bool
rdrand(u64 *value)
{
	bool ok;

	for (int i = 0; i < RDRAND_TRIES; i++) {
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
		if (ok)
			return true;
	}
	return false;
}

/* SplitMix64: every bit of the input reaches every bit of the result. */
static u64
mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ul;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebul;
	return x ^ (x >> 31);
}

u64
arch_random(void)
{
	static atomic64_t calls;
	u64 value;

	if ((cpuid(CPUID_FEATURES, 0).ecx & FEATURES_ECX_RDRAND) &&
	    rdrand(&value))
		return value;
	return mix(read_tsc() +
		   atomic64_add_return(&calls, 0x9e3779b97f4a7c15ul));
}
