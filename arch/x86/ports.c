/* Ports for drivers, and how far physical addresses go. */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "kernel/base/assert.h"

enum {
	CPUID_EXTENDED_MAX = 0x80000000,
	CPUID_ADDRESS_SIZES = 0x80000008,
	DEFAULT_PHYS_BITS = 36,
};

u32
arch_port_in(u16 port, unsigned width)
{
	ASSERT(width == 1 || width == 2 || width == 4);
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

void
arch_port_out(u16 port, unsigned width, u32 value)
{
	ASSERT(width == 1 || width == 2 || width == 4);
	if (width == 1)
		outb(port, (u8)value);
	else if (width == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
}

paddr_t
arch_phys_end(void)
{
	unsigned bits = DEFAULT_PHYS_BITS;

	if (cpuid(CPUID_EXTENDED_MAX, 0).eax >= CPUID_ADDRESS_SIZES)
		bits = cpuid(CPUID_ADDRESS_SIZES, 0).eax & 0xff;
	return 1ul << bits;
}
