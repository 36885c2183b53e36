/* The first program, as the kernel puts it into memory. */
#include "kernel/base/string.h"
#include "kernel/first.h"
#include "mm/region.h"
#include "tests/kernel/actor.h"

static long
first_order(void *unused)
{
	(void)unused;
	return become_first_program();
}

static unsigned
prot_at(struct mm *mm, uaddr_t addr)
{
	struct region *region;
	unsigned prot = 0;

	mutex_lock(&mm->lock);
	region = region_find(mm, addr);
	if (region && region->start <= addr)
		prot = region->prot;
	mutex_unlock(&mm->lock);
	return prot;
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(first_program_in_memory,
	    "the first program has code, data and a stack: none is both "
	    "written and executed")
{
	struct actor *P;
	struct mm *mm;

	stage_open(1);
	P = first_actor("P");
	to(0, P);
	MUST_EQ(does(P, first_order, NULL), 0);
	mm = P->task->mm;
	EXPECT_EQ(mm->regions.nr_regions, 3);
	EXPECT_EQ(prot_at(mm, CODE), PROT_READ | PROT_EXEC);
	EXPECT_EQ(prot_at(mm, mm->brk - 1), PROT_READ | PROT_WRITE);
	EXPECT_EQ(prot_at(mm, USER_END - 1), PROT_READ | PROT_WRITE);
	EXPECT_EQ(strcmp(P->task->name, "first"), 0);
	name_space(mm->id, "P");
	STEP("P is the first program", { mm->id, 1, 1 }, { INIT, 1, 1 });
	exits(P);
	to(0, NULL);
	stage_close();
}
