#!/usr/bin/env python3
"""Turns the output of `nm -n` (standard input) into the kernel's symbol table.

C sees it as

    struct symbol { uint64_t address; const char *name; };
    extern const struct symbol kernel_symbols[];
    extern const uint64_t kernel_symbols_count;

sorted by address. The section name sorts it last in .rodata (linker.ld), so
that the table does not move the functions it names.
"""
import sys

symbols = []
for line in sys.stdin:
    address, kind, name = line.split()
    if kind in "tTwW" and not name.startswith("..@"):  # a label of a NASM macro
        symbols.append((int(address, 16), name))
symbols.sort()

print("section .rodata.symbols progbits alloc noexec nowrite align=8")
print("global kernel_symbols, kernel_symbols_count")
print(f"kernel_symbols_count: dq {len(symbols)}")
print("kernel_symbols:")
for number, (address, name) in enumerate(symbols):
    print(f"\tdq {address:#x}, name{number}")
for number, (address, name) in enumerate(symbols):
    print(f'name{number}: db "{name}", 0')
