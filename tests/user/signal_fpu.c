// linux-oracle
/* FPU and vector registers: a handler starts with fresh ones, and what it does
 * to them is not seen by the code that it interrupts. */
#include "tests/user/check.h"

#include <pthread.h>
#include <ucontext.h>

enum { ROUNDS = 2000, XMM0 = 160 };

static volatile unsigned inside_mxcsr, inside_control;
static volatile int calls;

/* Everything that there is becomes something else. */
static void
scribble(int signal)
{
	unsigned mxcsr = 0x7f80, seen;
	unsigned short control = 0x77f, seen_control;

	(void)signal;
	__asm__ volatile("stmxcsr %0\n\t fnstcw %1\n\t ldmxcsr %2\n\t fldcw %3"
			 : "=m"(seen), "=m"(seen_control)
			 : "m"(mxcsr), "m"(control));
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\t movdqa %%xmm0, %%xmm1\n\t"
			 "movdqa %%xmm0, %%xmm7\n\t movdqa %%xmm0, %%xmm8\n\t"
			 "movdqa %%xmm0, %%xmm15\n\t fld1\n\t fldpi"
			 : : : "xmm0", "xmm1", "xmm7", "xmm8", "xmm15");
	inside_mxcsr = seen;
	inside_control = seen_control;
	calls++;
}

struct vectors {
	uint64_t xmm[16][2];
};

#define LOAD(n)	 "movdqu " #n "*16(%[in]), %%xmm" #n "\n\t"
#define STORE(n) "movdqu %%xmm" #n ", " #n "*16(%[out])\n\t"

/* All sixteen, around one system call. */
static void
through_call(const struct vectors *in, struct vectors *out, long number,
	     long a, long b)
{
	register const struct vectors *in_ __asm__("r12") = in;
	register struct vectors *out_ __asm__("r13") = out;

	__asm__ volatile(
		LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6)
		LOAD(7) LOAD(8) LOAD(9) LOAD(10) LOAD(11) LOAD(12) LOAD(13)
		LOAD(14) LOAD(15)
		"syscall\n\t"
		STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5)
		STORE(6) STORE(7) STORE(8) STORE(9) STORE(10) STORE(11)
		STORE(12) STORE(13) STORE(14) STORE(15)
		: "+a"(number)
		: [in] "r"(in_), [out] "r"(out_), "D"(a), "S"(b)
		: "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
		  "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		  "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void
fill(struct vectors *v, uint64_t seed)
{
	for (int i = 0; i < 16; i++) {
		v->xmm[i][0] = seed * 1000003 + (unsigned)i;
		v->xmm[i][1] = ~v->xmm[i][0];
	}
}

static bool
keeps_vectors(long number, long a, long b)
{
	struct vectors in, out;

	for (int round = 0; round < ROUNDS; round++) {
		fill(&in, (uint64_t)round + 1);
		through_call(&in, &out, number, a, b);
		if (memcmp(&in, &out, sizeof(in)) != 0)
			return false;
	}
	return true;
}

static void
vectors(void)
{
	check(keeps_vectors(SYS_kill, getpid(), SIGUSR1),
	      "sixteen vectors survive a handler that uses them");
	check_equal(calls, ROUNDS, "each time");
}

static void
control(void)
{
	unsigned mxcsr = 0x3f80, seen;
	unsigned short cw = 0x27f, seen_cw;
	double ten = 10, result;

	__asm__ volatile("ldmxcsr %0\n\t fldcw %1\n\t fldl %2"
			 : : "m"(mxcsr), "m"(cw), "m"(ten));
	syscall6(SYS_kill, getpid(), SIGUSR1, 0, 0, 0, 0);
	__asm__ volatile("stmxcsr %0\n\t fnstcw %1\n\t fstpl %2\n\t"
			 : "=m"(seen), "=m"(seen_cw), "=m"(result));
	check(seen == mxcsr && seen_cw == cw && result == 10,
	      "so do the control words and the x87 stack");
	printf("in the handler: mxcsr %#x, control word %#x\n", inside_mxcsr,
	       inside_control);
	mxcsr = 0x1f80;
	cw = 0x37f;
	__asm__ volatile("ldmxcsr %0\n\t fldcw %1" : : "m"(mxcsr), "m"(cw));
}

