// linux-oracle
/* Handlers: what they are told, every flag of sigaction, and what exec, fork
 * and threads make of actions and masks. */
#include "tests/user/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <ucontext.h>

static volatile sig_atomic_t calls, nested, deepest;
static siginfo_t last;
static volatile long value;

static void
count(int signal)
{
	(void)signal;
	calls++;
}

static void
note(int signal, siginfo_t *info, void *context)
{
	(void)context;
	calls += signal == info->si_signo;
	last = *info;
}

static void
install(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

static void
install_info(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = flags | SA_SIGINFO };

	sigaction(signal, &action, NULL);
}

static bool
is_pending(int signal)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, signal);
}

static void
block(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(how, &set, NULL);
}

static bool
is_blocked(int signal)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, signal);
}

/* ---- What a handler is told --------------------------------------------- */

static void
told(void)
{
	union sigval sent = { .sival_int = 4711 };

	install_info(SIGUSR1, note, 0);
	kill(getpid(), SIGUSR1);
	check_equal(calls, 1, "kill: the handler has run when it returns");
	check(last.si_code == SI_USER && last.si_pid == getpid(),
	      "it knows who sent it");
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	check(calls == 2 && last.si_code == SI_TKILL &&
	      last.si_pid == getpid(), "tgkill: SI_TKILL");
	check_equal(sigqueue(getpid(), SIGUSR1, sent), 0, "sigqueue");
	check(calls == 3 && last.si_code == SI_QUEUE &&
	      last.si_value.sival_int == 4711, "sends a value along");
	install(SIGUSR1, SIG_IGN, 0);
	kill(getpid(), SIGUSR1);
	check_equal(calls, 3, "an ignored signal runs nothing");
	calls = 0;
}

/* All general registers but rsp, around the system call that brings the
 * signal. */
static bool
keeps_registers(void)
{
	uint64_t before[13], after[13], *from = before, *to = after;

	for (int i = 0; i < 13; i++)
		before[i] = 0x1111111111111111ul * (unsigned)(i + 1);
	before[0] = (uint64_t)getpid();	/* rdi */
	before[1] = SIGUSR1;		/* rsi */
	__asm__ volatile(
		"push %%rbp\n\t"
		"push %[after]\n\t"
		"mov %[before], %%rcx\n\t"
		"mov (%%rcx), %%rdi\n\t mov 8(%%rcx), %%rsi\n\t"
		"mov 16(%%rcx), %%rdx\n\t mov 24(%%rcx), %%r8\n\t"
		"mov 32(%%rcx), %%r9\n\t mov 40(%%rcx), %%r10\n\t"
		"mov 48(%%rcx), %%rbx\n\t mov 56(%%rcx), %%r12\n\t"
		"mov 64(%%rcx), %%r13\n\t mov 72(%%rcx), %%r14\n\t"
		"mov 80(%%rcx), %%r15\n\t mov 88(%%rcx), %%rbp\n\t"
		"mov $62, %%eax\n\t"
		"syscall\n\t"
		"pop %%rcx\n\t"
		"mov %%rdi, (%%rcx)\n\t mov %%rsi, 8(%%rcx)\n\t"
		"mov %%rdx, 16(%%rcx)\n\t mov %%r8, 24(%%rcx)\n\t"
		"mov %%r9, 32(%%rcx)\n\t mov %%r10, 40(%%rcx)\n\t"
		"mov %%rbx, 48(%%rcx)\n\t mov %%r12, 56(%%rcx)\n\t"
		"mov %%r13, 64(%%rcx)\n\t mov %%r14, 72(%%rcx)\n\t"
		"mov %%r15, 80(%%rcx)\n\t mov %%rbp, 88(%%rcx)\n\t"
		"mov %%rax, 96(%%rcx)\n\t"
		"pop %%rbp\n\t"
		: [before] "+a"(from), [after] "+d"(to)
		:
		: "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "rbx", "r12",
		  "r13", "r14", "r15", "memory", "cc");
	before[12] = 0; /* rax: the call's result */
	return memcmp(before, after, sizeof(before)) == 0;
}

