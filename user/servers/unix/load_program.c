#include "user/servers/unix/load_program.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { READ_WRITE = PROT_READ | PROT_WRITE };

#define USER_END    0x00007ffffffff000ul
#define STACK_FIRST (128ul << 10) /* it grows from here on demand */

struct loader {
	unsigned building;
	u64 bias;
	const u8 *bytes; /* the file's ... */
	unsigned memory; /* ... and what they are a view of */
	u64 end;	 /* of what is mapped */
};

/* ---- Segments ------------------------------------------------------- */

static int
map(struct loader *loader, u64 start, u64 end)
{
	long result = start < end ? os_map(loader->building, start, end - start,
					   READ_WRITE)
				  : 0;

	return result < 0 ? (int)result : 0;
}

/* Pages that show the file, up to the last one that is wholly its; or, if
 * nothing follows the file's bytes in memory, the last one too. */
static u64
end_of_file_pages(const struct elf_segment *segment, u64 addr)
{
	u64 end = addr + segment->file_size;

	return segment->file_size == segment->mem_size
		       ? ALIGN_UP(end, PAGE_SIZE) : ALIGN_DOWN(end, PAGE_SIZE);
}

/* Copies what lies in [start, end) of the segment's bytes. */
static int
copy_part(struct loader *loader, const struct elf_segment *segment, u64 start,
	  u64 end)
{
	u64 addr = segment->address + loader->bias;

	start = MAX(start, addr);
	end = MIN(end, addr + segment->file_size);
	if (start >= end)
		return 0;
	return os_copy_out(loader->building, start,
			   loader->bytes + segment->offset + (start - addr),
			   end - start);
}

/*
 * The first page may be the last one of the segment before: its bytes are
 * copied there. Then come pages of the file, then the rest, zero but for the
 * file's last bytes.
 */
static int
load_segment(struct loader *loader, const struct elf_segment *segment)
{
	u64 addr = segment->address + loader->bias;
	u64 start = MAX(ALIGN_DOWN(addr, PAGE_SIZE), loader->end);
	u64 end = ALIGN_UP(addr + segment->mem_size, PAGE_SIZE);
	u64 rest = MAX(end_of_file_pages(segment, addr), start);
	u64 offset = segment->offset + (start - addr); /* of that page */
	int err = copy_part(loader, segment, addr, start);

	if (!err && start < rest)
		err = os_map_memory(loader->building, start, rest - start,
				    loader->memory, offset, READ_WRITE);
	if (!err)
		err = map(loader, rest, end);
	if (!err)
		err = copy_part(loader, segment, rest, end);
	loader->end = end;
	return err;
}

/* All was writable for loading. */
static int
protect(struct loader *loader, const struct elf_program *elf)
{
	u64 start, end;
	int err = 0;

	for (unsigned i = 0; i < elf->nr_segments && !err; i++) {
		elf_own_pages(elf, i, &start, &end);
		if (start < end && elf->segments[i].prot != READ_WRITE)
			err = os_protect(loader->building, start + loader->bias,
					 end - start,
					 (int)elf->segments[i].prot);
	}
	return err;
}

/* ---- The stack ------------------------------------------------------ */

static long
make_stack(struct loader *loader, const struct elf_program *elf,
	   const struct program_args *args)
{
	size_t used = stack_build(NULL, 0, USER_END, elf, loader->bias, args);
	u64 room = ALIGN_UP(used, PAGE_SIZE) + STACK_FIRST;
	char *image = os_alloc(used);
	long err;

	if (!image)
		return -ENOMEM;
	stack_build(image, used, USER_END, elf, loader->bias, args);
	err = os_map(loader->building, USER_END - room, room,
		     READ_WRITE | PROT_GROWSDOWN);
	if (err > 0)
		err = os_copy_out(loader->building, USER_END - used, image,
				  used);
	os_free(image, used);
	return err < 0 ? err : (long)(USER_END - used);
}

/* ---- All of it ------------------------------------------------------ */

static int
fill(struct program *program, struct loader *loader,
     const struct elf_program *elf, const struct program_args *args)
{
	long sp;
	int err = 0;

	for (unsigned i = 0; i < elf->nr_segments && !err; i++)
		err = load_segment(loader, &elf->segments[i]);
	if (!err)
		err = protect(loader, elf);
	if (!err)
		err = os_heap(loader->building, elf->high + loader->bias);
	if (err)
		return err;
	sp = make_stack(loader, elf, args);
	if (sp < 0)
		return (int)sp;
	program->building = loader->building;
	program->entry = elf->entry + loader->bias;
	program->sp = (u64)sp;
	return 0;
}

static int
parse(struct node *node, struct elf_program *elf)
{
	const struct contents *c = &node->contents;
	const char *why;
	char path[128];
	int err = elf_parse(c->bytes, c->size, elf, &why);

	if (err && c->size >= 4 && memcmp(c->bytes, "\177ELF", 4) == 0) {
		if (node_path(node, path, sizeof(path)) < 0)
			path[0] = 0;
		os_log("exec %s: %s", path, why);
	}
	return err;
}

int
load_program(struct program *program, struct node *node,
	     const struct program_args *args)
{
	struct elf_program elf;
	struct loader loader;
	long building;
	int err = parse(node, &elf);

	if (!err)
		err = contents_freeze(node);
	if (err)
		return err;
	building = os_building();
	if (building < 0)
		return (int)building;
	loader = (struct loader){
		.building = (unsigned)building,
		.bias = program_bias(&elf),
		.bytes = node->contents.bytes,
		.memory = node->contents.memory,
	};
	err = fill(program, &loader, &elf, args);
	if (err)
		os_close(loader.building);
	return err;
}
