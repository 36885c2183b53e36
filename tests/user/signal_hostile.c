// linux-oracle
/* Frames that no kernel has made: sigreturn trusts nothing of them. And stacks
 * that cannot hold a frame. */
#include "tests/user/check.h"

#include <setjmp.h>
#include <ucontext.h>

enum { FPU_STATUS = 464, FPU_HEADER = 512, STACK = 65536 };

static char alternate[STACK] __attribute__((aligned(16)));
static volatile int returned;

/* ---- Damaged frames ---------------------------------------------------------- */

static void (*damage)(ucontext_t *uc, char *fpu);

static void
on_usr1(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal, (void)info;
	damage(uc, (char *)uc->uc_mcontext.fpregs);
}

/* By exit code: 100 a damaged frame was accepted; else what SIGSEGV says. */
static void
on_segv(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (signal == SIGTRAP)
		_exit(50 + info->si_code);
	_exit(info->si_code == SI_KERNEL ? 1 : info->si_code == SEGV_MAPERR ? 2
									    : 3);
}

static void
catch_on(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = flags | SA_SIGINFO };

	sigaction(signal, &action, NULL);
}

static void
use_alternate(void)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };

	sigaltstack(&stack, NULL);
}

static void
return_through(void *fn)
{
	damage = (void (*)(ucontext_t *, char *))fn;
	use_alternate();
	catch_on(SIGSEGV, on_segv, SA_ONSTACK);
	catch_on(SIGTRAP, on_segv, SA_ONSTACK);
	catch_on(SIGBUS, on_segv, SA_ONSTACK); /* SS; QEMU says GP */
	catch_on(SIGUSR1, on_usr1, 0);
	raise(SIGUSR1);
	_exit(100);
}

/* What happens with a handler for SIGSEGV, and without one. */
static void
try_frame(const char *what, void (*fn)(ucontext_t *, char *))
{
	show_status(what, in_child(return_through, (void *)fn));
}

#define DAMAGE(name, statement)                        \
	static void name(ucontext_t *uc, char *fpu)    \
	{                                              \
		greg_t *reg = uc->uc_mcontext.gregs;   \
		(void)reg, (void)fpu;                  \
		statement;                             \
	}

static void
set16(greg_t *reg, int index, long value)
{
	((uint16_t *)&reg[REG_CSGSFS])[index] = (uint16_t)value;
}

static void
set_fpu(char *fpu, int at, uint64_t value)
{
	memcpy(fpu + at, &value, sizeof(value));
}

DAMAGE(nothing, (void)0)
DAMAGE(rip_not_canonical, reg[REG_RIP] = (long)0x8000000000000000)
DAMAGE(rip_first_beyond, reg[REG_RIP] = 0x0000800000000000)
DAMAGE(rip_in_kernel, reg[REG_RIP] = (long)0xffffffff81000000)
DAMAGE(rip_unmapped, reg[REG_RIP] = 0x1000)
DAMAGE(rsp_not_canonical, reg[REG_RSP] = (long)0x8000000000000000)
DAMAGE(rsp_in_kernel, reg[REG_RSP] = (long)0xffffffff81000000)
DAMAGE(rsp_null, reg[REG_RSP] = 0)
DAMAGE(cs_kernel, set16(reg, 0, 0x10))
DAMAGE(cs_null, set16(reg, 0, 0))
DAMAGE(cs_wild, set16(reg, 0, 0xfffc))
DAMAGE(ss_kernel, set16(reg, 3, 0x10))
DAMAGE(ss_wild, set16(reg, 3, 0xfffc))
DAMAGE(flags_step, reg[REG_EFL] |= 0x100)
DAMAGE(fpu_null, uc->uc_mcontext.fpregs = NULL)
DAMAGE(fpu_low, uc->uc_mcontext.fpregs = (void *)64)
DAMAGE(fpu_in_kernel,
       uc->uc_mcontext.fpregs = (void *)0xffffffff81000000)