static void
scribble(int signal)
{
	(void)signal;
	calls++;
	__asm__ volatile("xor %%ebx, %%ebx\n\t xor %%r12d, %%r12d\n\t"
			 "mov $-1, %%r13\n\t mov $-1, %%r14\n\t std\n\t cld\n\t"
			 "xor %%r8d, %%r8d\n\t xor %%r9d, %%r9d\n\t"
			 "xor %%r10d, %%r10d"
			 : : : "rbx", "r8", "r9", "r10", "r12", "r13", "r14");
}

/* The 128 bytes below rsp are a function's without asking. */
static bool
keeps_red_zone(void)
{
	long kept;

	__asm__ volatile("movq $0x123456, -128(%%rsp)\n\t"
			 "movq $0x654321, -8(%%rsp)\n\t"
			 "mov $62, %%eax\n\t"
			 "syscall\n\t"
			 "movq -128(%%rsp), %%rax\n\t"
			 "addq -8(%%rsp), %%rax\n\t"
			 : "=&a"(kept)
			 : "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory");
	return kept == 0x123456 + 0x654321;
}

static bool
keeps_direction(void)
{
	uint64_t flags;

	__asm__ volatile("std\n\t mov $62, %%eax\n\t syscall\n\t"
			 "pushfq\n\t pop %0\n\t cld"
			 : "=&r"(flags)
			 : "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rax", "rcx", "r11", "memory");
	return flags & 1 << 10;
}

static void
note_direction(int signal)
{
	uint64_t flags;

	(void)signal;
	__asm__ volatile("pushfq\n\t pop %0" : "=r"(flags));
	value = flags & 1 << 10;
}

static void
interrupted_code(void)
{
	install(SIGUSR1, scribble, 0);
	check(keeps_registers(), "registers are as they were");
	check_equal(calls, 1, "although a handler has run");
	check(keeps_red_zone(), "so is the red zone");
	value = 1;
	install(SIGUSR1, note_direction, 0);
	check(keeps_direction(), "and the direction flag");
	check_equal(value, 0, "which is clear in the handler");
	calls = 0;
}

/* ---- Masks and flags ----------------------------------------------------- */

static void
raise_inside(int signal)
{
	nested++;
	if (nested > deepest)
		deepest = nested;
	if (++calls < 3)
		raise(signal);
	nested--;
}

static void
raise_other(int signal)
{
	(void)signal;
	raise(SIGUSR2);
	value = calls; /* SIGUSR2's handler counts */
}

static void
deferring(void)
{
	struct sigaction action = { .sa_handler = raise_other };

	install(SIGUSR1, raise_inside, 0);
	raise(SIGUSR1);
	check(calls == 3 && deepest == 1, "a signal waits for its own handler");
	calls = deepest = 0;
	install(SIGUSR1, raise_inside, SA_NODEFER);
	raise(SIGUSR1);
	check(calls == 3 && deepest == 3, "SA_NODEFER: it does not");
	calls = 0;
	install(SIGUSR2, count, 0);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	check(calls == 1 && value == 1, "another signal does not wait");
	sigaddset(&action.sa_mask, SIGUSR2);
	calls = 0;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	check(calls == 1 && value == 0, "unless it is in sa_mask");
	check(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2),
	      "afterwards nothing is masked");
	calls = 0;
}

static void
one_shot(void)
{
	struct sigaction old;

	install(SIGUSR1, count, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	check(calls == 1 && old.sa_handler == SIG_DFL,
	      "SA_RESETHAND: the handler is gone when it has begun");
	calls = 0;
}

static void
masked(void)
{
	install(SIGUSR1, count, 0);
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);
	check(calls == 0 && is_pending(SIGUSR1), "a masked signal is pending");
	block(SIG_UNBLOCK, SIGUSR1);
	check_equal(calls, 2, "once for the thread and once for the process");
	check(!is_pending(SIGUSR1), "then no more");
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	install(SIGUSR1, SIG_IGN, 0);
	check(!is_pending(SIGUSR1), "what is ignored is not pending any more");
	raise(SIGUSR1);
	check(is_pending(SIGUSR1), "but masked it can be, later");
	install(SIGUSR1, count, 0);
	calls = 0;
	block(SIG_UNBLOCK, SIGUSR1);
	check_equal(calls, 1, "as it may get a handler by then");
	calls = 0;
}

