# Turns the output of `nm -n` (standard input) into the kernel's symbol table.
#
# C sees it as
#
#     struct symbol { uint64_t address; const char *name; };
#     extern const struct symbol kernel_symbols[];
#     extern const uint64_t kernel_symbols_count;
#
# sorted by address. The section name sorts it last in .rodata (linker.ld), so
# that the table does not move the functions it names.

# Code, but no label of a NASM macro.
$2 ~ /^[tTwW]$/ && $3 !~ /^\.\.@/ {
	table = table "\tdq 0x" $1 ", name" count "\n"
	names = names "name" count ": db \"" $3 "\", 0\n"
	count++
}

BEGIN { count = 0 }

END {
	print "section .rodata.symbols progbits alloc noexec nowrite align=8"
	print "global kernel_symbols, kernel_symbols_count"
	print "kernel_symbols_count: dq " count
	print "kernel_symbols:"
	printf "%s%s", table, names
}