DAMAGE(fpu_beyond, uc->uc_mcontext.fpregs = (void *)0x7fffffffefc0)
DAMAGE(fpu_mxcsr, memset(fpu + 24, 0xff, 4))
DAMAGE(fpu_mxcsr_and_mask, memset(fpu + 24, 0xff, 8))
DAMAGE(fpu_bit_62, set_fpu(fpu, FPU_HEADER, 1ul << 62 | 3))
DAMAGE(fpu_compact, set_fpu(fpu, FPU_HEADER + 8, 1ul << 63))
DAMAGE(fpu_reserved, set_fpu(fpu, FPU_HEADER + 16, 1))
DAMAGE(fpu_unlooked_at, set_fpu(fpu, FPU_HEADER + 24, 1ul << 63))
DAMAGE(fpu_no_magic, memset(fpu + FPU_STATUS, 0, 4))
DAMAGE(fpu_other_size, memset(fpu + FPU_STATUS + 4, 0xff, 4))
DAMAGE(fpu_other_size2, memset(fpu + FPU_STATUS + 16, 0xff, 4))
DAMAGE(stack_wild, uc->uc_stack.ss_flags = 0x1234)
DAMAGE(all_ones, memset(reg, 0xff, 23 * 8))
DAMAGE(all_zeros, memset(reg, 0, 23 * 8))

static void
damaged_frames(void)
{
	try_frame("an undamaged frame", nothing);
	try_frame("rip not canonical", rip_not_canonical);
	try_frame("rip in the hole", rip_first_beyond);
	try_frame("rip in the kernel", rip_in_kernel);
	try_frame("rip not mapped", rip_unmapped);
	try_frame("rsp not canonical", rsp_not_canonical);
	try_frame("rsp in the kernel", rsp_in_kernel);
	try_frame("rsp 0", rsp_null);
	try_frame("cs the kernel's", cs_kernel);
	try_frame("cs 0", cs_null);
	try_frame("cs beyond the table", cs_wild);
	try_frame("ss the kernel's", ss_kernel);
	try_frame("ss beyond the table", ss_wild);
	try_frame("TF set", flags_step);
	try_frame("no FPU state", fpu_null);
	try_frame("FPU state not mapped", fpu_low);
	try_frame("FPU state in the kernel", fpu_in_kernel);
	try_frame("FPU state across the end", fpu_beyond);
	try_frame("bits of MXCSR that do not exist", fpu_mxcsr);
	try_frame("with a mask that says they do", fpu_mxcsr_and_mask);
	try_frame("a component that does not exist", fpu_bit_62);
	try_frame("the compact format", fpu_compact);
	try_frame("a reserved word of the header", fpu_reserved);
	try_frame("the first that the CPU does not look at", fpu_unlooked_at);
	try_frame("no magic number", fpu_no_magic);
	try_frame("another size", fpu_other_size);
	try_frame("another size of the state", fpu_other_size2);
	try_frame("a wild alternate stack", stack_wild);
	try_frame("registers all ones", all_ones);
	try_frame("registers all zeros", all_zeros);
}

/* ---- What is not to be had --------------------------------------------------------- */

DAMAGE(privileges, reg[REG_EFL] = ~0x100l & 0xffffffff)
DAMAGE(masks_all, memset(&uc->uc_sigmask, 0xff, 8))

static void
privileged(void *arg)
{
	uint64_t flags;

	(void)arg;
	damage = privileges;
	catch_on(SIGUSR1, on_usr1, 0);
	__asm__ volatile("syscall\n\t pushfq\n\t pop %0\n\t cld\n\t"
			 "pushq $0x202\n\t popfq"
			 : "=&r"(flags)
			 : "a"(SYS_kill), "D"((long)getpid()),
			   "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "cc");
	/* IF on; no IOPL, NT, VM, VIF, VIP. */
	_exit((flags & 0x1a7200) == 0x200 ? 0 : 1);
}

static void
unmaskable(void *arg)
{
	sigset_t set;

	(void)arg;
	damage = masks_all;
	catch_on(SIGUSR1, on_usr1, 0);
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &set);
	if (!sigismember(&set, SIGTERM))
		_exit(1);
	_exit(sigismember(&set, SIGKILL) || sigismember(&set, SIGSTOP));
}