static int order[16], nr_order;

static void
note_order(int signal, siginfo_t *info, void *context)
{
	(void)context;
	order[nr_order++] = signal * 100 + info->si_value.sival_int;
}

static void
real_time(void)
{
	static const int expected[] = { 3601, 3602, 3603, 3700, 3501 };
	bool same = true;

	for (int signal = 35; signal <= 37; signal++) {
		install_info(signal, note_order, 0);
		block(SIG_BLOCK, signal);
	}
	for (int i = 1; i <= 3; i++)
		sigqueue(getpid(), 36, (union sigval){ .sival_int = i });
	sigqueue(getpid(), 35, (union sigval){ .sival_int = 1 });
	sigqueue(getpid(), 37, (union sigval){ .sival_int = 0 });
	block(SIG_UNBLOCK, 36);
	block(SIG_UNBLOCK, 37);
	block(SIG_UNBLOCK, 35);
	check_equal(nr_order, 5, "each real-time signal counts");
	for (int i = 0; i < 5; i++)
		same &= order[i] == expected[i];
	check(same, "in the order in which they were sent");
}

/* ---- Leaving by a jump ---------------------------------------------------- */

static sigjmp_buf escape;

static void
jump(int signal)
{
	siglongjmp(escape, signal);
}

static void
jumping(void)
{
	int from;

	install(SIGUSR1, jump, 0);
	for (int i = 0; i < 3; i++) {
		from = sigsetjmp(escape, 1);
		if (!from)
			raise(SIGUSR1);
		check_equal(from, SIGUSR1, "siglongjmp leaves a handler");
		check(!is_blocked(SIGUSR1), "and restores the mask");
	}
}

/* ---- Fork, threads, exec ---------------------------------------------------- */

static void
in_fork(void *arg)
{
	struct sigaction seen;

	(void)arg;
	sigaction(SIGUSR1, NULL, &seen);
	if (seen.sa_handler != count)
		_exit(1);
	if (!is_blocked(SIGUSR2) || is_pending(SIGUSR2))
		_exit(2);
	install(SIGUSR1, SIG_IGN, 0);
	_exit(0);
}

static void
forking(void)
{
	struct sigaction seen;

	install(SIGUSR1, count, 0);
	install(SIGUSR2, count, 0);
	block(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR2);
	check_child("a child has actions and mask, but nothing pending",
		    in_fork, NULL, EXITED(0));
	sigaction(SIGUSR1, NULL, &seen);
	check(seen.sa_handler == count, "its changes are its own");
	block(SIG_UNBLOCK, SIGUSR2);
	calls = 0;
}

static void *
set_in_thread(void *arg)
{
	(void)arg;
	install(SIGUSR1, SIG_IGN, 0);
	block(SIG_BLOCK, SIGUSR2);
	return NULL;
}

static void
threads(void)
{
	struct sigaction seen;
	pthread_t thread;

	pthread_create(&thread, NULL, set_in_thread, NULL);
	pthread_join(thread, NULL);
	sigaction(SIGUSR1, NULL, &seen);
	check(seen.sa_handler == SIG_IGN, "threads share actions");
	check(!is_blocked(SIGUSR2), "but not masks");
}

static char clone_stack[16384] __attribute__((aligned(16)));

static int
set_in_clone(void *arg)
{
	(void)arg;
	install(SIGUSR1, SIG_IGN, 0);
	return 0;
}

