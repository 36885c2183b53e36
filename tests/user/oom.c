/*
 * Out of memory at each single allocation of fork, clone, exec and mmap in
 * turn: the call answers -ENOMEM and has changed nothing, the invariants
 * hold, and in the end every frame is back.
 *
 * For each call: let its nth allocation fail, n = 1, 2, 3 ..., until the call
 * comes through without meeting the failure. Needs a debug build.
 */
#include "tests/user/check.h"

#include <sys/auxv.h>

#include "tests/user/rest.h"
#include "user/include/ipc.h"

enum { ENOUGH = 10000 }; /* no call here makes so many allocations */

static uint64_t tasks; /* when only this test is left */

static char stack[65536] __attribute__((aligned(4096)));

/* What one attempt does; returns its result, 0 or more when it worked. It
 * must make exactly one system call between fail and fail_happened. */
typedef long attempt_fn(unsigned nth);

/* Page faults before the call would count as well: have everything there. */
static void
touch_all(void)
{
	volatile char here[16384];

	for (size_t i = 0; i < sizeof(here); i += 4096)
		here[i] = 1;
	for (size_t i = 0; i < sizeof(stack); i += 4096)
		((volatile char *)stack)[i] = 1;
}

static long
try_fork(unsigned nth)
{
	long pid;

	lodger_fail(LODGER_FAIL_ANY, nth);
	pid = syscall0(SYS_fork);
	if (pid == 0)
		syscall3(SYS_exit_group, 0, 0, 0);
	if (pid > 0)
		status_of(pid);
	return pid;
}

/* The child only leaves: it needs no stack of its own contents. */
static long
try_clone_thread(unsigned nth)
{
	long tid;
	const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			   CLONE_THREAD | CLONE_SYSVSEM;

	lodger_fail(LODGER_FAIL_ANY, nth);
	tid = syscall6(SYS_clone, flags, (long)(stack + sizeof(stack)), 0, 0,
		       0, 0);
	if (tid == 0)
		syscall3(SYS_exit, 0, 0, 0);
	return tid;
}

static long
try_vfork(unsigned nth)
{
	long pid;

	lodger_fail(LODGER_FAIL_ANY, nth);
	pid = syscall6(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD,
		       (long)(stack + sizeof(stack)), 0, 0, 0, 0);
	if (pid == 0)
		syscall3(SYS_exit_group, 0, 0, 0);
	if (pid > 0)
		status_of(pid);
	return pid;
}

static long
try_mmap(unsigned nth)
{
	long at;

	lodger_fail(LODGER_FAIL_ANY, nth);
	at = syscall6(SYS_mmap, 0, 8 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at > 0)
		munmap((void *)at, 8 * PAGE);
	return at;
}

static long
try_mmap_shared(unsigned nth)
{
	long at;

	lodger_fail(LODGER_FAIL_ANY, nth);
	at = syscall6(SYS_mmap, 0, 8 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at > 0)
		munmap((void *)at, 8 * PAGE);
	return at;
}

/* Splitting a region needs a second one. */
static long
try_munmap_middle(unsigned nth)
{
	char *area = private_memory(3 * PAGE);
	long result;

	memset(area, 1, 3 * PAGE);
	lodger_fail(LODGER_FAIL_ANY, nth);
	result = syscall3(SYS_munmap, (long)area + PAGE, PAGE, 0);
	munmap(area, 3 * PAGE);
	return result;
}

static long
try_mprotect_middle(unsigned nth)
{
	char *area = private_memory(3 * PAGE);
	long result;

	lodger_fail(LODGER_FAIL_ANY, nth);
	result = syscall3(SYS_mprotect, (long)area + PAGE, PAGE, PROT_READ);
	munmap(area, 3 * PAGE);
	return result;
}

static long
try_mremap(unsigned nth)
{
	char *area = private_memory(4 * PAGE);
	long result;

	memset(area, 5, 4 * PAGE);
	/* The fourth page is in the way: it has to move. */
	lodger_fail(LODGER_FAIL_ANY, nth);
	result = syscall6(SYS_mremap, (long)area, 3 * PAGE, 600 * PAGE,
			  MREMAP_MAYMOVE, 0, 0);
	if (result < 0) {
		check(area[0] == 5 && area[2 * PAGE] == 5,
		      "what could not be moved is still there");
		munmap(area, 3 * PAGE);
	} else {
		munmap((void *)result, 600 * PAGE);
	}
	munmap(area + 3 * PAGE, PAGE);
	return result;
}

static long
try_brk(unsigned nth)
{
	long start = syscall3(SYS_brk, 0, 0, 0), now;

	lodger_fail(LODGER_FAIL_ANY, nth);
	now = syscall3(SYS_brk, start + 3 * PAGE, 0, 0);
	if (now == start)
		return -ENOMEM;
	syscall3(SYS_brk, start, 0, 0);
	return 0;
}

