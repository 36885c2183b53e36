/* Where a program goes, and its first stack. See user/include/program.h. */
#include <string.h>

#include "user/include/address.h"
#include "user/include/program.h"

/* Where static-PIE programs go. */
#define PIE_BASE 0x0000555555554000ul

uint64_t
program_bias(const struct elf_program *elf)
{
	if (!elf->pie)
		return 0;
	return ALIGN_UP(PIE_BASE, elf->align) -
	       ALIGN_DOWN(elf->low, elf->align);
}

enum {
	AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6,
	AT_BASE = 7, AT_FLAGS = 8, AT_ENTRY = 9, AT_UID = 11, AT_EUID = 12,
	AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16,
	AT_CLKTCK = 17, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31,
	MAX_AUXV = 18,
	END_BYTES = 8, /* of zeroes, at the very top */
	RANDOM_BYTES = 16,
};

static const char platform[] = "x86_64";

/* From the bottom: words, argument strings, the rest, each at an address. */
struct layout {
	size_t nr_words, strings_size;
	uint64_t sp, strings, random, platform, path;
};

/* ---- How much, and where ------------------------------------------------ */

static size_t
count(const char *const *vector)
{
	size_t n = 0;

	while (vector[n])
		n++;
	return n;
}

static size_t
size_of_strings(const char *const *vector)
{
	size_t size = 0;

	for (; *vector; vector++)
		size += strlen(*vector) + 1;
	return size;
}

static void
lay_out(struct layout *layout, uint64_t top, const struct program_args *args)
{
	layout->nr_words = 1 + count(args->argv) + 1 + count(args->envp) + 1 +
			   2 * MAX_AUXV;
	layout->strings_size = size_of_strings(args->argv) +
			       size_of_strings(args->envp);
	layout->path = top - END_BYTES - (strlen(args->path) + 1);
	layout->platform = layout->path - sizeof(platform);
	layout->random = ALIGN_DOWN(layout->platform - RANDOM_BYTES, 16);
	layout->strings = layout->random - layout->strings_size;
	layout->sp = ALIGN_DOWN(layout->strings - layout->nr_words * 8, 16);
}

/* ---- Writing -------------------------------------------------------------- */

/* A piece of memory that will be at another address. */
struct writer {
	char *end;	/* stands for ... */
	uint64_t top;	/* ... this address */
	uint64_t words, strings; /* where the next ones go */
};

static void
put(const struct writer *writer, uint64_t addr, const void *data, size_t n)
{
	memcpy(writer->end - (writer->top - addr), data, n);
}

static void
put_word(struct writer *writer, uint64_t word)
{
	put(writer, writer->words, &word, sizeof(word));
	writer->words += sizeof(word);
}

static void
put_vector(struct writer *writer, const char *const *vector)
{
	for (; *vector; vector++) {
		size_t size = strlen(*vector) + 1;

		put_word(writer, writer->strings);
		put(writer, writer->strings, *vector, size);
		writer->strings += size;
	}
	put_word(writer, 0);
}

static void
put_auxv(struct writer *writer, const struct layout *layout,
	 const struct elf_program *elf, uint64_t bias, uint64_t hwcap)
{
	const uint64_t auxv[MAX_AUXV][2] = {
		/* A program that does not hold its headers has no use for
		 * their address. */
		{ elf->phdr ? AT_PHDR : AT_FLAGS, elf->phdr ? elf->phdr + bias
							    : 0 },
		{ AT_PHENT, elf->phentsize },
		{ AT_PHNUM, elf->phnum },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_BASE, 0 },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, elf->entry + bias },
		{ AT_UID, 0 },
		{ AT_EUID, 0 },
		{ AT_GID, 0 },
		{ AT_EGID, 0 },
		{ AT_SECURE, 0 },
		{ AT_CLKTCK, 100 },
		{ AT_HWCAP, hwcap },
		{ AT_PLATFORM, layout->platform },
		{ AT_RANDOM, layout->random },
		{ AT_EXECFN, layout->path },
		{ AT_NULL, 0 },
	};

	put(writer, writer->words, auxv, sizeof(auxv));
}

size_t
stack_build(void *buf, size_t size, uint64_t top,
	    const struct elf_program *elf, uint64_t bias,
	    const struct program_args *args)
{
	struct layout layout;
	struct writer writer = { .end = (char *)buf + size, .top = top };
	size_t used;

	lay_out(&layout, top, args);
	used = top - layout.sp;
	if (used > size)
		return used;
	memset(writer.end - used, 0, used);
	writer.words = layout.sp;
	writer.strings = layout.strings;
	put_word(&writer, count(args->argv));
	put_vector(&writer, args->argv);
	put_vector(&writer, args->envp);
	put_auxv(&writer, &layout, elf, bias, args->hwcap);
	put(&writer, layout.random, args->random, RANDOM_BYTES);
	put(&writer, layout.platform, platform, sizeof(platform));
	put(&writer, layout.path, args->path, strlen(args->path) + 1);
	return used;
}
