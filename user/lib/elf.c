/*
 * ELF64, checked. Structures are copied out of the image before they are
 * read: nothing says that the image is aligned.
 */
#include "user/include/elf_file.h"

#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "user/include/address.h"

enum { READ = 1, WRITE = 2, EXEC = 4 }; /* PROT_READ and so on */

struct elf_header {
	uint8_t magic[4];
	uint8_t class;
	uint8_t data;
	uint8_t ident_version;
	uint8_t os_abi;
	uint8_t padding[8];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

struct program_header {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

_Static_assert(sizeof(struct elf_header) == 64, "as in the ABI");
_Static_assert(sizeof(struct program_header) == 56, "as in the ABI");

enum {
	CLASS_64 = 2,
	DATA_LITTLE_ENDIAN = 1,
	VERSION_CURRENT = 1,
	ABI_SYSV = 0,
	ABI_GNU = 3, /* glibc's static programs, for their IFUNCs */
	TYPE_EXEC = 2,
	TYPE_DYN = 3,
	MACHINE_X86_64 = 62,

	PT_LOAD = 1,
	PT_INTERP = 3,
	PT_GNU_STACK = 0x6474e551,

	PF_X = 1,
	PF_W = 2,
	PF_R = 4,
};

/* More than any program asks for; keeps the load bias within reason. */
#define MAX_ALIGN (1ul << 30)

/* ---- The header ------------------------------------------------------- */

static const char *
check_identity(const struct elf_header *h)
{
	if (memcmp(h->magic, "\177ELF", 4) != 0)
		return "it is not an ELF file";
	if (h->class != CLASS_64)
		return "it is not a 64-bit program";
	if (h->data != DATA_LITTLE_ENDIAN)
		return "it is not little-endian";
	if (h->ident_version != VERSION_CURRENT ||
	    h->version != VERSION_CURRENT)
		return "its ELF version is unknown";
	if (h->os_abi != ABI_SYSV && h->os_abi != ABI_GNU)
		return "it is for another operating system";
	if (h->machine != MACHINE_X86_64)
		return "it is not for x86-64";
	if (h->type != TYPE_EXEC && h->type != TYPE_DYN)
		return "it is not an executable (an object file, or a core?)";
	return NULL;
}

static const char *
check_table(const struct elf_header *h, uint64_t size)
{
	uint64_t bytes = (uint64_t)h->phnum * sizeof(struct program_header);

	if (h->ehsize != sizeof(struct elf_header))
		return "its header has a wrong size";
	if (h->phnum == 0)
		return "it has no program headers";
	if (h->phentsize != sizeof(struct program_header))
		return "its program headers have a wrong size";
	if (h->phoff < sizeof(struct elf_header) || h->phoff > size ||
	    bytes > size - h->phoff)
		return "its program headers lie outside the file";
	return NULL;
}

/* ---- Segments --------------------------------------------------------- */

static const char *
check_segment(const struct program_header *p, uint64_t size, bool pie)
{
	uint64_t end;

	if (p->filesz > p->memsz)
		return "a segment is larger in the file than in memory";
	if (p->offset > size || p->filesz > size - p->offset)
		return "a segment lies outside the file";
	if (__builtin_add_overflow(p->vaddr, p->memsz, &end) || end > USER_END)
		return "a segment lies outside user space";
	if (!pie && p->vaddr < USER_START)
		return "a segment lies in the first pages, which are never "
		       "mapped";
	if (p->align & (p->align - 1))
		return "a segment's alignment is not a power of two";
	if (p->align > MAX_ALIGN)
		return "a segment's alignment is too great";
	if ((p->offset - p->vaddr) % MAX(p->align, PAGE_SIZE) != 0)
		return "a segment's place in the file does not fit its "
		       "address, modulo page or alignment";
	if (p->flags & ~(uint32_t)(PF_X | PF_W | PF_R))
		return "a segment has unknown permissions";
	return NULL;
}

static unsigned
prot_of(uint32_t flags)
{
	return ((flags & PF_R) ? READ : 0) | ((flags & PF_W) ? WRITE : 0) |
	       ((flags & PF_X) ? EXEC : 0);
}

/* The ABI promises that segments come by address. */
static const char *
check_order(const struct elf_program *program, const struct program_header *p)
{
	const struct elf_segment *last;

	if (program->nr_segments == 0)
		return NULL;
	last = &program->segments[program->nr_segments - 1];
	if (p->vaddr < last->address)
		return "its segments are not in the order of their addresses";
	if (p->vaddr < last->address + last->mem_size)
		return "two of its segments overlap";
	return NULL;
}

static const char *
add_segment(struct elf_program *program, const struct program_header *p,
	    uint64_t size)
{
	const char *why = check_segment(p, size, program->pie);

	if (!why)
		why = check_order(program, p);
	if (why || p->memsz == 0)
		return why;
	if (program->nr_segments == ELF_MAX_SEGMENTS)
		return "it has too many segments";
	program->segments[program->nr_segments++] = (struct elf_segment){
		.offset = p->offset,
		.file_size = p->filesz,
		.address = p->vaddr,
		.mem_size = p->memsz,
		.prot = prot_of(p->flags),
	};
	program->align = MAX(program->align, p->align);
	return NULL;
}

static const char *
read_segments(const char *image, uint64_t size, const struct elf_header *h,
	      struct elf_program *program)
{
	struct program_header p;
	const char *why = NULL;

