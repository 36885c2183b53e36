/*
 * The server's own memory, from the kernel. Every page is there before it is
 * used: a server that met a page fault without memory would be killed, and with
 * it everybody's files.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "user/include/madvise.h"
#include "user/include/objects.h"
#include "user/servers/unix/os_lodger.h"
#include "user/servers/unix/os.h"

/* ---- Pages ---------------------------------------------------------- */

void *
os_pages(size_t len)
{
	void *pages = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	if (madvise(pages, len, MADV_POPULATE_WRITE) == 0)
		return pages;
	munmap(pages, len);
	return NULL;
}

void *
os_resize_pages(void *pages, size_t old_len, size_t len)
{
	char *moved = mremap(pages, old_len, len, MREMAP_MAYMOVE);

	if (moved == MAP_FAILED)
		return NULL;
	if (len <= old_len ||
	    madvise(moved + old_len, len - old_len, MADV_POPULATE_WRITE) == 0)
		return moved;
	/* Back to where and what it was. */
	if (moved == pages)
		munmap(moved + old_len, len - old_len);
	else
		mremap(moved, len, old_len, MREMAP_MAYMOVE | MREMAP_FIXED,
		       pages);
	return NULL;
}

void
os_free_pages(void *pages, size_t len)
{
	munmap(pages, len);
}

/* ---- Memory for others ---------------------------------------------- */

static void *
view_of(unsigned memory, u64 len)
{
	long addr = lodger_memory_map(0, memory, 0, len, 0,
				      PROT_READ | PROT_WRITE);

	if (addr < 0 && addr > -4096)
		return NULL;
	if (madvise((void *)addr, len, MADV_POPULATE_WRITE) == 0)
		return (void *)addr;
	munmap((void *)addr, len);
	return NULL;
}

static unsigned nr_memories;

long
os_memory(u64 len, void **view)
{
	long memory = nr_memories < OS_MEMORIES_MAX ? lodger_memory_create(len)
						    : -EMFILE;

	if (memory < 0)
		return memory;
	*view = view_of((unsigned)memory, len);
	if (*view) {
		nr_memories++;
		return memory;
	}
	lodger_handle_close((unsigned)memory);
	return -ENOMEM;
}

void
os_free_memory(unsigned memory, void *view, u64 len)
{
	munmap(view, len);
	nr_memories--;
	lodger_handle_close(memory);
}

/* ---- Small pieces --------------------------------------------------- */

/* Sizes are powers of two; free pieces of one size are a list. */
enum {
	SMALLEST = 5, /* 32 bytes */
	LARGEST = 15, /* above 32 KiB it is pages */
	CHUNK = 64 << 10,
};

struct piece {
	struct piece *next;
};

static struct piece *free_pieces[LARGEST + 1];

static unsigned
size_class(size_t size)
{
	unsigned class = SMALLEST;

	while ((1ul << class) < size)
		class++;
	return class;
}

/* A chunk, cut up. It never goes back. */
static bool
refill(unsigned class)
{
	char *chunk = os_pages(CHUNK);

	if (!chunk)
		return false;
	for (size_t at = 0; at < CHUNK; at += 1ul << class) {
		struct piece *piece = (struct piece *)(chunk + at);

		piece->next = free_pieces[class];
		free_pieces[class] = piece;
	}
	return true;
}

void *
os_alloc(size_t size)
{
	unsigned class = size_class(size);
	struct piece *piece;

	if (class > LARGEST)
		return os_pages(ALIGN_UP(size, PAGE_SIZE));
	if (!free_pieces[class] && !refill(class))
		return NULL;
	piece = free_pieces[class];
	free_pieces[class] = piece->next;
	return memset(piece, 0, size);
}

void
os_free(void *memory, size_t size)
{
	unsigned class = size_class(size);
	struct piece *piece = memory;

	if (class > LARGEST) {
		os_free_pages(memory, ALIGN_UP(size, PAGE_SIZE));
		return;
	}
	piece->next = free_pieces[class];
	free_pieces[class] = piece;
}
