/* See user/include/program.h. */
#include "user/include/program.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "user/include/address.h"
#include "user/include/objects.h"

#define STACK_FIRST (128ul << 10) /* how much there is at once */

enum {
	READ_WRITE = PROT_READ | PROT_WRITE,
	USUAL_STACK = 8192, /* most programs' arguments need less */
};

/* mmap and its kin answer with addresses. */
static int
error_of(long result)
{
	return result < 0 && result > -4096 ? (int)result : 0;
}

/* mm_write() takes so much at once. */
static int
write_all(unsigned building, uint64_t addr, const char *data, size_t size)
{
	while (size) {
		long done = lodger_mm_write(building, addr, data, size);

		if (done < 0)
			return (int)done;
		addr += done;
		data += done;
		size -= done;
	}
	return 0;
}

/* One mapping for all segments between which no page is free. */
static int
map_segments(unsigned building, uint64_t bias, const struct elf_program *elf)
{
	uint64_t from = elf->low, start, end, next = 0, unused;
	int err = 0;

	for (unsigned i = 0; i < elf->nr_segments && !err; i++) {
		elf_own_pages(elf, i, &start, &end);
		if (i + 1 < elf->nr_segments)
			elf_own_pages(elf, i + 1, &next, &unused);
		if (i + 1 < elf->nr_segments && end == next)
			continue;
		err = error_of(lodger_mm_map(building, from + bias, end - from,
					     READ_WRITE));
		from = next;
	}
	return err;
}

/* All was writable for loading. */
static int
protect_segments(unsigned building, uint64_t bias,
		 const struct elf_program *elf)
{
	uint64_t start, end;
	int err = 0;

	for (unsigned i = 0; i < elf->nr_segments && !err; i++) {
		elf_own_pages(elf, i, &start, &end);
		if (start < end && elf->segments[i].prot != READ_WRITE)
			err = (int)lodger_mm_protect(
				building, start + bias, end - start,
				(int)elf->segments[i].prot);
	}
	return err;
}

static int
load_segments(unsigned building, const char *image, uint64_t bias,
	      const struct elf_program *elf)
{
	int err = map_segments(building, bias, elf);

	for (unsigned i = 0; i < elf->nr_segments && !err; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		err = write_all(building, segment->address + bias,
				image + segment->offset, segment->file_size);
	}
	if (!err)
		err = protect_segments(building, bias, elf);
	if (!err)
		err = (int)lodger_mm_heap(building, elf->high + bias);
	return err;
}

/* Returns where the stack pointer stands, or a negative errno. */
static long
make_stack(unsigned building, const struct elf_program *elf, uint64_t bias,
	   const struct program_args *args)
{
	uint64_t top = ALIGN_DOWN(USER_END, 16);
	size_t used = stack_build(NULL, 0, top, elf, bias, args);
	size_t room = ALIGN_UP(used, PAGE_SIZE) + STACK_FIRST;
	char usual[USUAL_STACK], *buf = usual;
	int err;

	if (used > sizeof(usual))
		buf = malloc(used);
	if (!buf)
		return -ENOMEM;
	stack_build(buf, used, top, elf, bias, args);
	err = elf->high + bias > USER_END - room ? -ENOMEM : 0;
	if (!err)
		err = error_of(lodger_mm_map(building, USER_END - room, room,
					     READ_WRITE | PROT_GROWSDOWN));
	if (!err)
		err = write_all(building, top - used, buf, used);
	if (buf != usual)
		free(buf);
	return err ? err : (long)(top - used);
}

static int
fill(struct program *program, const char *image,
     const struct elf_program *elf, const struct program_args *args)
{
	uint64_t bias = program_bias(elf);
	long sp;
	int err;

	if (elf->high + bias > USER_END - STACK_FIRST)
		return -ENOMEM;
	err = load_segments(program->building, image, bias, elf);
	if (err)
		return err;
	sp = make_stack(program->building, elf, bias, args);
	if (sp < 0)
		return (int)sp;
	program->entry = elf->entry + bias;
	program->sp = (uint64_t)sp;
	return 0;
}

int
program_build(struct program *program, const void *image, size_t size,
	      const struct program_args *args, const char **why)
{
	struct elf_program elf;
	long building;
	int err = elf_parse(image, size, &elf, why);

	if (err)
		return err;
	building = lodger_mm_create();
	if (building < 0)
		return (int)building;
	program->building = (unsigned)building;
	err = fill(program, image, &elf, args);
	if (err)
		lodger_handle_close(program->building);
	return err;
}

/* The capabilities that Linux hands to programs are CPUID's own word. */
static uint64_t
hwcap(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) ? edx : 0;
}

void
program_args_init(struct program_args *args)
{
	args->hwcap = hwcap();
	if (getrandom(args->random, sizeof(args->random), 0) < 0)
		args->random[0] = args->random[1] = 0;
}
