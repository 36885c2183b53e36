/* What /sbin/alone gives to the program that it runs: the first handles, the
 * log for its output, the archive's programs, and nothing else. */
#include "tests/user/check.h"

#include <sys/auxv.h>
#include <sys/uio.h>

#include "tests/user/rest.h"
#include "user/include/objects.h"

static long
handle_type(unsigned handle)
{
	struct lodger_handle_stat stat;
	long err = lodger_handle_stat(handle, &stat);

	return err ? err : (long)stat.type;
}

static void
first_handles(void)
{
	check_equal(handle_type(LODGER_ALL_PORTS), LODGER_PORTS, "the ports");
	check_equal(handle_type(LODGER_ALL_INTERRUPTS), LODGER_INTERRUPT,
		    "the interrupts");
	check_equal(handle_type(LODGER_ALL_DEVICES), LODGER_MEMORY,
		    "the devices");
	check_equal(handle_type(LODGER_BOOT_MODULE), LODGER_MEMORY,
		    "the archive");
	show_expect("and no more", handle_type(LODGER_BOOT_MODULE + 1),
		    -EBADF);
	check_equal(getppid(), 1, "a child of process 1");
}

/* ---- Output --------------------------------------------------------------- */

/* Has the log @text, after @position? */
static bool
is_logged(uint64_t position, const char *text)
{
	static char log[16384];
	long n = lodger_klog_read(&position, log, sizeof(log) - 1);

	if (n < 0)
		return false;
	log[n] = 0;
	return strstr(log, text) != NULL;
}

static uint64_t
end_of_log(void)
{
	static char log[16384];
	uint64_t position = 0;

	while (lodger_klog_read(&position, log, sizeof(log)) > 0)
		;
	return position;
}

static void
output(void)
{
	struct iovec pieces[3] = { { "one, ", 5 }, { NULL, 0 }, { "two\n", 4 } };
	struct iovec bad[2] = { { "half\n", 5 }, { (void *)8, 5 } };
	uint64_t position = end_of_log();
	char byte;

	show_expect("write", write(2, "zero\n", 5), 5);
	show_expect("writev", writev(1, pieces, 3), 9);
	show_expect("writev, the second piece bad", writev(1, bad, 2), 5);
	show_expect("writev of nothing", writev(1, pieces, 0), 0);
	check(is_logged(position, "zero\n") &&
	      is_logged(position, "one, two\n"), "it is in the log");
	show_expect("write to 0", syscall3(SYS_write, 0, (long)"x", 1),
		    -EBADF);
	show_expect("ioctl of 1", syscall3(SYS_ioctl, 1, 0, 0), -ENOTTY);
	show_expect("ioctl of 3", syscall3(SYS_ioctl, 3, 0, 0), -EBADF);
	show_expect("mmap of 1", syscall6(SYS_mmap, 0, PAGE, PROT_READ,
					  MAP_PRIVATE, 1, 0), -ENODEV);
	show_expect("mmap of 3", syscall6(SYS_mmap, 0, PAGE, PROT_READ,
					  MAP_PRIVATE, 3, 0), -EBADF);
	show_expect("read", syscall3(SYS_read, 0, (long)&byte, 1), -ENOSYS);
	show_expect("open", syscall3(SYS_open, (long)"/etc/passwd", 0, 0),
		    -ENOSYS);
}

/* A text that is longer than all the server's buffers, all of it. */
static void
long_output(void)
{
	enum { LEN = 10000 };
	static char text[LEN + 1];

	memset(text, '.', LEN);
	text[LEN - 1] = '\n';
	show_expect("a long text", write(1, text, LEN), LEN);
}

/* ---- exec ----------------------------------------------------------------- */

static long
try_exec(const char *path)
{
	char *args[] = { "x", NULL }, *env[] = { NULL };

	return syscall3(SYS_execve, (long)path, (long)args, (long)env);
}

static void
too_many_arguments(void *unused)
{
	static char *args[20000];

	(void)unused;
	for (int i = 0; i < 19999; i++)
		args[i] = "a";
	_exit(syscall3(SYS_execve, getauxval(AT_EXECFN), (long)args, 0) ==
	      -E2BIG ? 7 : 8);
}

static void
too_long_arguments(void *unused)
{
	static char text[200 << 10];
	char *args[] = { text, NULL };

	(void)unused;
	memset(text, 'a', sizeof(text) - 1);
	_exit(syscall3(SYS_execve, getauxval(AT_EXECFN), (long)args, 0) ==
	      -E2BIG ? 7 : 8);
}

static void
programs(void)
{
	char path[400];
	uint64_t position = end_of_log();

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	show_expect("a program that is not there", try_exec("/bin/nobody"),
		    -ENOENT);
	show_expect("a directory", try_exec("/tmp"), -ENOEXEC);
	show_expect("a script", try_exec("/tests/unix/run"), -ENOEXEC);
	check(is_logged(position, "exec /tests/unix/run: it is"),
	      "the log says why");
	show_expect("a path too long", try_exec(path), -ENAMETOOLONG);
	show_expect("a path that is nowhere", try_exec((char *)8), -EFAULT);
	check_child("too many arguments", too_many_arguments, NULL, EXITED(7));
	check_child("too long ones", too_long_arguments, NULL, EXITED(7));
}

/* ---- Without it ----------------------------------------------------------- */

static void
exits_with_5(void *unused)
{
	(void)unused;
	_exit(5);
}

/* Nobody hears this child, but by its status. */
static void
without(void *unused)
{
	(void)unused;
	if (lodger_personality_set(0) != 0)
		_exit(1);
	if (syscall3(SYS_write, 1, (long)"x", 1) != -ENOSYS ||
	    syscall3(SYS_ioctl, 1, 0, 0) != -ENOSYS ||
	    syscall6(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 1, 0) !=
		    -ENOSYS ||
	    try_exec("/bin/true") != -ENOSYS)
		_exit(2);
	check_child("its child", exits_with_5, NULL, EXITED(5));
	_exit(wrong_results ? 3 : 0);
}

int
main(void)
{
	long before;
	uint64_t tasks;

	lodger_or_skip();
	begin();
	first_handles();
	output();
	long_output();
	programs();
	check_child("without a personality", without, NULL, EXITED(0));
	tasks = tasks_now();
	before = frames_at_rest(tasks);
	programs();
	check_equal(frames_at_rest(tasks), before, "every frame is back");
	return end();
}