/* What a server, or a program by itself, builds others with. */
static long
try_mm_create(unsigned nth)
{
	long building;

	lodger_fail(LODGER_FAIL_ANY, nth);
	building = lodger_mm_create();
	if (building > 0)
		lodger_handle_close((unsigned)building);
	return building;
}

static long
try_mm_map(unsigned nth)
{
	unsigned building = (unsigned)lodger_mm_create();
	long at;

	lodger_fail(LODGER_FAIL_ANY, nth);
	at = lodger_mm_map(building, 0x400000, 8 * PAGE, PROT_READ);
	lodger_handle_close(building);
	return at;
}

static long
try_mm_write(unsigned nth)
{
	unsigned building = (unsigned)lodger_mm_create();
	long done;

	lodger_mm_map(building, 0x400000, 8 * PAGE, PROT_READ | PROT_WRITE);
	lodger_fail(LODGER_FAIL_ANY, nth);
	done = lodger_mm_write(building, 0x400000, stack, 8 * PAGE);
	lodger_handle_close(building);
	return done;
}

static long
try_mm_protect(unsigned nth)
{
	unsigned building = (unsigned)lodger_mm_create();
	long result;

	lodger_mm_map(building, 0x400000, 8 * PAGE, PROT_READ | PROT_WRITE);
	lodger_fail(LODGER_FAIL_ANY, nth);
	result = lodger_mm_protect(building, 0x401000, PAGE, PROT_READ);
	lodger_handle_close(building);
	return result;
}

/* A failed exec returns to its caller; a child reports by its status. */
static long
try_exec(unsigned nth)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { self, "exit", NULL };
	int status;
	pid_t pid = fork_or_die();

	if (pid == 0) {
		touch_all();
		lodger_fail(LODGER_FAIL_ANY, nth);
		syscall3(SYS_execve, (long)self, (long)args, (long)environ);
		_exit(lodger_fail_happened() == 1 ? 12 : 99);
	}
	status = status_of(pid);
	/* What the child did has to become this task's fail_happened. */
	if (status == EXITED(12))
		return -ENOMEM;
	return status == EXITED(0) ? 0 : -EIO;
}

/* exec's failure happens in the child, which says so by its answer. */
static bool
happened(attempt_fn *attempt, long result)
{
	if (attempt == try_exec)
		return result != 0;
	return lodger_fail_happened() == 1;
}

static void
fail_each(const char *name, attempt_fn *attempt)
{
	char sentence[80];
	unsigned nth;
	bool good = true;

	attempt(0); /* once in peace: caches fill, code is paged in */
	for (nth = 1; nth < ENOUGH && good; nth++) {
		long result;

		/* A call that fails while others are ending waits for their
		 * memory, and tries once more. */
		frames_at_rest(tasks);
		touch_all();
		result = attempt(nth);
		if (!happened(attempt, result)) {
			good &= result >= 0;
			break;
		}
		if (result != -ENOMEM) {
			printf("%s, allocation %u failed: expected -ENOMEM, "
			       "seen %ld\n", name, nth, result);
			good = false;
		}
		good &= lodger_check_invariants() == 0;
	}
	snprintf(sentence, sizeof(sentence),
		 "%s fails cleanly at each of its %u allocations", name,
		 nth - 1);
	check(good && nth < ENOUGH, sentence);
	check(nth > 1 || attempt == try_brk || attempt == try_mmap,
	      "and it makes some");
}

static const struct {
	const char *name;
	attempt_fn *attempt;
} attempts[] = {
	{ "fork", try_fork },
	{ "clone of a thread", try_clone_thread },
	{ "vfork", try_vfork },
	{ "exec", try_exec },
	{ "a new building", try_mm_create },
	{ "memory for a building", try_mm_map },
	{ "writing to a building", try_mm_write },
	{ "mprotect in a building", try_mm_protect },
	{ "mmap", try_mmap },
	{ "mmap of shared memory", try_mmap_shared },
	{ "munmap in the middle", try_munmap_middle },
	{ "mprotect in the middle", try_mprotect_middle },
	{ "mremap", try_mremap },
	{ "brk", try_brk },
};

int
main(int argc, char **argv)
{
	struct lodger_sys_stat stat;
	long before, after;

	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return lodger_fail_happened() == 1 ? 99 : 0;
	lodger_or_skip();
	begin();
	lodger_sys_stat(&stat);
	if (!stat.debug) {
		puts("skip: no failure injection in a release build");
		return 77;
	}
	tasks = stat.nr_tasks;
	touch_all();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		attempts[i].attempt(0);
	before = frames_at_rest(tasks);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		fail_each(attempts[i].name, attempts[i].attempt);
	after = frames_at_rest(tasks);
	check_equal(after, before, "every frame is back");
	check_equal(lodger_check_invariants(), 0, "the invariants hold");
	return end();
}
