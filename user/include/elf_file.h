/*
 * ELF64 executables, hostile until checked. elf_parse() trusts nothing and
 * touches nothing but [image, image + size); loading is user/lib/program.c's.
 * Format: the System V ABI and its AMD64 supplement.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ELF_MAX_SEGMENTS = 16 };

struct elf_segment {
	uint64_t offset, file_size;	/* in the image */
	uint64_t address, mem_size;	/* as linked; add the load bias */
	unsigned prot;		/* PROT_* */
};

struct elf_program {
	struct elf_segment segments[ELF_MAX_SEGMENTS]; /* by address */
	unsigned nr_segments;
	uint64_t entry;		/* as linked */
	uint64_t low, high;		/* page-rounded span of all segments */
	bool pie;		/* ET_DYN: needs a load bias ... */
	uint64_t align;		/* ... that is a multiple of this (>= a page) */
	uint64_t phdr;		/* address of the program headers, as linked;
				 * 0 when no segment holds them */
	uint16_t phnum, phentsize;
	bool exec_stack;	/* PT_GNU_STACK asks for it */
};

/*
 * Checks magic, class, machine, type, every offset, size, overflow, overlap
 * (segments may share a page only if the later one starts in it without
 * overlapping bytes), congruence of offset and address modulo the page size,
 * user range, entry inside an executable segment. PT_INTERP is refused.
 * 0 or -ENOEXEC with *why, a sentence for people.
 */
int elf_parse(const void *image, uint64_t size, struct elf_program *program,
	      const char **why);

/* The pages of segment @i, as linked, that have its permissions: a page in which
 * the next one begins is that one's. There may be none: @start == @end. */
void elf_own_pages(const struct elf_program *program, unsigned i,
		   uint64_t *start, uint64_t *end);
