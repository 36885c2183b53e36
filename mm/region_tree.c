/*
 * Regions by address. The tree knows ranges and gaps; what a region means is
 * mm/region.c's business.
 */
#include "kernel/base/assert.h"
#include "mm/mm.h"
#include "mm/region_tree.h"

enum side { LEFT, RIGHT };

void
region_tree_init(struct region_tree *tree)
{
	*tree = (struct region_tree){ .root = NULL };
}

/* ---- Finding ---------------------------------------------------------- */

struct region *
region_find(struct mm *mm, uaddr_t addr)
{
	struct region *region = mm->regions.root, *best = NULL;

	while (region) {
		if (addr >= region->end) {
			region = region->child[RIGHT];
			continue;
		}
		best = region;
		if (addr >= region->start)
			break;
		region = region->child[LEFT];
	}
	return best;
}

/* The last one of a subtree on its @side. */
static struct region *
outermost(struct region *region, enum side side)
{
	while (region && region->child[side])
		region = region->child[side];
	return region;
}

/* The next one in the order of addresses, towards @side. */
static struct region *
neighbour(struct region *region, enum side side)
{
	if (region->child[side])
		return outermost(region->child[side], !side);
	while (region->parent && region->parent->child[side] == region)
		region = region->parent;
	return region->parent;
}

struct region *
region_first(struct mm *mm)
{
	return outermost(mm->regions.root, LEFT);
}

struct region *
region_next(struct region *region)
{
	return neighbour(region, RIGHT);
}

struct region *
region_prev(struct region *region)
{
	return neighbour(region, LEFT);
}

/* ---- Balance ---------------------------------------------------------- */

static int
height_of(const struct region *region)
{
	return region ? region->height : 0;
}

static u64
max_gap_of(const struct region *region)
{
	return region ? region->max_gap : 0;
}

u64
gap_between(const struct region *prev, const struct region *region)
{
	u64 room = region->start - (prev ? prev->end : USER_START);

	if (!region->stack)
		return room;
	return room > STACK_GUARD ? room - STACK_GUARD : 0;
}

/* Computes what @node says of its subtree from its children. */
static inline void
refresh(struct region *node)
{
	const struct region *left = node->child[LEFT];
	const struct region *right = node->child[RIGHT];

	node->height = 1 + MAX(height_of(left), height_of(right));
	node->max_gap = MAX(node->gap_before,
			    MAX(max_gap_of(left), max_gap_of(right)));
}

/* @new, perhaps NULL, takes the place of @old under @old's parent. */
static void
replace_child(struct region_tree *tree, struct region *old,
	      struct region *new)
{
	struct region *parent = old->parent;

	if (!parent)
		tree->root = new;
	else
		parent->child[parent->child[RIGHT] == old] = new;
	if (new)
		new->parent = parent;
}

/* @top goes down on @side, its other child up into its place. */
static struct region *
rotate(struct region_tree *tree, struct region *top, enum side side)
{
	struct region *new_top = top->child[!side];

	replace_child(tree, top, new_top);
	top->child[!side] = new_top->child[side];
	if (top->child[!side])
		top->child[!side]->parent = top;
	new_top->child[side] = top;
	top->parent = new_top;
	refresh(top);
	refresh(new_top);
	return new_top;
}

/* How much higher its right subtree is. */
static inline int
lean(const struct region *node)
{
	return height_of(node->child[RIGHT]) - height_of(node->child[LEFT]);
}

/* Levels @node, whose subtrees differ by 2; returns the new top. */
static struct region *
rebalance(struct region_tree *tree, struct region *node)
{
	enum side high = lean(node) > 0 ? RIGHT : LEFT;
	struct region *child = node->child[high];

	ASSERT(lean(node) == 2 || lean(node) == -2);
	if (height_of(child->child[!high]) > height_of(child->child[high]))
		rotate(tree, child, high);
	return rotate(tree, node, !high);
}

/* Repairs the way up from @node, as far as anything changes. */
static void
fix_up(struct region_tree *tree, struct region *node)
{
	while (node) {
		int height = node->height;
		u64 max_gap = node->max_gap;

		refresh(node);
		if (unlikely(lean(node) < -1 || lean(node) > 1))
			node = rebalance(tree, node);
		if (node->height == height && node->max_gap == max_gap)
			return;
		node = node->parent;
	}
}

/* After @prev (or NULL) come, now, @region and @next (or NULL). Both gaps are
 * set before the first climb, which then mostly does the work of the second. */
static void
fix_gaps(struct region_tree *tree, struct region *prev, struct region *region,
	 struct region *next)
{
	region->gap_before = gap_between(prev, region);
	if (next)
		next->gap_before = gap_between(region, next);
	fix_up(tree, region);
	fix_up(tree, next);
}