/* ---- The state in the frame is what the program will have ------------------------- */

static void
change_frame(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char *fpu = (char *)uc->uc_mcontext.fpregs;
	uint64_t xmm9[2];

	(void)signal, (void)info;
	memcpy(xmm9, fpu + XMM0 + 9 * 16, 16);
	xmm9[0] += 5;
	memcpy(fpu + XMM0 + 9 * 16, xmm9, 16);
	calls++;
}

static void
drop_frame(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	((ucontext_t *)context)->uc_mcontext.fpregs = NULL;
	__asm__ volatile("pcmpeqd %%xmm9, %%xmm9" : : : "xmm9");
}

static void
catch(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = SA_SIGINFO };

	sigaction(signal, &action, NULL);
}

static void
through_the_frame(void)
{
	static const struct vectors zeros;
	struct vectors in, out;

	fill(&in, 77);
	catch(SIGUSR2, change_frame);
	through_call(&in, &out, SYS_kill, getpid(), SIGUSR2);
	in.xmm[9][0] += 5;
	check(memcmp(&in, &out, sizeof(in)) == 0,
	      "a vector changed in the frame is changed");
	catch(SIGUSR2, drop_frame);
	through_call(&in, &out, SYS_kill, getpid(), SIGUSR2);
	check(memcmp(&zeros, &out, sizeof(out)) == 0,
	      "a frame without FPU state resets it");
}

/* ---- AVX ------------------------------------------------------------------------------- */

static bool
has_avx(void)
{
	unsigned a, b, c, d;

	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
	if (!(c & 1 << 27) || !(c & 1 << 28)) /* OSXSAVE, AVX */
		return false;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (a & 6) == 6;
}

static void __attribute__((target("avx")))
scribble_upper(int signal)
{
	(void)signal;
	__asm__ volatile("vcmptrueps %%ymm5, %%ymm5, %%ymm5\n\t"
			 "vcmptrueps %%ymm6, %%ymm6, %%ymm6"
			 : : : "xmm5", "xmm6");
	calls++;
}

static bool __attribute__((target("avx")))
keeps_upper_halves(void)
{
	uint64_t in[4], out[4];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			in[i] = (uint64_t)round * 4 + (unsigned)i;
		__asm__ volatile("vmovdqu (%[in]), %%ymm5\n\t"
				 "vxorps %%ymm6, %%ymm6, %%ymm6\n\t"
				 "syscall\n\t"
				 "vaddps %%ymm6, %%ymm5, %%ymm6\n\t"
				 "vmovdqu %%ymm5, (%[out])"
				 :
				 : [in] "r"(in), [out] "r"(out),
				   "a"((long)SYS_kill), "D"((long)getpid()),
				   "S"((long)SIGUSR1)
				 : "rcx", "r11", "memory", "xmm5", "xmm6");
		if (memcmp(in, out, 32) != 0)
			return false;
	}
	return true;
}

static void
upper_halves(void)
{
	signal(SIGUSR1, scribble_upper);
	check(!has_avx() || keeps_upper_halves(),
	      "upper halves of AVX registers survive, where there are any");
	signal(SIGUSR1, scribble);
}

/* ---- Signals from outside, while others use the FPU -------------------------------------- */

static _Atomic int stop;
static pthread_t victim;

static void *
sender(void *arg)
{
	(void)arg;
	while (!stop) {
		pthread_kill(victim, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void
from_outside(void)
{
	pthread_t thread;
	bool good;

	calls = 0;
	victim = pthread_self();
	pthread_create(&thread, NULL, sender, NULL);
	do
		good = keeps_vectors(SYS_sched_yield, 0, 0);
	while (good && calls < 100);
	stop = 1;
	pthread_join(thread, NULL);
	check(good, "at any moment");
}

int
main(void)
{
	begin();
	signal(SIGUSR1, scribble);
	vectors();
	control();
	through_the_frame();
	upper_halves();
	from_outside();
	return end();
}
