/*
 * Panics on purpose: each must end in a screen that says what was violated.
 * A test whose name begins with panic_ is left out of test=all.
 */
#include "arch/x86/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
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

/* As a driver may leave it: another speed, and interrupts that nobody hears. */
static void
misuse_the_serial_port(void)
{
	u16 first, count;

	arch_console_ports(&first, &count);
	arch_port_out(first + 3, 1, 0x83); /* the divisor's registers */
	arch_port_out(first, 1, 12);
	arch_port_out(first + 1, 1, 0);
	arch_port_out(first + 3, 1, 0x83);
	arch_port_out(first + 4, 1, 0x1f); /* looped back on itself */
}

// run: verdict=PANIC
// expect: ^KERNEL PANIC: nobody's console$
KERNEL_TEST(panic_takes_the_console,
	    "a panic takes the console back from whoever has it")
{
	log_release();
	misuse_the_serial_port();
	pr_err("this is kept, and not shown");
	panic("nobody's console");
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

/* The page below the stack on which @cpu handles a double fault: such a stack
 * is the lower half of KSTACK_SIZE bytes. */
static volatile u8 *
below_double_fault_stack(unsigned cpu)
{
	u64 top = ALIGN_UP(cpu_tables[cpu].tss.ist[0], PAGE_SIZE);

	return (volatile u8 *)(top - KSTACK_SIZE / 2 - 1);
}

// run: cpus=1 verdict=PANIC
// expect: ^KERNEL PANIC: kernel tried to write address 0x[0-9a-f]+fff, which is not mapped
KERNEL_TEST(panic_boot_fault_stack,
	    "a guard lies below the boot CPU's stack for double faults")
{
	*below_double_fault_stack(0) = 1;
}

// run: cpus=2 verdict=PANIC
// expect: ^KERNEL PANIC: kernel stack overflow
KERNEL_TEST(panic_other_fault_stack,
	    "a guard lies below another CPU's stack for double faults")
{
	*below_double_fault_stack(1) = 1;
}

// run: verdict=PANIC
// expect: ^KERNEL PANIC: .*user
// expect: ^called from:\n.* test_panic_user_address\+0x
KERNEL_TEST(panic_user_address, "the kernel does not touch user memory by itself")
{
	EXPECT_EQ(*(volatile char *)0x400000, 0);
}
