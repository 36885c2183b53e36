// linux-oracle
/* Copy on write: parent, child and grandchild see their own bytes, whoever
 * writes first, and also when it is the kernel that writes. */
#include "tests/user/check.h"

enum { PAGES = 64 };

static char *area;
static char in_data[2 * 4096] = { 1 };
static _Atomic int *stage;

static bool
all_are(int value)
{
	for (int i = 0; i < PAGES; i++)
		if (area[i * PAGE] != value || area[i * PAGE + 4095] != value)
			return false;
	return true;
}

static void
set_all(int value)
{
	for (int i = 0; i < PAGES; i++) {
		area[i * PAGE] = value;
		area[i * PAGE + 4095] = value;
	}
}

/* 1 -> child writes 2 -> grandchild writes 3; each checks after the others
 * have written. */
static void
grandchild(void *arg)
{
	(void)arg;
	if (!all_are(2))
		_exit(1);
	set_all(3);
	signal_word(stage, 1);
	await_word(stage, 2);
	_exit(all_are(3) ? 0 : 2);
}

static void
child(void *arg)
{
	pid_t pid;

	(void)arg;
	if (!all_are(1))
		_exit(1);
	set_all(2);
	pid = fork_or_die();
	if (pid == 0)
		grandchild(NULL);
	await_word(stage, 1);
	if (!all_are(2))
		_exit(2);
	set_all(4);
	signal_word(stage, 2);
	if (status_of(pid) != EXITED(0))
		_exit(3);
	_exit(all_are(4) ? 0 : 4);
}

static void
three_generations(void)
{
	*stage = 0;
	set_all(1);
	check_child("child and grandchild see their own bytes", child, NULL,
		    EXITED(0));
	check(all_are(1), "the parent's bytes are untouched");
}

/* The parent writes first: the child must keep the old bytes. */
static void
parent_first(void)
{
	pid_t pid;

	*stage = 0;
	set_all(1);
	pid = fork_or_die();
	if (pid == 0) {
		await_word(stage, 1);
		_exit(all_are(1) ? 0 : 1);
	}
	set_all(5);
	signal_word(stage, 1);
	check_equal(status_of(pid), EXITED(0),
		    "what the parent writes after fork, the child does not see");
}

/* clock_gettime writes through the kernel, or through the C library; the
 * inline call makes sure that it is the kernel. */
static void
kernel_writes(void *arg)
{
	(void)arg;
	syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)area, 0);
	((long *)area)[0] |= 1;
	_exit(((long *)area)[0] != 0 ? 0 : 1);
}

static void
write_by_kernel(void)
{
	memset(area, 0, PAGE);
	check_child("the kernel writes into the child's shared page",
		    kernel_writes, NULL, EXITED(0));
	check(((long *)area)[0] == 0, "and the parent's copy stays");
}

/* Data segment, stack and pages that were only read before the fork. */
static void
touch_everything(void *arg)
{
	char *untouched = arg;

	in_data[0]++;
	in_data[4096]++;
	untouched[0] = 1;
	untouched[PAGE] = 1;
	_exit(in_data[0] == 2 && in_data[4096] == 1 ? 0 : 1);
}

static void
other_memory(void)
{
	char *untouched = private_memory(2 * PAGE);

	check(((volatile char *)untouched)[0] == 0, "fresh memory reads as 0");
	check_child("a child writes data and fresh memory", touch_everything,
		    untouched, EXITED(0));
	check(in_data[0] == 1 && in_data[4096] == 0, "data is isolated");
	check(untouched[0] == 0 && untouched[PAGE] == 0,
	      "fresh memory is isolated");
}

/* Read-only when forked, made writable by one of them later. */
static void
make_writable(void *arg)
{
	char *page = arg;

	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
		_exit(1);
	page[0] = 9;
	_exit(page[0] == 9 ? 0 : 2);
}

static void
protection_and_cow(void)
{
	char *page = private_memory(PAGE);

	page[0] = 4;
	mprotect(page, PAGE, PROT_READ);
	check_child("a child makes a shared page writable", make_writable, page,
		    EXITED(0));
	check(page[0] == 4, "and writes to a copy of its own");
}

/* After the child is gone, the parent owns the page alone again. */
static void
many_children(void)
{
	bool good = true;

	for (int i = 0; i < 100; i++) {
		pid_t pid;

		set_all(i);
		pid = fork_or_die();
		if (pid == 0) {
			bool same = all_are(i);

			set_all(i + 1);
			_exit(same ? 0 : 1);
		}
		good &= status_of(pid) == EXITED(0) && all_are(i);
	}
	check(good, "a hundred children in turn, each with its own copy");
}

int
main(void)
{
	begin();
	stage = shared_memory(PAGE);
	area = private_memory(PAGES * PAGE);
	three_generations();
	parent_first();
	write_by_kernel();
	other_memory();
	protection_and_cow();
	many_children();
	return end();
}