/* sigreturn with @rsp pointing to nothing good. */
static void
out_of_the_blue(void *rsp)
{
	use_alternate();
	catch_on(SIGSEGV, on_segv, SA_ONSTACK);
	__asm__ volatile("mov %0, %%rsp\n\t mov $15, %%eax\n\t syscall\n\t ud2"
			 : : "r"(rsp) : "memory");
}

static void
not_to_be_had(void)
{
	char *page = private_memory(2 * PAGE);

	munmap(page + PAGE, PAGE);
	check_child("sigreturn gives no privileges", privileged, NULL,
		    EXITED(0));
	check_child("and masks no SIGKILL", unmaskable, NULL, EXITED(0));
	check_child("sigreturn with rsp 8", out_of_the_blue, (void *)8,
		    EXITED(1));
	check_child("in the kernel", out_of_the_blue,
		    (void *)0xffffffff81000000, EXITED(1));
	check_child("across the end of a page", out_of_the_blue,
		    page + PAGE - 64, EXITED(1));
	check_child("into zeros", out_of_the_blue, page, EXITED(1));
}

/* ---- No room for a frame ------------------------------------------------------------- */

static void
never(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	_exit(99);
}

static void
without_stack(void *rsp)
{
	__asm__ volatile("mov %0, %%rsp\n\t mov $62, %%eax\n\t syscall\n\t ud2"
			 : : "r"(rsp), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "memory");
}

static void
dies_without_stack(void *rsp)
{
	catch_on(SIGUSR1, never, 0);
	without_stack(rsp);
}

static void
dies_in_two_steps(void *rsp)
{
	catch_on(SIGUSR1, never, 0);
	catch_on(SIGSEGV, never, 0);
	without_stack(rsp);
}

static void
is_told_without_stack(void *rsp)
{
	use_alternate();
	catch_on(SIGUSR1, never, 0);
	catch_on(SIGSEGV, on_segv, SA_ONSTACK);
	without_stack(rsp);
}

static void
no_restorer(void *arg)
{
	uint64_t action[4] = { (uint64_t)never, SA_SIGINFO, 0, 0 };

	(void)arg;
	syscall6(SYS_rt_sigaction, SIGUSR1, (long)action, 0, 8, 0, 0);
	raise(SIGUSR1);
	_exit(98);
}

static void
no_room(void)
{
	char *page = private_memory(3 * PAGE);

	mprotect(page + PAGE, PAGE, PROT_READ);
	munmap(page, PAGE);
	check_child("a handler with the stack at 8", dies_without_stack,
		    (void *)8, KILLED(SIGSEGV));
	check_child("in the kernel", dies_without_stack,
		    (void *)0xffffffff81000000, KILLED(SIGSEGV));
	check_child("read-only", dies_without_stack, page + 2 * PAGE,
		    KILLED(SIGSEGV));
	check_child("with SIGSEGV handled there too", dies_in_two_steps,
		    page + 2 * PAGE, KILLED(SIGSEGV));
	check_child("SIGSEGV on another stack", is_told_without_stack,
		    page + 2 * PAGE, EXITED(1));
	check_child("a frame that begins in one page and ends in none",
		    is_told_without_stack, page + 2 * PAGE + 300, EXITED(1));
	check_child("a handler without SA_RESTORER", no_restorer, NULL,
		    KILLED(SIGSEGV));
}

int
main(void)
{
	begin();
	damaged_frames();
	not_to_be_had();
	no_room();
	return end();
}
