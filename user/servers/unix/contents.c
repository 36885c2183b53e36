/*
 * The bytes of files in memory. Those of the archive are read where they lie.
 * A file that is run or mapped freezes: it becomes a memory whose pages programs
 * show. Either is copied to pages of the file's own when somebody wants to
 * write, so that what runs does not change under its program. Bytes that lie
 * behind the file's end, in pages of its own or of a memory, are zero.
 */
#include <errno.h>
#include <string.h>

#include "user/servers/unix/node.h"

/* Contents that are a memory; last, what was asked for last. There are fewer
 * memories than files: for another one the first of these thaws. */
static struct list frozen = LIST_INIT(frozen);

static u64
pages_for(u64 size)
{
	return ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
}

static u64
room_left(const struct filesystem *fs)
{
	return fs->max_pages - fs->pages;
}

/* So that a file that grows bit by bit is seldom moved. */
static u64
generous(const struct node *node, u64 size)
{
	u64 more = ALIGN_UP(size + size / 8, PAGE_SIZE);
	u64 extra = (more - node->contents.capacity) / PAGE_SIZE;

	return extra <= room_left(node->fs) ? more : ALIGN_UP(size, PAGE_SIZE);
}

static void
free_frozen(struct node *node)
{
	struct contents *c = &node->contents;

	os_free_memory(c->memory, c->bytes, ALIGN_UP(c->size, PAGE_SIZE));
	node->fs->pages -= pages_for(c->size);
	c->memory = 0;
	list_unlink(&c->frozen);
}

static int
set_capacity(struct node *node, u64 capacity)
{
	struct contents *c = &node->contents;
	u8 *pages = c->capacity ? os_resize_pages(c->bytes, c->capacity, capacity)
				: os_pages(capacity);

	if (!pages)
		return -ENOMEM;
	if (!c->capacity && c->size)
		memcpy(pages, c->bytes, c->size);
	if (c->memory)
		free_frozen(node);
	node->fs->pages += capacity / PAGE_SIZE;
	node->fs->pages -= c->capacity / PAGE_SIZE;
	c->bytes = pages;
	c->capacity = capacity;
	return 0;
}

int
contents_reserve(struct node *node, u64 size)
{
	struct contents *c = &node->contents;
	u64 had = c->capacity / PAGE_SIZE;

	size = MAX(size, c->size);
	if (size <= c->capacity)
		return 0;
	if (size > INT64_MAX)
		return -EFBIG;
	if (pages_for(size) - had > room_left(node->fs))
		return -ENOSPC;
	return set_capacity(node, generous(node, size));
}

/* Programs that map it keep its pages; the file has a copy from now on. */
static bool
thaw_one(void)
{
	struct contents *c;

	list_for_each(c, &frozen, frozen) {
		if (set_capacity(container_of(c, struct node, contents),
				 ALIGN_UP(c->size, PAGE_SIZE)) == 0)
			return true;
	}
	return false;
}

static long
make_memory(u64 len, void **view)
{
	long memory = os_memory(len, view);

	if (memory == -EMFILE && thaw_one())
		memory = os_memory(len, view);
	return memory;
}

static int
freeze(struct node *node)
{
	struct contents *c = &node->contents;
	u64 pages = pages_for(c->size);
	void *view;
	long memory;

	if (pages > room_left(node->fs))
		return -ENOMEM;
	memory = make_memory(pages * PAGE_SIZE, &view);
	if (memory < 0)
		return -ENOMEM;
	memcpy(view, c->bytes, c->size);
	if (c->capacity)
		os_free_pages(c->bytes, c->capacity);
	node->fs->pages += pages;
	node->fs->pages -= c->capacity / PAGE_SIZE;
	c->bytes = view;
	c->capacity = 0;
	c->memory = (unsigned)memory;
	list_add_tail(&frozen, &c->frozen);
	return 0;
}

int
contents_freeze(struct node *node)
{
	struct contents *c = &node->contents;

	if (c->memory)
		list_move_tail(&frozen, &c->frozen);
	return c->memory || c->size == 0 ? 0 : freeze(node);
}

void
contents_free(struct node *node)
{
	struct contents *c = &node->contents;

	if (c->memory)
		free_frozen(node);
	if (c->capacity)
		os_free_pages(c->bytes, c->capacity);
	node->fs->pages -= c->capacity / PAGE_SIZE;
	*c = (struct contents){ 0 };
}

static int
shrink(struct node *node, u64 size)
{
	struct contents *c = &node->contents;
	u64 capacity = ALIGN_UP(size, PAGE_SIZE);

	if (size == 0) {
		contents_free(node);
		return 0;
	}
	if (c->memory && contents_reserve(node, c->size))
		return -ENOMEM;
	if (!c->capacity) { /* the archive's bytes have no zeros behind them */
		c->size = size;
		return 0;
	}
	if (capacity < c->capacity && set_capacity(node, capacity))
		return -ENOMEM;
	memset(c->bytes + size, 0, MIN(c->capacity, c->size) - size);
	c->size = size;
	return 0;
}

int
contents_truncate(struct node *node, u64 size)
{
	int err;

	if (size < node->contents.size)
		return shrink(node, size);
	err = size > node->contents.size ? contents_reserve(node, size) : 0;
	if (!err)
		node->contents.size = size;
	return err;
}

u64
contents_blocks(const struct node *node)
{
	return pages_for(node->contents.size) * (PAGE_SIZE / 512);
}
