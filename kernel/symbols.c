/* Names for addresses. */
#include "kernel/symbols.h"
#include "kernel/base/string.h"

/* No function is this long: what lies further from a name is something else. */
enum { MAX_FUNCTION = 0x10000 };

const struct symbol *
symbol_find(u64 address)
{
	u64 low = 0, high = kernel_symbols_count;
	const struct symbol *symbol;

	/* Invariant: symbols before low are at or below @address, those from
	 * high on are above it. */
	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (kernel_symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	symbol = &kernel_symbols[low - 1];
	return address - symbol->address <= MAX_FUNCTION ? symbol : NULL;
}

static void
format(char *buf, size_t size, const struct symbol *symbol, u64 address)
{
	if (symbol)
		snprintf(buf, size, "%s+0x%lx", symbol->name,
			 address - symbol->address);
	else
		snprintf(buf, size, "0x%lx", address);
}

void
symbol_format(char *buf, size_t size, u64 address)
{
	format(buf, size, symbol_find(address), address);
}

void
symbol_format_caller(char *buf, size_t size, u64 address)
{
	format(buf, size, symbol_find(address - 1), address);
}
