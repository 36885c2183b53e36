// timeout=60
/* Handles: numbers, rights, duplication, closing; fork, exec and exit; what a
 * full table and missing memory answer; and nothing is left behind. */
#include "tests/user/check.h"

#include <pthread.h>

#include "tests/user/rest.h"
#include "user/include/ipc.h"

enum {
	ALL = LODGER_RIGHT_CALL | LODGER_RIGHT_RECV | LODGER_RIGHT_DUPLICATE |
	      LODGER_RIGHT_TRANSFER,
	MOST_HANDLES = 4095,
	CLASS_SLAB = 2,
};

static struct lodger_handle_stat
stat_of(unsigned handle)
{
	struct lodger_handle_stat stat = { 0 };

	if (lodger_handle_stat(handle, &stat) != 0)
		check(false, "handle_stat of a good handle");
	return stat;
}

/* Backwards: the number that was freed last is given first. */
static void
first_handles(void)
{
	static const uint32_t types[] = { LODGER_PORTS, LODGER_INTERRUPT,
					  LODGER_MEMORY, LODGER_MEMORY };

	for (unsigned handle = LODGER_BOOT_MODULE; handle > 0; handle--) {
		check_equal(stat_of(handle).type, types[handle - 1],
			    "one of the first program's handles");
		lodger_handle_close(handle);
	}
}

static void
numbers_are_dense(void)
{
	long first = lodger_endpoint_create();
	long second = lodger_notification_create();

	check_equal(first, 1, "the first handle is 1");
	check_equal(second, 2, "the second is 2");
	check_equal(stat_of(first).type, LODGER_ENDPOINT, "an endpoint");
	check_equal(stat_of(second).type, LODGER_NOTIFICATION,
		    "a notification");
	check_equal(lodger_handle_close(first), 0, "close");
	show_expect("close again", lodger_handle_close(first), -EBADF);
	check_equal(lodger_endpoint_create(), first, "the number comes back");
	lodger_handle_close(first);
	lodger_handle_close(second);
}

static void
bad_numbers(void)
{
	struct lodger_handle_stat stat;
	static const unsigned bad[] = { 0, 1, 63, 64, 4095, 4096, 1u << 31,
					~0u };
	bool refused = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused &= lodger_handle_close(bad[i]) == -EBADF &&
			   lodger_handle_stat(bad[i], &stat) == -EBADF &&
			   lodger_handle_duplicate(bad[i], 0, 0) == -EBADF &&
			   lodger_handle_give(getpid(), bad[i]) < 0;
	check(refused, "numbers that are no handles are refused");
}

static void
rights_only_shrink(void)
{
	unsigned handle = lodger_endpoint_create();
	long less = lodger_handle_duplicate(handle, LODGER_RIGHT_CALL |
					    LODGER_RIGHT_DUPLICATE, 0);
	long least = lodger_handle_duplicate(less, LODGER_RIGHT_CALL, 0);

	check_equal(stat_of(less).rights,
		    LODGER_RIGHT_CALL | LODGER_RIGHT_DUPLICATE,
		    "a duplicate with fewer rights");
	check_equal(stat_of(least).rights, LODGER_RIGHT_CALL, "with one");
	show_expect("a right more than the original",
		    lodger_handle_duplicate(less, ALL, 0), -EPERM);
	show_expect("a duplicate without the right to duplicate",
		    lodger_handle_duplicate(least, LODGER_RIGHT_CALL, 0),
		    -EPERM);
	lodger_handle_close(handle);
	lodger_handle_close(less);
	lodger_handle_close(least);
}

static void
badges_stick(void)
{
	unsigned plain = lodger_endpoint_create();
	long one = lodger_handle_duplicate(plain, ALL, 0x123456789abcdef0);
	long copy = lodger_handle_duplicate(one, ALL, 0);

	check_equal(stat_of(plain).badge, 0, "no badge at first");
	check_equal(stat_of(one).badge, 0x123456789abcdef0, "then a badge");
	check_equal(stat_of(copy).badge, 0x123456789abcdef0,
		    "which a copy keeps");
	show_expect("another badge", lodger_handle_duplicate(one, ALL, 7),
		    -EPERM);
	lodger_handle_close(plain);
	lodger_handle_close(one);
	lodger_handle_close(copy);
}

