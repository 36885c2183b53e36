// linux-oracle
/* MAP_SHARED memory: the same pages in parent and children, also those that
 * are touched for the first time after the fork. */
#include "tests/user/check.h"

enum { PAGES = 128 };

static void
write_upper_half(void *arg)
{
	char *area = arg;

	for (int i = PAGES / 2; i < PAGES; i++)
		area[i * PAGE] = i;
}

static void
touched_after_fork(void)
{
	char *area = shared_memory(PAGES * PAGE);
	bool good = true;

	for (int i = 0; i < PAGES / 2; i++)
		area[i * PAGE] = i;
	check_child("a child writes pages nobody has touched", write_upper_half,
		    area, EXITED(0));
	for (int i = 0; i < PAGES; i++)
		good &= area[i * PAGE] == (char)i;
	check(good, "and the parent reads what it wrote");
	munmap(area, PAGES * PAGE);
}

static _Atomic int *meeting;

static void
sibling(void *arg)
{
	char *area = arg;

	await_word(meeting, 1);
	if (area[5 * PAGE] != 55)
		_exit(1);
	area[6 * PAGE] = 66;
	signal_word(meeting, 2);
}

/* Neither of the two that meet in the page has mapped it: their parent did. */
static void
siblings(void)
{
	char *area = shared_memory(8 * PAGE);
	pid_t first, second;

	first = fork_or_die();
	if (first == 0) {
		sibling(area);
		_exit(0);
	}
	second = fork_or_die();
	if (second == 0) {
		area[5 * PAGE] = 55;
		signal_word(meeting, 1);
		await_word(meeting, 2);
		_exit(area[6 * PAGE] == 66 ? 0 : 1);
	}
	check_equal(status_of(first), EXITED(0), "two siblings meet in a page");
	check_equal(status_of(second), EXITED(0), "in both directions");
	check(area[5 * PAGE] == 55, "the pages outlive those who wrote them");
}

static void
unmap_it(void *arg)
{
	_exit(munmap(arg, 4 * PAGE) == 0 ? 0 : 1);
}

static void
forbid_it(void *arg)
{
	_exit(mprotect(arg, 4 * PAGE, PROT_NONE) == 0 ? 0 : 1);
}

static void
discard_it(void *arg)
{
	char *area = arg;

	madvise(area, 4 * PAGE, MADV_DONTNEED);
	_exit(area[PAGE] == 3 ? 0 : 1);
}

static void
others_keep_it(void)
{
	char *area = shared_memory(4 * PAGE);

	area[PAGE] = 3;
	check_child("a child unmaps shared memory", unmap_it, area, EXITED(0));
	check(area[PAGE] == 3, "the parent still has it");
	check_child("a child forbids itself the memory", forbid_it, area,
		    EXITED(0));
	area[PAGE] = 3;
	check(area[PAGE] == 3, "the parent may still write");
	check_child("MADV_DONTNEED does not lose shared contents", discard_it,
		    area, EXITED(0));
}

/* A counter raised by many processes at once loses nothing. */
static void
count_together(void)
{
	_Atomic int *counter = shared_memory(PAGE);

	for (int i = 0; i < 8; i++)
		if (fork_or_die() == 0) {
			for (int j = 0; j < 10000; j++)
				++*counter;
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	check_equal(*counter, 80000, "eight processes raise one counter");
}

/* Shared pages stay shared through a chain of forks, private ones do not. */
static int
deep(int depth, int *shared, int *private)
{
	pid_t pid;

	++*shared;
	++*private;
	if (depth == 0)
		return *private;
	pid = fork_or_die();
	if (pid == 0)
		_exit(deep(depth - 1, shared, private));
	return WEXITSTATUS(status_of(pid));
}

static void
chain(void)
{
	int *shared = shared_memory(PAGE), *private = private_memory(PAGE);
	pid_t pid = fork_or_die();

	if (pid == 0)
		_exit(deep(9, shared, private));
	check_equal(status_of(pid), EXITED(10), "ten generations count");
	check_equal(*shared, 10, "shared memory counts for all of them");
	check_equal(*private, 0, "private memory for each alone");
}

int
main(void)
{
	begin();
	meeting = shared_memory(PAGE);
	touched_after_fork();
	siblings();
	others_keep_it();
	count_together();
	chain();
	return end();
}
