/*
 * Names for addresses in the kernel's code. tools/mksymbols.awk makes the
 * table from the linked kernel; in a first link it is empty.
 */
#pragma once

#include "kernel/base/types.h"

struct symbol {
	u64 address;
	const char *name;
};

/* By address. */
extern const struct symbol kernel_symbols[];
extern const u64 kernel_symbols_count;

/* The function that holds @address, or NULL. */
const struct symbol *symbol_find(u64 address);

/* "name+0x12", or the bare address when it has no name. */
void symbol_format(char *buf, size_t size, u64 address);

/* The same for a return address: it belongs to the call before it, even where
 * that call never returns and was the last thing in its function. */
void symbol_format_caller(char *buf, size_t size, u64 address);

enum { SYMBOL_LEN = 56 }; /* a buffer for either */
