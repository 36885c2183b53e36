// linux-oracle
/* What an instruction does wrong, told to a handler: which signal, si_code and
 * si_addr. Alternate stacks, on which even an overflow can be told. */
#include "tests/user/check.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf escape;
static siginfo_t seen;
static volatile uintptr_t handler_sp;
static volatile int depth;

static void
note(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	seen = *info;
	handler_sp = (uintptr_t)__builtin_frame_address(0);
	siglongjmp(escape, 1);
}

static void
catch(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = flags | SA_SIGINFO };

	sigaction(signal, &action, NULL);
}

/* ---- Faults ------------------------------------------------------------------- */

/* Whether @fn(@arg) caused @signal with @code, and, unless -1, at @addr. */
static void
expect(const char *what, void (*fn)(void *), void *arg, int signal, int code,
       uintptr_t addr)
{
	memset(&seen, 0, sizeof(seen));
	catch(signal, note, 0);
	if (!sigsetjmp(escape, 1))
		fn(arg);
	printf("%s: signal %d, code %d\n", what, seen.si_signo, seen.si_code);
	check(seen.si_signo == signal && seen.si_code == code, "as it should");
	if (addr != (uintptr_t)-1)
		check((uintptr_t)seen.si_addr == addr, "at its address");
	catch(signal, note, SA_RESETHAND);
}

static void
reads(void *addr)
{
	(void)*(volatile char *)addr;
}

static void
writes(void *addr)
{
	*(volatile char *)addr = 1;
}

static void
executes(void *addr)
{
	((void (*)(void))addr)();
}

static void
divides(void *zero)
{
	volatile int result = 7 / *(volatile int *)zero;

	(void)result;
}

static void
undefined(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

static void
breakpoint(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
}

static void
steps(void *arg)
{
	(void)arg;
	__asm__ volatile("pushfq\n\t orq $0x100, (%rsp)\n\t popfq\n\t nop");
}

static void
privileged(void *arg)
{
	(void)arg;
	__asm__ volatile("hlt");
}

static void
not_canonical(void *arg)
{
	(void)arg;
	(void)*(volatile char *)0x8000000000000000;
}

/* SSE's exceptions are not tried: QEMU's emulator raises none. */
static void
x87_divide(void *arg)
{
	unsigned short control = 0x37f & ~4;

	(void)arg;
	__asm__ volatile("fldcw %0\n\t fldz\n\t fld1\n\t fdivp\n\t fwait"
			 : : "m"(control));
}

static void
faults(void)
{
	char *area = private_memory(3 * PAGE);
	static volatile int zero;

	mprotect(area, PAGE, PROT_READ);
	mprotect(area + PAGE, PAGE, PROT_NONE);
	munmap(area + 2 * PAGE, PAGE);
	expect("reading where nothing is", reads, area + 2 * PAGE + 5, SIGSEGV,
	       SEGV_MAPERR, (uintptr_t)area + 2 * PAGE + 5);
	expect("writing where nothing is", writes, area + 2 * PAGE + 6, SIGSEGV,
	       SEGV_MAPERR, (uintptr_t)area + 2 * PAGE + 6);
	expect("reading at 0", reads, NULL, SIGSEGV, SEGV_MAPERR, 0);
	expect("writing what is read-only", writes, area + 7, SIGSEGV,
	       SEGV_ACCERR, (uintptr_t)area + 7);
	expect("reading what is not accessible", reads, area + PAGE + 8,
	       SIGSEGV, SEGV_ACCERR, (uintptr_t)area + PAGE + 8);
	expect("executing data", executes, area, SIGSEGV, SEGV_ACCERR,
	       (uintptr_t)area);
	expect("executing at 16", executes, (void *)16, SIGSEGV, SEGV_MAPERR,
	       16);
	expect("reading the kernel", reads, (void *)0xffffffff81000000,
	       SIGSEGV, SEGV_MAPERR, 0xffffffff81000000);
	expect("an address that is none", not_canonical, NULL, SIGSEGV,
	       SI_KERNEL, 0);
	expect("a privileged instruction", privileged, NULL, SIGSEGV,
	       SI_KERNEL, 0);
	expect("dividing by 0", divides, (void *)&zero, SIGFPE, FPE_INTDIV,
	       -1);
	check(seen.si_addr != NULL, "at the instruction");
	expect("an undefined instruction", undefined, NULL, SIGILL, ILL_ILLOPN,
	       -1);
	check(seen.si_addr != NULL, "at the instruction");
	expect("a breakpoint", breakpoint, NULL, SIGTRAP, SI_KERNEL, 0);
	expect("a single step", steps, NULL, SIGTRAP, TRAP_TRACE, -1);
	expect("x87: division by 0", x87_divide, NULL, SIGFPE, FPE_FLTDIV, -1);
}

/* A handler that mends what was wrong, and goes on. */
static char *mended;

static void
mend(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)signal;
	check(uc->uc_mcontext.gregs[REG_TRAPNO] == 14 &&
	      (uc->uc_mcontext.gregs[REG_ERR] & 6) == 6 &&
	      (char *)uc->uc_mcontext.gregs[REG_CR2] == info->si_addr,
	      "the frame says what the CPU said");
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	depth++;
}

