// linux-oracle
/* Floating-point and vector state belongs to the task: it survives switches
 * and moves between CPUs; fork and clone copy it. */
#include "tests/user/check.h"

#include <pthread.h>

enum { WORKERS = 6, ROUNDS = 3000 };

struct vectors {
	uint64_t xmm[16][2];
};

/* Loads all sixteen registers, yields, and stores them again, in one go, so
 * that the compiler has no part in what happens between. */
static void
load_yield_store(const struct vectors *in, struct vectors *out)
{
#define LOAD(n)	 "movdqu " #n "*16(%[in]), %%xmm" #n "\n\t"
#define STORE(n) "movdqu %%xmm" #n ", " #n "*16(%[out])\n\t"
	__asm__ volatile(
		LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6)
		LOAD(7) LOAD(8) LOAD(9) LOAD(10) LOAD(11) LOAD(12) LOAD(13)
		LOAD(14) LOAD(15)
		"mov $24, %%eax\n\t" /* sched_yield */
		"syscall\n\t"
		STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5)
		STORE(6) STORE(7) STORE(8) STORE(9) STORE(10) STORE(11)
		STORE(12) STORE(13) STORE(14) STORE(15)
		:
		: [in] "r"(in), [out] "r"(out)
		: "rax", "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2",
		  "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		  "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static bool
keeps_vectors(uint64_t seed)
{
	struct vectors in, out;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 16; i++) {
			in.xmm[i][0] = seed * 1000003 + round * 17 + i;
			in.xmm[i][1] = ~in.xmm[i][0];
		}
		load_yield_store(&in, &out);
		if (memcmp(&in, &out, sizeof(in)) != 0)
			return false;
	}
	return true;
}

static void *
worker(void *seed)
{
	return (void *)(long)keeps_vectors((uint64_t)seed);
}

static void
threads_and_processes(void)
{
	pthread_t threads[WORKERS];
	pid_t pids[WORKERS];
	bool good = true;
	void *result;

	for (long i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, worker, (void *)(i + 1));
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			_exit(keeps_vectors(100 + i) ? 0 : 1);
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], &result);
		good &= result != NULL;
	}
	check(good, "six threads keep sixteen vectors each");
	good = true;
	for (int i = 0; i < WORKERS; i++)
		good &= status_of(pids[i]) == EXITED(0);
	check(good, "and so do six processes");
}

/* Does this CPU, and its kernel, offer AVX? */
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

/* The upper halves of two ymm registers across a yield. */
static bool __attribute__((target("avx")))
keeps_upper_halves(uint64_t seed)
{
	uint64_t in[4], out[4], out15[4];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			in[i] = seed * 7919 + round * 4 + i;
		__asm__ volatile("vmovdqu (%[in]), %%ymm0\n\t"
				 "vmovdqu (%[in]), %%ymm15\n\t"
				 "mov $24, %%eax\n\t"
				 "syscall\n\t"
				 "vmovdqu %%ymm0, (%[out])\n\t"
				 "vmovdqu %%ymm15, (%[out15])\n\t"
				 :
				 : [in] "r"(in), [out] "r"(out),
				   [out15] "r"(out15)
				 : "rax", "rcx", "r11", "memory", "xmm0",
				   "xmm15");
		if (memcmp(in, out, 32) != 0 || memcmp(in, out15, 32) != 0)
			return false;
	}
	return true;
}

static void
upper_halves(void)
{
	pid_t pids[WORKERS];
	bool good = true;

	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			_exit(!has_avx() || keeps_upper_halves(i + 1) ? 0 : 1);
	}
	for (int i = 0; i < WORKERS; i++)
		good &= status_of(pids[i]) == EXITED(0);
	check(good, "the upper halves of AVX registers too, where there are "
		    "any");
}

static unsigned
mxcsr(void)
{
	unsigned value;

	__asm__ volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static void
set_mxcsr(unsigned value)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static unsigned short
x87_control(void)
{
	unsigned short value;

	__asm__ volatile("fnstcw %0" : "=m"(value));
	return value;
}

/* fork copies the registers themselves: loaded before the call by the
 * parent, stored after it by the child. */
static void
fork_copies(void)
{
	uint64_t in = 0x123456789abcdef0, out = 0;
	long pid;

	__asm__ volatile("movq %[in], %%xmm9\n\t"
			 "mov $57, %%eax\n\t" /* fork */
			 "syscall\n\t"
			 "movq %%xmm9, %[out]\n\t"
			 : "=&a"(pid), [out] "=&r"(out)
			 : [in] "r"(in)
			 : "rcx", "r11", "memory", "xmm9");
	if (pid == 0)
		_exit(out == in ? 0 : 1);
	check_equal(status_of(pid), EXITED(0), "fork copies the registers");
	check(out == in, "and leaves the parent's");
}

static void *
control_words(void *arg)
{
	unsigned *words = arg;

	words[0] = mxcsr();
	words[1] = x87_control();
	return NULL;
}

static void
check_control_in_child(void *arg)
{
	(void)arg;
	_exit(mxcsr() == 0x7f80 ? 0 : 1);
}

static void
control(void)
{
	unsigned words[2];
	pthread_t thread;

	printf("mxcsr at the start: %#x\n", mxcsr());
	printf("x87 control word at the start: %#x\n", x87_control());
	set_mxcsr(0x7f80); /* round towards zero */
	sched_yield();
	check_equal(mxcsr(), 0x7f80, "mxcsr survives a switch");
	check_child("fork copies mxcsr", check_control_in_child, NULL,
		    EXITED(0));
	pthread_create(&thread, NULL, control_words, words);
	pthread_join(thread, NULL);
	printf("a new thread's mxcsr: %#x, x87: %#x\n", words[0], words[1]);
	set_mxcsr(0x1f80);
}

static void
divide_integers(void *arg)
{
	volatile int seven = 7, zero = 0, result;

	(void)arg;
	result = seven / zero;
	(void)result;
}

static void
x87_divide(void *arg)
{
	unsigned short control = 0x37f & ~4;

	(void)arg;
	__asm__ volatile("fldcw %0; fldz; fld1; fdivp; fwait"
			 : : "m"(control));
}

/* Arithmetic that spans many time slices, several tasks at once. */
static void
sum_series(void *arg)
{
	double sum = 0;
	long double long_sum = 0;

	(void)arg;
	for (int i = 1; i <= 2000000; i++) {
		sum += 1.0 / i;
		long_sum += 1.0L / i;
	}
	_exit(sum > 15.085 && sum < 15.086 && long_sum > 15.085L &&
			      long_sum < 15.086L ? 0 : 1);
}

static void
preempted_arithmetic(void)
{
	pid_t pids[4];
	bool good = true;

	for (int i = 0; i < 4; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			sum_series(NULL);
	}
	for (int i = 0; i < 4; i++)
		good &= status_of(pids[i]) == EXITED(0);
	check(good, "four processes sum a series, preempted as it comes");
}

int
main(void)
{
	begin();
	threads_and_processes();
	upper_halves();
	fork_copies();
	control();
	/* QEMU's TCG never raises #XM, so unmasked SSE errors are left out. */
	check_child("x87 division by zero, not masked", x87_divide, NULL,
		    KILLED(SIGFPE));
	check_child("integer division by zero", divide_integers, NULL,
		    KILLED(SIGFPE));
	preempted_arithmetic();
	return end();
}
