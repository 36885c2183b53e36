/* What an outsider may know of an address space. */
#include "kernel/abi.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/native.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"
#include "sched/task.h"

/* An outsider's look: a pin keeps the struct, one user's reference for a
 * moment keeps the contents; neither is to be seen in the figures. */
static void
fill_mm_stat(struct mm *mm, struct lodger_mm_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->id = mm->id;
	stat->users = mm_users(mm);
	stat->count = mm_count(mm) - 1;
	stat->cpumask = atomic64_read(&mm->cpumask);
	stat->torn_down = mm->torn_down;
	strscpy(stat->name, mm->name, sizeof(stat->name));
	if (mm == &init_mm || !mmget_not_zero(mm, current))
		return;
	mutex_lock(&mm->lock);
	stat->resident = mm->nr_pages;
	stat->tables = mm->nr_tables;
	stat->regions = mm->regions.nr_regions;
	stat->mapped_bytes = mm->regions.bytes;
	mutex_unlock(&mm->lock);
	mmput_by_reaper(mm, current);
}

long
stat_pinned_mm(struct mm *mm, uaddr_t buf)
{
	struct lodger_mm_stat stat;

	fill_mm_stat(mm, &stat);
	return copy_to_user(buf, &stat, sizeof(stat));
}

long
native_mm_stat(u64 id, uaddr_t buf)
{
	struct mm *mm = mm_find(id == ~0ul ? current->mm->id : id, current);
	long result;

	if (!mm)
		return -ESRCH;
	result = stat_pinned_mm(mm, buf);
	mmdrop(mm, REF_PIN, current);
	return result;
}