static void
skip(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void
mending(void)
{
	long rax = 1;

	mended = private_memory(4 * PAGE);
	mprotect(mended, 4 * PAGE, PROT_READ);
	catch(SIGSEGV, mend, 0);
	for (int i = 0; i < 4; i++)
		mended[i * PAGE + 9] = 1;
	check(depth == 4 && mended[3 * PAGE + 9] == 1,
	      "a handler makes pages writable, and the program goes on");
	catch(SIGILL, skip, 0);
	__asm__ volatile("ud2" : "+a"(rax));
	check_equal(rax, 4711, "or it changes registers");
	catch(SIGSEGV, note, SA_RESETHAND);
	depth = 0;
}

/* ---- Not handled -------------------------------------------------------------------- */

static void
masked(void *arg)
{
	sigset_t set;

	(void)arg;
	catch(SIGSEGV, note, 0);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	reads(NULL);
}

static void
ignored(void *arg)
{
	(void)arg;
	signal(SIGSEGV, SIG_IGN);
	reads(NULL);
}

static void
again(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	reads(NULL);
}

static void
in_its_handler(void *arg)
{
	(void)arg;
	catch(SIGSEGV, again, 0);
	reads(NULL);
}

static void
sent_while_ignored(void *arg)
{
	(void)arg;
	signal(SIGSEGV, SIG_IGN);
	raise(SIGSEGV);
	_exit(3);
}

static void
not_handled(void)
{
	check_child("a fault while SIGSEGV is masked", masked, NULL,
		    KILLED(SIGSEGV));
	check_child("or ignored", ignored, NULL, KILLED(SIGSEGV));
	check_child("or being handled", in_its_handler, NULL,
		    KILLED(SIGSEGV));
	check_child("sent by kill it is ignored", sent_while_ignored, NULL,
		    EXITED(3));
}

/* ---- Alternate stacks ------------------------------------------------------------------ */

enum { STACK = 65536 };

static char alternate[4 * STACK] __attribute__((aligned(16)));

static bool
was_on_alternate(void)
{
	return handler_sp > (uintptr_t)alternate &&
	       handler_sp <= (uintptr_t)alternate + STACK;
}

static long
set_stack(void *sp, size_t size, int flags)
{
	stack_t stack = { .ss_sp = sp, .ss_size = size, .ss_flags = flags };

	return syscall6(SYS_sigaltstack, (long)&stack, 0, 0, 0, 0, 0);
}

static int
stack_flags(void)
{
	stack_t stack;

	sigaltstack(NULL, &stack);
	return stack.ss_flags;
}

static volatile int flags_inside;
static volatile long change_inside;

static void
look_inside(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	handler_sp = (uintptr_t)__builtin_frame_address(0);
	if (signal == SIGUSR2)
		return;
	flags_inside = stack_flags();
	change_inside = set_stack(alternate, STACK / 2, 0);
	check(uc->uc_stack.ss_sp == alternate && uc->uc_stack.ss_size == STACK,
	      "the frame names the stack");
	raise(SIGUSR2);
}

static int
overflow(volatile char *below)
{
	volatile char frame[1024];

	frame[0] = below[0];
	return frame[0] ? overflow(frame) + frame[0] : 0;
}

static void
overflows(void *arg)
{
	(void)arg;
	overflow((char[]){ 1 });
}

static uintptr_t frames[2];

/* Two are enough to see how much stack each takes. */
static void
measures(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	frames[depth++] = (uintptr_t)__builtin_frame_address(0);
	if (depth < 2)
		raise(signal);
}

static void
fills_alternate(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	if (++depth > 100)
		_exit(2);
	raise(signal);
}

/* The stack ends in the middle of what the kernel puts there. Where a function
 * leaves it, the next handler begins at its top again. */
static void
too_many_handlers(void *arg)
{
	size_t each;

	(void)arg;
	depth = 0;
	set_stack(alternate, STACK, 0);
	catch(SIGUSR1, measures, SA_ONSTACK | SA_NODEFER);
	raise(SIGUSR1);
	each = frames[0] - frames[1];
	depth = 0;
	set_stack(alternate + 3 * STACK, 4 * each + each / 2, 0);
	catch(SIGUSR1, fills_alternate, SA_ONSTACK | SA_NODEFER);
	raise(SIGUSR1);
	_exit(1);
}

static void
alternate_stacks(void)
{
	struct rlimit { unsigned long soft, hard; } limit = { 1 << 20, 1 << 20 };

	check_equal(stack_flags(), SS_DISABLE, "at first there is none");
	show_expect("sigaltstack", set_stack(alternate, STACK, 0), 0);
	check_equal(stack_flags(), 0, "then there is");
	catch(SIGUSR1, look_inside, SA_ONSTACK);
	catch(SIGUSR2, look_inside, 0);
	raise(SIGUSR1);
	check(was_on_alternate(), "SA_ONSTACK: handlers run on it, and those "
				  "that they are interrupted by");
	check_equal(flags_inside, SS_ONSTACK, "they can see it");
	show_expect("changing it there", change_inside, -EPERM);
	raise(SIGUSR2);
	check(!was_on_alternate(), "without SA_ONSTACK they do not");

	syscall(SYS_setrlimit, 3, &limit); /* Linux's stack; ours has a limit */
	for (int i = 0; i < 3; i++) {
		catch(SIGSEGV, note, SA_ONSTACK);
		seen.si_code = 0;
		if (!sigsetjmp(escape, 1))
			overflows(NULL);
		check(was_on_alternate() && seen.si_code != 0,
		      "a stack that overflows is told");
	}
	check_child("an alternate stack that overflows", too_many_handlers,
		    NULL, KILLED(SIGSEGV));
	show_expect("a stack that is too small", set_stack(alternate, 1024, 0),
		    -ENOMEM);
	show_expect("unknown flags", set_stack(alternate, STACK, 77), -EINVAL);
	show_expect("sigaltstack from a bad address",
		    syscall6(SYS_sigaltstack, 8, 0, 0, 0, 0, 0), -EFAULT);
	show_expect("to a bad address",
		    syscall6(SYS_sigaltstack, 0, 8, 0, 0, 0, 0), -EFAULT);
	show_expect("switching it off", set_stack(NULL, 0, SS_DISABLE), 0);
	raise(SIGUSR2);
	check_equal(stack_flags(), SS_DISABLE, "works");
}

#define AUTODISARM (1 << 31)

static void
disarmed_inside(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	handler_sp = (uintptr_t)__builtin_frame_address(0);
	flags_inside = stack_flags();
}

static void
disarming(void)
{
	set_stack(alternate, STACK, AUTODISARM);
	catch(SIGUSR1, disarmed_inside, SA_ONSTACK);
	raise(SIGUSR1);
	check(was_on_alternate() && flags_inside == SS_DISABLE,
	      "SS_AUTODISARM: a handler finds it free");
	check_equal(stack_flags(), AUTODISARM, "afterwards it is back");
}

int
main(void)
{
	begin();
	faults();
	mending();
	not_handled();
	alternate_stacks();
	disarming();
	return end();
}
