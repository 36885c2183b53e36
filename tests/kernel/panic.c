/*
 * Panics on purpose: each must end in a screen that says what was violated.
 * A test whose name begins with panic_ is left out of test=all.
 */
#include "kernel/base/panic.h"
#include "kernel/test.h"
#include "mm/mm.h"

// run: verdict=PANIC
// expect: ^KERNEL PANIC: mm 0: seven is not eight$
// expect: ^in kernel thread \d+ init, which borrows mm
// expect: ^called from:\n.* test_panic_screen\+0x
// expect: ^ *cpu  current +active_mm +loaded +prev_mm +lazy
// expect: ^ +3  \d+ \w+ +init \d+/\d+
// expect: ^mm init \d+/\d+ "init_mm", root 0x
// expect: ^registers:\nrip [0-9a-f]{16}
// expect: ^last trace records:\n +seq +time cpu
// expect: ^Again, the reason: mm 0: seven is not eight$
KERNEL_TEST(panic_screen, "a panic says why, where, who, and what each CPU had")
{
	panic_mm(&init_mm, "mm %lu: seven is not %s", init_mm.id, "eight");
}

/* Deeper than any stack; volatile, and something to do after the call, so
 * that each level has a frame of its own. */
static u64
descend(u64 depth)
{
	volatile u64 frame[64] = { depth };

	return frame[0] ? descend(depth + 1) + frame[0] : 0;
}

// run: verdict=PANIC
// expect: ^KERNEL PANIC: kernel stack overflow in task init
// expect: ^called from:\n.* descend\+0x
KERNEL_TEST(panic_stack, "a kernel stack that overflows is reported as that")
{
	EXPECT_EQ(descend(1), 0);
}

// run: verdict=PANIC
// expect: ^KERNEL PANIC: .*user
// expect: ^called from:\n.* test_panic_user_address\+0x
KERNEL_TEST(panic_user_address, "the kernel does not touch user memory by itself")
{
	EXPECT_EQ(*(volatile char *)0x400000, 0);
}
