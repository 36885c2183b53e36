/* When locks end: with the last, or any, number of a file; and what flock gives
 * up for another kind. A second process looks. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static void
told(const char *what, const char *which)
{
	printf("%s: %s\n", what, which);
	fflush(stdout);
}

static int
open_file(void)
{
	return open("file", O_RDWR | O_CREAT, 0600);
}

static void
set(int fd, int type, int start)
{
	struct flock lock = { .l_type = type, .l_start = start, .l_len = 10 };

	if (fcntl(fd, F_SETLK, &lock) != 0)
		told("F_SETLK", strerror(errno));
}

/* Is anybody's lock there? */
static void
look(const char *what)
{
	struct flock lock = { .l_type = F_WRLCK };
	pid_t child = fork();

	if (child == 0) {
		fcntl(open_file(), F_GETLK, &lock);
		told(what, lock.l_type == F_UNLCK ? "free"
			   : lock.l_pid == getppid() ? "my parent's"
						     : "somebody's");
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void
ends_of_numbers(void)
{
	int fd = open_file(), other = open_file();

	set(fd, F_WRLCK, 0);
	look("set");
	close(other);
	look("another number was closed");
	set(fd, F_WRLCK, 0);
	dup2(1, fd);
	look("another file has its number");
	fd = open_file();
	set(fd, F_WRLCK, 0);
	dup3(fd, fd + 1, O_CLOEXEC);
	look("it has a second number");
	close(fd + 1);
	look("which is closed");
	close(fd);
}

static void
exec_closes(void)
{
	pid_t child = fork();
	int fd, status;

	if (child == 0) {
		fd = open("file", O_RDWR | O_CLOEXEC);
		set(fd, F_WRLCK, 0);
		execl("/proc/self/exe", "locks", "look", NULL);
	}
	waitpid(child, &status, 0);
}

/* Somebody with the same numbers, who is another process. */
static void
shared_numbers(void)
{
	int fd = open_file();
	pid_t child;

	set(fd, F_WRLCK, 0);
	child = syscall(SYS_clone, CLONE_FILES | 17, 0, 0, 0, 0);
	if (child == 0) {
		close(fd);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	look("who has the same numbers has closed it");
}

/* ---- flock ------------------------------------------------------------ */

static void
try(const char *what, int fd, int how)
{
	told(what, flock(fd, how) == 0 ? "done" : strerror(errno));
}

static void
kinds(void)
{
	int a = open_file(), b = open_file();

	try("a shared", a, LOCK_SH);
	try("b shared", b, LOCK_SH);
	try("a exclusive", a, LOCK_EX | LOCK_NB);
	try("b exclusive, as a has none now", b, LOCK_EX | LOCK_NB);
	try("b exclusive again", b, LOCK_EX | LOCK_NB);
	try("a shared", a, LOCK_SH | LOCK_NB);
	try("b shared", b, LOCK_SH);
	try("a shared", a, LOCK_SH | LOCK_NB);
	close(a);
	try("b exclusive", b, LOCK_EX | LOCK_NB);
	close(b);
}

/* ---- How many ---------------------------------------------------------- */

enum { MANY = 4000 };

/* Lodger has a limit, so that nobody's locks make the others wait. */
static void
many(const char *what, int type, int fd)
{
	struct flock lock = { .l_type = type, .l_len = 1 };
	struct utsname name;
	int n = 0;

	uname(&name);
	while (n < MANY && fcntl(fd, F_SETLK, &lock) == 0) {
		lock.l_start += 2;
		n++;
	}
	told(what, !strstr(name.release, "lodger") || (n < MANY && errno == ENOLCK)
		   ? "as many as there may be" : "too many");
}

static void
limited(void)
{
	struct flock all = { .l_type = F_WRLCK };
	int fd = open_file();

	many("locks", F_WRLCK, fd);
	all.l_type = F_UNLCK;
	told("all given up", fcntl(fd, F_SETLK, &all) ? strerror(errno) : "done");
	all.l_type = F_WRLCK;
	fcntl(fd, F_SETLK, &all);
	many("parts of one", F_UNLCK, fd);
	close(fd);
	fd = open_file();
	set(fd, F_WRLCK, 0);
	look("afterwards");
	close(fd);
}

/* ---- Closed while it is waited for ------------------------------------ */

static int waits_for;

static void *
wait_for_lock(void *arg)
{
	struct flock lock = { .l_type = F_WRLCK };

	(void)arg;
	told("waited", fcntl(waits_for, F_SETLKW, &lock) == 0
			       ? "done" : strerror(errno));
	return NULL;
}

static void
closed_meanwhile(void)
{
	int news[2], order[2];
	pthread_t thread;
	pid_t child;
	char c;

	if (pipe(news) || pipe(order))
		return;
	child = fork();
	if (child == 0) {
		set(open_file(), F_WRLCK, 0);
		write(news[1], "x", 1);
		read(order[0], &c, 1);
		_exit(0);
	}
	read(news[0], &c, 1);
	waits_for = open_file();
	pthread_create(&thread, NULL, wait_for_lock, NULL);
	usleep(200000); /* it waits by then */
	close(waits_for);
	write(order[1], "x", 1);
	pthread_join(thread, NULL);
	waitpid(child, NULL, 0);
	look("nobody has it");
}

int
main(int argc, char **argv)
{
	(void)argv;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		look("what exec closed");
		return 0;
	}
	ends_of_numbers();
	exec_closes();
	shared_numbers();
	kinds();
	limited();
	closed_meanwhile();
	return 0;
}
