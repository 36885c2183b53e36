/*
 * Memory objects: pages of zeroes, physical ranges, the boot module. The pages
 * are in a store (mm/shared.h), on which the object and each mapping hold a
 * reference.
 */
#pragma once

#include "kernel/ipc/handle.h"

struct boot_info;

extern const struct object_ops memory_ops;

/* At boot: where RAM is, which no handle gives away. */
void memory_objects_init(const struct boot_info *boot);

/* Handles of the caller's on all that is not RAM, and on the boot module; an
 * errno. No lock held. */
long memory_all_devices(void);
long memory_boot_module(void);

/* A part of a physical range: resource_narrow(). @rights: of its handle. */
long memory_narrow(u32 number, u64 first, u64 count);

/* ---- System calls: kernel/abi_objects.h ------------------------------- */

long native_memory_create(u64 len);
long native_memory_map(u32 mm, u32 number, u64 offset, u64 len, uaddr_t addr,
		       unsigned prot);
long native_memory_info(u32 number, uaddr_t buf);
