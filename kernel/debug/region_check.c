/* What must be true of the tree of regions: order, overlap, heights, gaps. */
#include "kernel/base/assert.h"
#include "mm/mm.h"
#include "mm/region_tree.h"

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
	if (node->shared && !node->object)
		panic("region %lx-%lx is shared but has no object",
		      node->start, node->end);
	check->prev = node;
	check->nr_regions++;
	check->bytes += node->end - node->start;
}

/* What @node says of its subtree, against what its children say of theirs. */
static void
check_sums(const struct region *node, int left, int right, u64 max_gap)
{
	if (node->height != 1 + MAX(left, right) || left - right > 1 ||
	    right - left > 1)
		panic("region %lx-%lx: height %d over %d and %d", node->start,
		      node->end, node->height, left, right);
	if (node->max_gap != MAX(node->gap_before, max_gap))
		panic("region %lx-%lx: its subtree has no gap of %lx bytes",
		      node->start, node->end, node->max_gap);
}

static void
check_subtree(const struct region *node, const struct region *parent,
	      struct check *check)
{
	const struct region *left, *right;

	if (!node)
		return;
	if (node->parent != parent)
		panic("region %lx-%lx has a wrong parent", node->start,
		      node->end);
	left = node->child[0];
	right = node->child[1];
	check_subtree(left, node, check);
	check_node(node, check);
	check_subtree(right, node, check);
	check_sums(node, left ? left->height : 0, right ? right->height : 0,
		   MAX(left ? left->max_gap : 0, right ? right->max_gap : 0));
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
