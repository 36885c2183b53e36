/*
 * Memory, ports, interrupts and processes, for drivers and those who start
 * them. What each call promises stands in kernel/abi_objects.h; all return 0 or
 * more, or a negative errno.
 */
#pragma once

#include "user/include/ipc.h"

long lodger_resource_narrow(unsigned handle, uint64_t first, uint64_t count);

long lodger_memory_create(uint64_t len);
/* Where it is mapped; an address below -4096ul. */
long lodger_memory_map(unsigned mm, unsigned memory, uint64_t offset,
		       uint64_t len, uint64_t addr, int prot);
long lodger_memory_info(unsigned memory, struct lodger_memory_info *buf);

long lodger_port_in(unsigned ports, unsigned port, unsigned width);
long lodger_port_out(unsigned ports, unsigned port, unsigned width,
		     uint32_t value);
/* Bytes between a device and a ring, while
 * (in(status_port) & mask) == value; how many. */
long lodger_ring_from_port(unsigned ports, unsigned data_port,
			   unsigned status_port, unsigned mask, unsigned value,
			   struct lodger_ring *ring, uint64_t max);
long lodger_ring_to_port(unsigned ports, unsigned data_port,
			 unsigned status_port, unsigned mask, unsigned value,
			 unsigned at_once, struct lodger_ring *ring,
			 uint64_t max);

long lodger_interrupt_bind(unsigned interrupt, unsigned notification,
			   uint64_t bits);
long lodger_interrupt_ack(unsigned interrupt);

long lodger_process_create(unsigned building, const char *name,
			   unsigned personality);
long lodger_process_give(unsigned process, unsigned handle);
long lodger_process_start(unsigned process, uint64_t entry, uint64_t sp);
long lodger_process_signal(unsigned process, int signal);
long lodger_process_watch(unsigned process, unsigned notification,
			  uint64_t bits);
long lodger_process_info(unsigned process, struct lodger_process_info *buf);

long lodger_mm_heap(unsigned mm, uint64_t start);
long lodger_mm_regions(uint64_t id, struct lodger_region *buf, size_t n);

long lodger_boot_option(const char *name, char *buf, size_t len);
long lodger_console_release(unsigned ports, unsigned notification,
			    uint64_t bits);
long lodger_framebuffer_info(struct lodger_framebuffer *buf);
long lodger_klog_read(uint64_t *position, char *buf, size_t len);
