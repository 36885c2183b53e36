/* Memory before there is an allocator: the usable ranges of the boot map, minus
 * the image, the initrd and the first MiB. */
#pragma once

#include "kernel/base/types.h"

struct boot_info;

/* Normalises @boot's map (rounds, sorts, cuts out what is taken; overlapping
 * ranges: the stricter kind wins). Panics with a sentence when less than 16
 * MiB are usable. */
void boot_mem_init(const struct boot_info *boot);

/* Zeroed, never freed, panics when there is none left; @align is a power of
 * two. Until boot_mem_open() only memory below 1 GiB, which the boot tables
 * map, is handed out. */
void *boot_alloc(size_t size, size_t align);
void boot_mem_open(void);

/* First address above all usable memory. */
paddr_t boot_mem_end(void);
/* Bytes usable according to the map. */
u64 boot_mem_total(void);
/* Is all of [start, start + size) usable, taken or not? */
bool boot_mem_usable(paddr_t start, size_t size);
/* Calls @fn for each range of usable memory, taken or not; whole pages. */
void boot_mem_for_each(void (*fn)(paddr_t start, paddr_t end));

/* Calls @fn for each range still free; after this boot_alloc() panics. */
void boot_mem_release(void (*fn)(paddr_t start, paddr_t end));
