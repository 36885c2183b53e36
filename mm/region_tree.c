/*
 * Regions by address. The tree knows ranges and gaps; what a region means is
 * mm/region.c's business.
 */
#include "kernel/base/assert.h"
#include "mm/mm.h"
#include "mm/region_tree.h"

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
			region = region->right;
			continue;
		}
		best = region;
		if (addr >= region->start)
			break;
		region = region->left;
	}
	return best;
}

static struct region *
leftmost(struct region *region)
{
	while (region && region->left)
		region = region->left;
	return region;
}

static struct region *
rightmost(struct region *region)
{
	while (region && region->right)
		region = region->right;
	return region;
}

struct region *
region_first(struct mm *mm)
{
	return leftmost(mm->regions.root);
}

struct region *
region_next(struct region *region)
{
	if (region->right)
		return leftmost(region->right);
	while (region->parent && region->parent->right == region)
		region = region->parent;
	return region->parent;
}

struct region *
region_prev(struct region *region)
{
	if (region->left)
		return rightmost(region->left);
	while (region->parent && region->parent->left == region)
		region = region->parent;
	return region->parent;
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

/* What a new region could take between @prev and @region. */
static u64
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
	node->height = 1 + MAX(height_of(node->left), height_of(node->right));
	node->max_gap = MAX(node->gap_before, MAX(max_gap_of(node->left),
						  max_gap_of(node->right)));
}

/* @new, perhaps NULL, takes the place of @old under @old's parent. */
static void
replace_child(struct region_tree *tree, struct region *old,
	      struct region *new)
{
	struct region *parent = old->parent;

	if (!parent)
		tree->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

static struct region *
rotate_left(struct region_tree *tree, struct region *top)
{
	struct region *new_top = top->right;

	replace_child(tree, top, new_top);
	top->right = new_top->left;
	if (top->right)
		top->right->parent = top;
	new_top->left = top;
	top->parent = new_top;
	refresh(top);
	refresh(new_top);
	return new_top;
}

static struct region *
rotate_right(struct region_tree *tree, struct region *top)
{
	struct region *new_top = top->left;

	replace_child(tree, top, new_top);
	top->left = new_top->right;
	if (top->left)
		top->left->parent = top;
	new_top->right = top;
	top->parent = new_top;
	refresh(top);
	refresh(new_top);
	return new_top;
}

/* Levels @node, whose subtrees differ by 2; returns the new top. */
static struct region *
rebalance(struct region_tree *tree, struct region *node)
{
	struct region *left = node->left, *right = node->right;

	if (height_of(left) > height_of(right)) {
		ASSERT(left->height == height_of(right) + 2);
		if (height_of(left->right) > height_of(left->left))
			rotate_left(tree, left);
		return rotate_right(tree, node);
	}
	ASSERT(right->height == height_of(left) + 2);
	if (height_of(right->left) > height_of(right->right))
		rotate_right(tree, right);
	return rotate_left(tree, node);
}

static inline bool
balanced(const struct region *node)
{
	int lean = height_of(node->left) - height_of(node->right);

	return lean >= -1 && lean <= 1;
}

/* Repairs the way up from @node, as far as anything changes. */
static void
fix_up(struct region_tree *tree, struct region *node)
{
	while (node) {
		int height = node->height;
		u64 max_gap = node->max_gap;

		refresh(node);
		if (unlikely(!balanced(node)))
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
			link = &parent->left;
		} else {
			ASSERT(region->start >= parent->end);
			prev = parent;
			link = &parent->right;
		}
	}
	*link = region;
	region->parent = parent;
	region->left = region->right = NULL;
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

	if (next != node->right) {
		lowest = next->parent;
		replace_child(tree, next, next->right);
		next->right = node->right;
		next->right->parent = next;
	}
	next->left = node->left;
	next->left->parent = next;
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

	ASSERT(tree->nr_regions > 0);
	if (region->left && region->right)
		lowest = put_next_in_place(tree, region, next);
	else
		replace_child(tree, region, region->left ? region->left
							 : region->right);
	if (next)
		next->gap_before = gap_between(prev, next);
	fix_up(tree, lowest);
	fix_up(tree, next);
	tree->nr_regions--;
	tree->bytes -= region->end - region->start;
	region->parent = region->left = region->right = NULL;
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
		addr = place_in(node->right, len, low, high);
	if (addr)
		return addr;
	gap_end = node->start - (node->stack ? STACK_GUARD : 0);
	if (node->gap_before >= len)
		addr = fit(len, gap_end - node->gap_before, gap_end, low,
			   high);
	if (!addr && node->start > low)
		addr = place_in(node->left, len, low, high);
	return addr;
}

uaddr_t
tree_place(const struct region_tree *tree, u64 len, uaddr_t low, uaddr_t high)
{
	const struct region *last = rightmost(tree->root);
	uaddr_t addr;

	ASSERT(len && IS_ALIGNED(len, PAGE_SIZE));
	ASSERT(low >= USER_START && high <= USER_END);
	addr = fit(len, last ? last->end : USER_START, USER_END, low, high);
	return addr ? addr : place_in(tree->root, len, low, high);
}

/* ---- Checking --------------------------------------------------------- */

struct check {
	const struct region *prev;
	u64 nr_regions, bytes;
};

static void
check_node(const struct region *node, struct check *check)
{
	const struct region *prev = check->prev;

	if (node->start >= node->end || node->start < USER_START ||
	    node->end > USER_END || (node->start | node->end) % PAGE_SIZE)
		panic("region %lx-%lx is not a range of user pages",
		      node->start, node->end);
	if (prev && prev->end > node->start)
		panic("regions %lx-%lx and %lx-%lx overlap or are out of order",
		      prev->start, prev->end, node->start, node->end);
	if (node->gap_before != gap_between(prev, node))
		panic("region %lx-%lx says that %lx bytes are free before it; "
		      "there are %lx", node->start, node->end,
		      node->gap_before, gap_between(prev, node));
	if (node->shared != (node->object != NULL))
		panic("region %lx-%lx is %sshared but has %s object",
		      node->start, node->end, node->shared ? "" : "not ",
		      node->object ? "an" : "no");
	check->prev = node;
	check->nr_regions++;
	check->bytes += node->end - node->start;
}

static void
check_subtree(const struct region *node, const struct region *parent,
	      struct check *check)
{
	int left, right;

	if (!node)
		return;
	if (node->parent != parent)
		panic("region %lx-%lx has a wrong parent", node->start,
		      node->end);
	check_subtree(node->left, node, check);
	check_node(node, check);
	check_subtree(node->right, node, check);
	left = height_of(node->left);
	right = height_of(node->right);
	if (node->height != 1 + MAX(left, right) || left - right > 1 ||
	    right - left > 1)
		panic("region %lx-%lx: height %d over %d and %d", node->start,
		      node->end, node->height, left, right);
	if (node->max_gap != MAX(node->gap_before,
				 MAX(max_gap_of(node->left),
				     max_gap_of(node->right))))
		panic("region %lx-%lx: its subtree has no gap of %lx bytes",
		      node->start, node->end, node->max_gap);
}

void
region_check(struct mm *mm)
{
	struct check check = { .prev = NULL };

	check_subtree(mm->regions.root, NULL, &check);
	if (check.nr_regions != mm->regions.nr_regions ||
	    check.bytes != mm->regions.bytes)
		panic("mm %lu counts %lu regions of %lu bytes; there are %lu "
		      "of %lu", mm->id, mm->regions.nr_regions,
		      mm->regions.bytes, check.nr_regions, check.bytes);
}
