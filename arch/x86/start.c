/* The boot CPU from its first line of C to kmain(). */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/boot_info.h"

STATIC_ASSERT(KERNEL_BASE == 0xffffffff80000000ul &&
	      DIRECT_MAP_BASE == 0xffff800000000000ul,
	      "boot/boot.inc and linker.ld have the same figures");

void
start_boot_cpu(enum loader loader, paddr_t info, u64 tsc)
{
	static struct boot_info boot;

	console_init();
	cpu_init_early(&cpus[0]);
	clock_init(tsc);
	boot_info_read(&boot, loader, info);
	cpus[0].kernel_sp = (u64)boot_stack_top;
	cpus[0].online = true;
	kmain(&boot);
}

/* The console's screen comes first: what follows has things to say. */
void
arch_map_kernel(const struct boot_info *boot)
{
	paging_init(boot);
	console_map();
	acpi_init(boot);
	apic_init();
	apic_init_this_cpu();
	ioapic_init();
	timer_init();
	arch_boot_epoch();
}