static void
child_has_none(void *handle)
{
	struct lodger_handle_stat stat;

	_exit(lodger_handle_stat(*(unsigned *)handle, &stat) == -EBADF ? 3 : 4);
}

static void *
thread_has_all(void *handle)
{
	struct lodger_handle_stat stat;
	long result = lodger_handle_stat(*(unsigned *)handle, &stat);

	return (void *)(result == 0 ? 1l : 0l);
}

static void
who_shares(void)
{
	unsigned handle = lodger_endpoint_create();
	pthread_t thread;
	void *shared;

	check_child("fork gives an empty table", child_has_none, &handle,
		    EXITED(3));
	pthread_create(&thread, NULL, thread_has_all, &handle);
	pthread_join(thread, &shared);
	check(shared, "threads share a table");
	lodger_handle_close(handle);
}

/* This program again, in a child: with "exec" it looks for handle 1. */
static void
exec_with_handle(void *path)
{
	char *args[] = { path, "exec", NULL };

	lodger_endpoint_create();
	execv(path, args);
	_exit(9);
}

static int
after_exec(void)
{
	struct lodger_handle_stat stat;

	return lodger_handle_stat(1, &stat) == 0 ? 5 : 6;
}

static void
the_table_has_an_end(void)
{
	long last = 0, handle;

	while ((handle = lodger_endpoint_create()) > 0)
		last = handle;
	show_expect("one more", handle, -EMFILE);
	check_equal(last, MOST_HANDLES, "the last handle");
	show_expect("a duplicate",
		    lodger_handle_duplicate(last, ALL, 0), -EMFILE);
	lodger_handle_close(1000);
	check_equal(lodger_notification_create(), 1000, "the gap is used");
	for (handle = 1; handle <= last; handle++)
		lodger_handle_close(handle);
	show_expect("all closed", lodger_handle_close(1), -EBADF);
}

static void
give_to_child(void)
{
	unsigned handle = lodger_endpoint_create();
	_Atomic int *word = shared_memory(PAGE);
	pid_t pid = fork_or_die();
	long there;

	if (pid == 0) {
		struct lodger_handle_stat stat;

		await_word(word, 1);
		_exit(lodger_handle_stat(1, &stat) == 0 &&
		      stat.rights == ALL ? 0 : 1);
	}
	show_expect("to one who is no child", lodger_handle_give(1, handle),
		    -ESRCH);
	show_expect("a bad handle", lodger_handle_give(pid, 77), -EBADF);
	there = lodger_handle_give(pid, handle);
	check_equal(there, 1, "a handle given to a child is its first");
	show_expect("it has left here", lodger_handle_close(handle), -EBADF);
	signal_word(word, 1);
	check_equal(status_of(pid), 0, "the child has it");
	show_expect("to a child that is gone", lodger_handle_give(pid, handle),
		    -ESRCH);
}

/* Whichever allocation fails, the answer is -ENOMEM, and nothing changed. */
static void
no_memory(void *unused)
{
	unsigned failures = 0;

	(void)unused;
	for (unsigned nth = 1;; nth++) {
		long handle;

		lodger_fail(CLASS_SLAB, nth);
		handle = lodger_endpoint_create();
		if (!lodger_fail_happened()) {
			lodger_handle_close(handle);
			break;
		}
		if (handle != -ENOMEM)
			_exit(1);
		failures++;
	}
	_exit(failures >= 3 ? 0 : 2);
}

static void
exit_closes_all(void *unused)
{
	(void)unused;
	while (lodger_endpoint_create() > 0)
		;
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct lodger_sys_stat sys;

	if (argc > 1 && strcmp(argv[1], "exec") == 0)
		return after_exec();
	begin_counted();
	first_handles();
	bad_numbers();
	numbers_are_dense();
	rights_only_shrink();
	badges_stick();
	who_shares();
	check_child("exec keeps the table", exec_with_handle, argv[0],
		    EXITED(5));
	the_table_has_an_end();
	give_to_child();
	lodger_sys_stat(&sys);
	if (sys.debug) {
		check_child("no memory, at each place", no_memory, NULL,
			    EXITED(0));
		twice_leaves_nothing(no_memory, NULL, NULL);
	}
	twice_leaves_nothing(exit_closes_all, NULL, NULL);
	return end();
}
