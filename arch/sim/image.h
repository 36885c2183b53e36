/*
 * What the explorer's own program file knows: its variables, and which line of
 * the source an instruction came from. For reports only: slow.
 */
#pragma once

#include "kernel/base/types.h"

/* The variable, static ones too, that holds @address: its name, and in *@base
 * where it begins. NULL: none does. */
const char *variable_at(const void *address, const void **base);

/* Is it in a function of the program? */
bool is_code(u64 address);
/* "exit_mm+0x2c", for a return address. */
void function_name(u64 caller, char *buf, size_t size);

/* Where an address of code is in the source. */
struct source_line {
	char function[48];
	char file[48];
	unsigned line;		/* 0: not known */
};

/* For return addresses: each one's call. One run of addr2line for all. What
 * an inline function of a header did is told of the function that uses it. */
void source_lines(const u64 *callers, struct source_line *lines, size_t n);
