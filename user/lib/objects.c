/* See user/include/objects.h. */
#include "user/include/objects.h"

#include "user/include/syscall_inline.h"

long
lodger_resource_narrow(unsigned handle, uint64_t first, uint64_t count)
{
	return syscall3(LODGER_resource_narrow, handle, first, count);
}

long
lodger_memory_create(uint64_t len)
{
	return syscall3(LODGER_memory_create, len, 0, 0);
}

long
lodger_memory_map(unsigned mm, unsigned memory, uint64_t offset, uint64_t len,
		  uint64_t addr, int prot)
{
	return syscall6(LODGER_memory_map, mm, memory, offset, len, addr, prot);
}

long
lodger_memory_info(unsigned memory, struct lodger_memory_info *buf)
{
	return syscall3(LODGER_memory_info, memory, (long)buf, 0);
}

long
lodger_port_in(unsigned ports, unsigned port, unsigned width)
{
	return syscall3(LODGER_port_in, ports, port, width);
}

long
lodger_port_out(unsigned ports, unsigned port, unsigned width, uint32_t value)
{
	return syscall6(LODGER_port_out, ports, port, width, value, 0, 0);
}

long
lodger_ring_from_port(unsigned ports, unsigned data_port, unsigned status_port,
		      unsigned mask, unsigned value, struct lodger_ring *ring,
		      uint64_t max)
{
	return syscall6(LODGER_ring_from_port, ports,
			data_port | status_port << 16, mask | value << 8,
			(long)ring, max, 0);
}

long
lodger_ring_to_port(unsigned ports, unsigned data_port, unsigned status_port,
		    unsigned mask, unsigned value, unsigned at_once,
		    struct lodger_ring *ring, uint64_t max)
{
	return syscall6(LODGER_ring_to_port, ports,
			data_port | status_port << 16,
			mask | value << 8 | at_once << 16,
			(long)ring, max, 0);
}

long
lodger_interrupt_bind(unsigned interrupt, unsigned notification, uint64_t bits)
{
	return syscall3(LODGER_interrupt_bind, interrupt, notification, bits);
}

long
lodger_interrupt_ack(unsigned interrupt)
{
	return syscall3(LODGER_interrupt_ack, interrupt, 0, 0);
}

long
lodger_process_create(unsigned building, const char *name,
		      unsigned personality)
{
	return syscall3(LODGER_process_create, building, (long)name,
			personality);
}

long
lodger_process_give(unsigned process, unsigned handle)
{
	return syscall3(LODGER_process_give, process, handle, 0);
}

long
lodger_process_start(unsigned process, uint64_t entry, uint64_t sp)
{
	return syscall3(LODGER_process_start, process, entry, sp);
}

long
lodger_process_signal(unsigned process, int signal)
{
	return syscall3(LODGER_process_signal, process, signal, 0);
}

long
lodger_process_watch(unsigned process, unsigned notification, uint64_t bits)
{
	return syscall3(LODGER_process_watch, process, notification, bits);
}

long
lodger_process_info(unsigned process, struct lodger_process_info *buf)
{
	return syscall3(LODGER_process_info, process, (long)buf, 0);
}

long
lodger_mm_heap(unsigned mm, uint64_t start)
{
	return syscall3(LODGER_mm_heap, mm, start, 0);
}

long
lodger_mm_regions(uint64_t id, struct lodger_region *buf, size_t n)
{
	return syscall3(LODGER_mm_regions, id, (long)buf, n);
}

long
lodger_boot_option(const char *name, char *buf, size_t len)
{
	return syscall3(LODGER_boot_option, (long)name, (long)buf, len);
}

long
lodger_console_release(unsigned ports, unsigned notification, uint64_t bits)
{
	return syscall3(LODGER_console_release, ports, notification, bits);
}

long
lodger_klog_read(uint64_t *position, char *buf, size_t len)
{
	return syscall3(LODGER_klog_read, (long)position, (long)buf, len);
}

long
lodger_framebuffer_info(struct lodger_framebuffer *buf)
{
	return syscall3(LODGER_framebuffer_info, (long)buf, 0, 0);
}
