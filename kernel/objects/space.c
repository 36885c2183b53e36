/* See kernel/objects/space.h. */
#include "kernel/objects/space.h"

#include "kernel/abi.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"
#include "sched/task.h"

enum { REGIONS_AT_ONCE = 16 };

struct listing {
	struct lodger_region regions[REGIONS_AT_ONCE];
	unsigned used;
	uaddr_t next; /* where to go on */
};

static bool
in_heap(const struct mm *mm, const struct region *region)
{
	return region->start < mm->brk && region->end > mm->brk_start;
}

static void
describe(const struct mm *mm, const struct region *region,
	 struct lodger_region *out)
{
	*out = (struct lodger_region){
		.start = region->start,
		.end = region->end,
		.prot = region->prot,
		.flags = (region->shared ? LODGER_REGION_SHARED : 0) |
			 (region->stack ? LODGER_REGION_STACK : 0) |
			 (in_heap(mm, region) ? LODGER_REGION_HEAP : 0),
	};
}

/* The next few; they are copied out later, since that may fault. */
static void
list_some(struct mm *mm, struct listing *list)
{
	struct region *region;

	list->used = 0;
	mutex_lock(&mm->lock);
	region = region_find(mm, list->next);
	while (region && list->used < REGIONS_AT_ONCE) {
		describe(mm, region, &list->regions[list->used++]);
		list->next = region->end;
		region = region_next(region);
	}
	mutex_unlock(&mm->lock);
}

static long
list_all(struct mm *mm, uaddr_t buf, size_t n)
{
	struct listing list = { .next = 0 };
	size_t found = 0;

	do {
		size_t room = found < n ? n - found : 0;

		list_some(mm, &list);
		if (copy_to_user(buf + MIN(found, n) * sizeof(list.regions[0]),
				 list.regions, MIN(list.used, room) *
						       sizeof(list.regions[0])))
			return -EFAULT;
		found += list.used;
		cond_resched();
	} while (list.used == REGIONS_AT_ONCE &&
		 !READ_ONCE(current->kill_signal));
	return (long)found;
}

long
native_mm_regions(u64 id, uaddr_t buf, size_t n)
{
	struct mm *mm = mm_find(id == ~0ul ? current->mm->id : id, current);
	long result = -ESRCH;

	if (!mm)
		return -ESRCH;
	if (mm != &init_mm && mmget_not_zero(mm, current)) {
		result = list_all(mm, buf, n);
		mmput_by_reaper(mm, current);
	}
	mmdrop(mm, REF_PIN, current);
	return result;
}
