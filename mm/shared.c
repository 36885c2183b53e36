/*
 * Shared objects: a radix tree of pages. The tree is only as high as the
 * largest index needs.
 *
 * Locking: mm->lock of whoever faults, then the object's lock. The object
 * needs one of its own, since several mms use it at once.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "mm/shared.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/sched.h"

enum { NODE_SHIFT = 6, NODE_SLOTS = 1 << NODE_SHIFT };

/* slots[]: nodes, or at the lowest level pages. */
struct node {
	void *slots[NODE_SLOTS];
};

struct shared_object {
	atomic_t refs;
	u64 pages; /* size: indices below this are legal */
	bool fixed, device;
	paddr_t start; /* fixed: where it is */
	struct mutex lock;
	/* under lock */
	struct node *root;
	unsigned height; /* levels of nodes; 0: no root */
};

static struct kmem_cache *object_cache, *node_cache;

void
shared_init(void)
{
	object_cache = kmem_cache_create("shared_object",
					 sizeof(struct shared_object), 8, NULL);
	node_cache = kmem_cache_create("shared_node", sizeof(struct node), 8,
				       NULL);
}

struct shared_object *
shared_object_sized(u64 pages)
{
	struct shared_object *object = kmem_cache_alloc(object_cache);

	ASSERT(pages <= SHARED_MAX_PAGES);
	if (!object)
		return NULL;
	memset(object, 0, sizeof(*object));
	atomic_set(&object->refs, 1);
	mutex_init(&object->lock, "shared object");
	object->pages = pages;
	return object;
}

struct shared_object *
shared_object_create(void)
{
	return shared_object_sized(SHARED_MAX_PAGES);
}

struct shared_object *
shared_object_fixed(paddr_t start, u64 pages, bool device)
{
	struct shared_object *object = shared_object_sized(pages);

	if (!object)
		return NULL;
	object->fixed = true;
	object->device = device;
	object->start = start;
	return object;
}

u64
shared_object_pages(const struct shared_object *object)
{
	return object->pages;
}

bool
shared_object_is_fixed(const struct shared_object *object)
{
	return object->fixed;
}

paddr_t
shared_object_frame(const struct shared_object *object, u64 index,
		    bool *device)
{
	ASSERT(object->fixed && index < object->pages);
	*device = object->device;
	return object->start + (index << PAGE_SHIFT);
}

void
shared_object_get(struct shared_object *object)
{
	int refs = atomic_add_return(&object->refs, 1);

	ASSERT(refs > 1);
}

static struct node *
node_alloc(void)
{
	struct node *node = kmem_cache_alloc(node_cache);

	if (node)
		memset(node, 0, sizeof(*node));
	return node;
}

/* Frees a subtree of @height levels. It calls itself as deep as the tree is
 * high: at most 6, by SHARED_MAX_PAGES. */
static void
free_nodes(struct node *node, unsigned height)
{
	if (!node)
		return;
	for (unsigned i = 0; i < NODE_SLOTS; i++) {
		if (height == 1) {
			if (node->slots[i])
				put_page(node->slots[i]);
		} else if (node->slots[i]) {
			free_nodes(node->slots[i], height - 1);
			cond_resched();
		}
	}
	kmem_cache_free(node_cache, node);
}

void
shared_object_put(struct shared_object *object)
{
	int refs = atomic_add_return(&object->refs, -1);

	ASSERT(refs >= 0);
	if (refs > 0)
		return;
	free_nodes(object->root, object->height);
	kmem_cache_free(object_cache, object);
}

/* Can a tree of @height levels hold @index? */
static bool
reaches(unsigned height, u64 index)
{
	return height > 0 && index >> (NODE_SHIFT * height) == 0;
}

/* Puts new roots above the old one until @index fits. An added root with one
 * child is a whole tree, so that failure half-way needs no undoing. */
static int
grow(struct shared_object *object, u64 index)
{
	while (!reaches(object->height, index)) {
		struct node *node = node_alloc();

		if (!node)
			return -ENOMEM;
		node->slots[0] = object->root;
		object->root = node;
		object->height++;
	}
	return 0;
}

/* The slot of @index, with the nodes on the way made; NULL: no memory. */
static void **
find_slot(struct shared_object *object, u64 index)
{
	struct node *node;
	void **slot = NULL;

	if (grow(object, index))
		return NULL;
	node = object->root;
	for (unsigned level = object->height; level > 0; level--) {
		slot = &node->slots[(index >> (NODE_SHIFT * (level - 1))) %
				    NODE_SLOTS];
		if (level > 1 && !*slot)
			*slot = node_alloc();
		node = *slot;
		if (level > 1 && !node)
			return NULL;
	}
	return slot;
}

struct page *
shared_object_page(struct shared_object *object, u64 index)
{
	struct page *page = NULL;
	void **slot;

	ASSERT(atomic_read(&object->refs) > 0);
	ASSERT(!object->fixed && index < object->pages);
	mutex_lock(&object->lock);
	slot = find_slot(object, index);
	if (slot && !*slot)
		*slot = alloc_zeroed_page(ALLOC_USER);
	if (slot && *slot) {
		page = *slot;
		get_page(page);
	}
	mutex_unlock(&object->lock);
	return page;
}
