/* Who may touch user memory: the kernel's copies. */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/usercopy.h"
#include "tests/explore/play.h"

static void
is_refused(void)
{
	u64 word;

	if (copy_from_user(&word, DATA, sizeof(word)) != -EFAULT)
		panic("%s reads user memory that it only borrows",
		      current->name);
}

static void
copies(void)
{
	u64 word;

	if (copy_from_user(&word, DATA, sizeof(word)))
		panic("%s has adopted, and may not read", current->name);
}

SCENARIO(who_borrows_touches_no_user_memory, 1,
	 "what a kernel thread borrows is a stranger's; what it adopts is not")
{
	struct actor *A = user("A"), *K = kthread("K");

	on(0, to(A), to(K), calls(is_refused, "tries to copy"), pins(A),
	   adopts(A), calls(copies, "copies"), abandons(A),
	   calls(is_refused, "tries to copy"), unpins(A));
}