/* CLONE_SIGHAND without CLONE_THREAD: another process, the same actions. */
static void
sharing(void)
{
	struct sigaction seen;

	install(SIGUSR1, count, 0);
	status_of(clone(set_in_clone, clone_stack + sizeof(clone_stack),
			CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL));
	sigaction(SIGUSR1, NULL, &seen);
	check(seen.sa_handler == SIG_IGN, "CLONE_SIGHAND shares actions");
	install(SIGUSR1, count, 0);
	status_of(clone(set_in_clone, clone_stack + sizeof(clone_stack),
			CLONE_VM | SIGCHLD, NULL));
	sigaction(SIGUSR1, NULL, &seen);
	check(seen.sa_handler == count, "clone without it does not");
}

static void
executes(void *path)
{
	char *argv[] = { path, "again", NULL };

	install(SIGUSR1, count, 0);
	install(SIGUSR2, SIG_IGN, 0);
	block(SIG_BLOCK, SIGTERM);
	raise(SIGTERM);
	execve(path, argv, NULL);
	_exit(9);
}

/* The other side of it. */
static int
after_exec(void)
{
	struct sigaction seen;
	stack_t stack;

	sigaction(SIGUSR1, NULL, &seen);
	if (seen.sa_handler != SIG_DFL)
		return 1;
	sigaction(SIGUSR2, NULL, &seen);
	if (seen.sa_handler != SIG_IGN)
		return 2;
	if (!is_blocked(SIGTERM) || !is_pending(SIGTERM))
		return 3;
	sigaltstack(NULL, &stack);
	return stack.ss_flags == SS_DISABLE ? 0 : 4;
}

/* ---- Errors --------------------------------------------------------------- */

static long
raw_action(int signal, const void *new, void *old, long size)
{
	return syscall6(SYS_rt_sigaction, signal, (long)new, (long)old, size, 0,
			0);
}

static void
errors(void)
{
	uint64_t action[4] = { 0 }, old[4];

	show_expect("sigaction for signal 0", raw_action(0, NULL, old, 8),
		    -EINVAL);
	show_expect("for signal 65", raw_action(65, NULL, old, 8), -EINVAL);
	show_expect("for SIGKILL", raw_action(SIGKILL, action, NULL, 8),
		    -EINVAL);
	show_expect("for SIGSTOP", raw_action(SIGSTOP, action, NULL, 8),
		    -EINVAL);
	show_expect("to look at SIGKILL's", raw_action(SIGKILL, NULL, old, 8),
		    0);
	show_expect("with a wrong size", raw_action(SIGUSR1, NULL, old, 4),
		    -EINVAL);
	show_expect("from a bad address",
		    raw_action(SIGUSR1, (void *)8, NULL, 8), -EFAULT);
	show_expect("to a bad address",
		    raw_action(SIGUSR1, NULL, (void *)8, 8), -EFAULT);
	show_expect("sigpending to a bad address",
		    syscall6(SYS_rt_sigpending, 8, 8, 0, 0, 0, 0), -EFAULT);
	show_expect("sigpending with a wrong size",
		    syscall6(SYS_rt_sigpending, (long)old, 16, 0, 0, 0, 0),
		    -EINVAL);
	action[3] = ~0ul;
	action[1] = ~0ul;
	raw_action(SIGUSR1, action, NULL, 8);
	raw_action(SIGUSR1, NULL, old, 8);
	check(!(old[3] & (1ul << 8 | 1ul << 18)),
	      "SIGKILL and SIGSTOP are not in a mask");
	show_expect("sigqueue as the kernel, to another",
		    syscall6(SYS_rt_sigqueueinfo, getppid(), 0,
			     (long)&(siginfo_t){ .si_code = SI_USER }, 0, 0, 0),
		    -EPERM);
	show_expect("sigqueue from a bad address",
		    syscall6(SYS_rt_sigqueueinfo, getpid(), 0, 8, 0, 0, 0),
		    -EFAULT);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "again") == 0)
		return after_exec();
	begin();
	told();
	interrupted_code();
	deferring();
	one_shot();
	masked();
	real_time();
	jumping();
	forking();
	threads();
	sharing();
	check_child("exec keeps mask, pending signals, and what is ignored",
		    executes, argv[0], EXITED(0));
	errors();
	return end();
}
