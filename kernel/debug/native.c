/* Lodger's own system calls that only debug builds have. */
#include "kernel/native.h"

#include "kernel/abi.h"
#include "kernel/base/errno.h"
#include "kernel/invariants.h"
#include "mm/fail.h"
#include "sched/task.h"

long
native_fail(int class, unsigned nth)
{
	if (class == LODGER_FAIL_ANY)
		class = NR_ALLOC_CLASSES;
	if (class < 0 || class > NR_ALLOC_CLASSES)
		return -EINVAL;
	fail_allocation((enum alloc_class)class, nth);
	return 0;
}

long
native_fail_happened(void)
{
	return failure_happened();
}

long
native_check_invariants(void)
{
	check_invariants();
	return 0;
}

void
end_injection(u64 number)
{
	if (unlikely(current->fail_nth) && number != LODGER_fail &&
	    number != LODGER_fail_happened)
		withdraw_failure();
}