/* ---- Changing --------------------------------------------------------- */

void
tree_insert(struct region_tree *tree, struct region *region)
{
	struct region **link = &tree->root;
	struct region *parent = NULL, *prev = NULL, *next = NULL;

	ASSERT(region->start >= USER_START && region->end <= USER_END);
	ASSERT(region->start < region->end);
	while (*link) {
		parent = *link;
		if (region->end <= parent->start) {
			next = parent;
			link = &parent->child[LEFT];
		} else {
			ASSERT(region->start >= parent->end);
			prev = parent;
			link = &parent->child[RIGHT];
		}
	}
	*link = region;
	region->parent = parent;
	region->child[LEFT] = region->child[RIGHT] = NULL;
	region->height = 0; /* not counted yet: fix_up() sees a change */
	fix_gaps(tree, prev, region, next);
	tree->nr_regions++;
	tree->bytes += region->end - region->start;
}

/* @next, the leftmost below @node's right child, takes @node's place. Returns
 * the lowest node whose children changed. */
static struct region *
put_next_in_place(struct region_tree *tree, struct region *node,
		  struct region *next)
{
	struct region *lowest = next;

	if (next != node->child[RIGHT]) {
		lowest = next->parent;
		replace_child(tree, next, next->child[RIGHT]);
		next->child[RIGHT] = node->child[RIGHT];
		next->child[RIGHT]->parent = next;
	}
	next->child[LEFT] = node->child[LEFT];
	next->child[LEFT]->parent = next;
	replace_child(tree, node, next);
	/* What the nodes above have seen so far: fix_up() compares with it. */
	next->height = node->height;
	next->max_gap = node->max_gap;
	return lowest;
}

void
tree_remove(struct region_tree *tree, struct region *region)
{
	struct region *prev = region_prev(region);
	struct region *next = region_next(region);
	struct region *lowest = region->parent;
	struct region *left = region->child[LEFT];
	struct region *right = region->child[RIGHT];

	ASSERT(tree->nr_regions > 0);
	if (left && right)
		lowest = put_next_in_place(tree, region, next);
	else
		replace_child(tree, region, left ? left : right);
	if (next)
		next->gap_before = gap_between(prev, next);
	fix_up(tree, lowest);
	fix_up(tree, next);
	tree->nr_regions--;
	tree->bytes -= region->end - region->start;
}

void
tree_resize(struct region_tree *tree, struct region *region, uaddr_t start,
	    uaddr_t end)
{
	struct region *prev = region_prev(region);
	struct region *next = region_next(region);

	ASSERT(start < end);
	ASSERT(start >= (prev ? prev->end : USER_START));
	ASSERT(end <= (next ? next->start : USER_END));
	tree->bytes += (end - start) - (region->end - region->start);
	region->start = start;
	region->end = end;
	fix_gaps(tree, prev, region, next);
}

/* ---- Placing ---------------------------------------------------------- */

/* The highest place for @len in the part of [bottom, top) that lies inside
 * [low, high); 0: too small. */
static uaddr_t
fit(u64 len, uaddr_t bottom, uaddr_t top, uaddr_t low, uaddr_t high)
{
	bottom = MAX(bottom, low);
	top = MIN(top, high);
	return top > bottom && top - bottom >= len ? top - len : 0;
}

/*
 * Searches the gaps before the nodes of a subtree, from the right. A subtree
 * that lies wholly inside [low, high) succeeds when its max_gap says so; only
 * those on the borders can be searched in vain, one a level: O(log n).
 */
static uaddr_t
place_in(const struct region *node, u64 len, uaddr_t low, uaddr_t high)
{
	uaddr_t addr = 0, gap_end;

	if (!node || node->max_gap < len)
		return 0;
	if (node->end < high)
		addr = place_in(node->child[RIGHT], len, low, high);
	if (addr)
		return addr;
	gap_end = node->start - (node->stack ? STACK_GUARD : 0);
	if (node->gap_before >= len)
		addr = fit(len, gap_end - node->gap_before, gap_end, low,
			   high);
	if (!addr && node->start > low)
		addr = place_in(node->child[LEFT], len, low, high);
	return addr;
}

uaddr_t
tree_place(const struct region_tree *tree, u64 len, uaddr_t low, uaddr_t high)
{
	const struct region *last = outermost(tree->root, RIGHT);
	uaddr_t addr;

	ASSERT(len && IS_ALIGNED(len, PAGE_SIZE));
	ASSERT(low >= USER_START && high <= USER_END);
	addr = fit(len, last ? last->end : USER_START, USER_END, low, high);
	return addr ? addr : place_in(tree->root, len, low, high);
}
