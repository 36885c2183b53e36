/* What the loader told us, in one form for multiboot2 and PVH. */
#pragma once

#include "kernel/abi.h"
#include "kernel/base/types.h"

enum memory_kind {
	MEMORY_USABLE,
	MEMORY_RESERVED, /* also anything we do not know */
	MEMORY_ACPI,	 /* tables: usable once read; we never reuse them */
};

struct memory_range {
	paddr_t start, end; /* [start, end), not rounded */
	enum memory_kind kind;
};

enum { MAX_MEMORY_RANGES = 128, MAX_CMDLINE = 512 };

struct boot_info {
	const char *loader; /* "multiboot2" or "PVH", for the log */
	char cmdline[MAX_CMDLINE];
	struct memory_range memory[MAX_MEMORY_RANGES];
	unsigned nr_memory;
	bool memory_truncated;	  /* the map had more entries than we keep */
	paddr_t initrd, initrd_end; /* first module; equal when there is none */
	paddr_t rsdp;		  /* 0: not told */
	u8 rsdp_copy[36];	  /* multiboot2 hands over a copy */
	bool have_rsdp_copy;
	struct lodger_framebuffer framebuffer; /* address 0: none */
	paddr_t kernel, kernel_end; /* the image, bss included */
};