	for (unsigned i = 0; i < h->phnum && !why; i++) {
		memcpy(&p, image + h->phoff + i * sizeof(p), sizeof(p));
		if (p.type == PT_LOAD)
			why = add_segment(program, &p, size);
		else if (p.type == PT_INTERP)
			why = "it needs a dynamic loader, which there is not: "
			      "link it with -static or -static-pie";
		else if (p.type == PT_GNU_STACK)
			program->exec_stack = p.flags & PF_X;
	}
	if (!why && program->nr_segments == 0)
		why = "it has nothing to load";
	return why;
}

/* ---- What follows from them ------------------------------------------- */

static bool
entry_is_code(const struct elf_program *program)
{
	for (unsigned i = 0; i < program->nr_segments; i++) {
		const struct elf_segment *s = &program->segments[i];

		if (program->entry >= s->address &&
		    program->entry - s->address < s->mem_size)
			return s->prot & EXEC;
	}
	return false;
}

/* Where the program will find its own headers (AT_PHDR). */
static uint64_t
find_phdr(const struct elf_program *program, const struct elf_header *h)
{
	uint64_t bytes = (uint64_t)h->phnum * sizeof(struct program_header);

	for (unsigned i = 0; i < program->nr_segments; i++) {
		const struct elf_segment *s = &program->segments[i];

		if (h->phoff >= s->offset &&
		    h->phoff - s->offset <= s->file_size &&
		    bytes <= s->file_size - (h->phoff - s->offset))
			return s->address + (h->phoff - s->offset);
	}
	return 0;
}

static const char *
parse(const void *image, uint64_t size, struct elf_program *program)
{
	const struct elf_segment *last;
	struct elf_header h;
	const char *why;

	memset(program, 0, sizeof(*program));
	program->align = PAGE_SIZE;
	if (size < sizeof(h))
		return "it is too short for a program";
	memcpy(&h, image, sizeof(h));
	why = check_identity(&h);
	if (!why)
		why = check_table(&h, size);
	if (why)
		return why;

	program->pie = h.type == TYPE_DYN;
	why = read_segments(image, size, &h, program);
	if (why)
		return why;

	last = &program->segments[program->nr_segments - 1];
	program->low = ALIGN_DOWN(program->segments[0].address, PAGE_SIZE);
	program->high = ALIGN_UP(last->address + last->mem_size, PAGE_SIZE);
	program->entry = h.entry;
	program->phdr = find_phdr(program, &h);
	program->phnum = h.phnum;
	program->phentsize = h.phentsize;
	if (!entry_is_code(program))
		return "its entry point is not in its code";
	return NULL;
}

int
elf_parse(const void *image, uint64_t size, struct elf_program *program,
	  const char **why)
{
	*why = parse(image, size, program);
	return *why ? -ENOEXEC : 0;
}

void
elf_own_pages(const struct elf_program *program, unsigned i, uint64_t *start,
	      uint64_t *end)
{
	const struct elf_segment *segment = &program->segments[i];

	*start = ALIGN_DOWN(segment->address, PAGE_SIZE);
	*end = ALIGN_UP(segment->address + segment->mem_size, PAGE_SIZE);
	if (i + 1 < program->nr_segments)
		*end = MIN(*end, ALIGN_DOWN(segment[1].address, PAGE_SIZE));
}
