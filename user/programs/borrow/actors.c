/* See actors.h. Most of this runs in the actors. */
#include "actors.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tell.h"
#include "user/include/futex.h"
#include "user/include/ipc.h"
#include "user/include/madvise.h"

const char *const actor_names[NR_ACTORS] = {
	"A", "A1", "A2", "A3", "B", "C", "D", "E", "F", "G", "H", "O", "V", "W",
};

struct actor {
	_Atomic int command;
	_Atomic int tid;
	_Atomic int nr_done; /* commands carried out, and their last result */
	_Atomic long arg, result;
};

static struct actor *actors; /* in memory shared by all of them */

void
actors_init(void)
{
	actors = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (actors == MAP_FAILED) {
		perror("borrow: mmap");
		exit(1);
	}
}

void
move_to_cpu(int tid, unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set) != 0) {
		perror("borrow: sched_setaffinity");
		exit(1);
	}
}

/* ---- What they can do ------------------------------------------------- */

static const char spinner[] = "(spinner)";

int
is_spinner(char **argv)
{
	return argv[0] && strcmp(argv[0], spinner) == 0;
}

static long
exec_spinner(void)
{
	char *args[] = { (char *)spinner, NULL };

	execv((char *)getauxval(AT_EXECFN), args);
	_exit(1);
}

static char *
new_area(long addr, size_t size)
{
	char *area = mmap((void *)addr, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | (addr ? MAP_FIXED : 0),
			  -1, 0);

	if (area == MAP_FAILED)
		_exit(1);
	return area;
}

/* Page by page: no kernel thread comes near. */
static long
touch_area(long addr, size_t size)
{
	memset(new_area(addr, size), 1, size);
	return 0;
}

/* Served by the prefaulter, a kernel thread, which adopts us. */
static long
populate(void)
{
	size_t size = OWN_PAGES * PAGE_BYTES;

	return madvise(new_area(0, size), size, MADV_POPULATE_WRITE);
}

/* As a user's own store would, but for the signal. */
static long
write_page(long addr)
{
	return lodger_sys_stat((struct lodger_sys_stat *)addr);
}

static long
reap(void)
{
	int tid = wait(NULL);

	for (int i = 0; i < NR_ACTORS; i++)
		if (actors[i].tid == tid)
			actors[i].tid = 0;
	return tid;
}

static void obey(enum who me);

/* Only the thread: whoever else lives there lives on. */
static _Noreturn void
perform_and_exit(enum who me)
{
	obey(me);
	for (;;)
		syscall3(SYS_exit, 0, 0, 0);
}

static void *
thread_main(void *arg)
{
	obey((enum who)(long)arg);
	return NULL;
}

static long
clone_thread(enum who who)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, thread_main, (void *)(long)who);
}

static long
fork_child(enum who child)
{
	int pid = fork();

	if (pid == 0)
		perform_and_exit(child);
	return pid;
}

static long
vfork_child(enum who child)
{
	if (vfork() == 0) {
		obey(child);
		_exit(0);
	}
	return 0;
}

/* The call itself, since the failure is asked for the next one. */
static long
fail_fork(long nth)
{
	long err = lodger_fail(LODGER_FAIL_ANY, (unsigned)nth), pid;

	if (err)
		return err;
	pid = syscall0(SYS_fork);
	if (pid == 0)
		syscall3(SYS_exit_group, 0, 0, 0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return lodger_fail_happened() ? pid : 1;
}

/* handle_give() moves the handle: nothing is left to close. */
static long
give_mm(int child)
{
	return lodger_handle_give(child, (unsigned)lodger_mm_open());
}

static long
read_mm(unsigned handle)
{
	struct actor actor;

	return lodger_mm_read(handle, (uint64_t)actors, &actor, sizeof(actor));
}

static long
pass(enum who me, enum who next)
{
	int spinning = SPIN;

	tell(next, SPIN);
	atomic_compare_exchange_strong(&actors[me].command, &spinning, SLEEP);
	return 0;
}

static long
carry_out(enum who me, enum command command, long arg)
{
	switch (command) {
	case PASS:	 return pass(me, (enum who)arg);
	case CLONE:	 return clone_thread((enum who)arg);
	case FORK:	 return fork_child((enum who)arg);
	case VFORK:	 return vfork_child((enum who)arg);
	case FAIL_FORK:	 return fail_fork(arg);
	case EXEC:	 return exec_spinner();
	case REAP:	 return reap();
	case TOUCH_OWN:	 return touch_area(0, OWN_PAGES * PAGE_BYTES);
	case POPULATE:	 return populate();
	case MAP:	 return touch_area(arg, AREA_PAGES * PAGE_BYTES);
	case UNMAP:	 return munmap((void *)arg, AREA_PAGES * PAGE_BYTES);
	case UNMAP_PAGE: return munmap((void *)arg, PAGE_BYTES);
	case WRITE:	 return write_page(arg);
	case GIVE_MM:	 return give_mm((int)arg);
	case READ_MM:	 return read_mm((unsigned)arg);
	case CLOSE:	 return lodger_handle_close((unsigned)arg);
	default:	 return 0;
	}
}

/* The whole life of an actor. A command that is done once is replaced by SPIN
 * before it is carried out, so that the observer's next one is not lost. */
static void
obey(enum who me)
{
	struct actor *actor = &actors[me];

	actor->tid = (int)syscall0(SYS_gettid);
	for (;;) {
		int command = actor->command;

		if (command == EXIT)
			return;
		if (command == SPIN) {
			__builtin_ia32_pause();
		} else if (command == SLEEP) {
			futex_wait(&actor->command, SLEEP);
		} else if (atomic_compare_exchange_strong(&actor->command,
							  &command, SPIN)) {
			actor->result = carry_out(me, command, actor->arg);
			actor->nr_done++;
		}
	}
}

/* ---- What the observer does with them --------------------------------- */

void
tell(enum who who, enum command command)
{
	actors[who].command = command;
	futex_wake(&actors[who].command, 1);
}

static int nr_done_before[NR_ACTORS];

void
begins(enum who who, enum command command, long arg)
{
	nr_done_before[who] = actors[who].nr_done;
	actors[who].arg = arg;
	tell(who, command);
}

long
ends(enum who who)
{
	UNTIL(actors[who].nr_done != nr_done_before[who],
	      "an actor does not do what it was told");
	return actors[who].result;
}

long
does(enum who who, enum command command, long arg)
{
	begins(who, command, arg);
	return ends(who);
}

int
tid_of(enum who who)
{
	return actors[who].tid;
}

void
wait_alive(enum who who)
{
	UNTIL(actors[who].tid != 0, "an actor does not come");
}

void
wait_reaped(enum who who)
{
	UNTIL(actors[who].tid == 0, "an actor was not collected");
}

void
move_actor(enum who who, unsigned cpu)
{
	move_to_cpu(actors[who].tid, cpu);
}

void
begins_with(enum who who, enum command command)
{
	actors[who].tid = 0;
	actors[who].command = command;
}

void
start_process(enum who who, unsigned cpu, enum command command)
{
	begins_with(who, command);
	fflush(stdout);
	if (fork() == 0) {
		move_to_cpu(0, cpu);
		perform_and_exit(who);
	}
	wait_alive(who);
	observe(actor_names[who], who);
}

void
clone_to(enum who parent, enum who child, unsigned cpu, enum command command)
{
	begins_with(child, SLEEP);
	check(does(parent, CLONE, child) == 0, "no thread can be made");
	wait_alive(child);
	move_actor(child, cpu);
	tell(child, command);
}

void
vforks(enum who parent, enum who child, enum command command)
{
	begins_with(child, command);
	begins(parent, VFORK, child);
	wait_alive(child);
}

void
execs(enum who who, const char *name)
{
	uint64_t old = space_of(who);

	tell(who, EXEC);
	UNTIL(space_of(who) != old, "exec does not come to its end");
	observe(name, who);
}

void
kill_actor(enum who who)
{
	if (actors[who].tid != 0)
		kill(actors[who].tid, SIGKILL);
}

void
kill_actors(void)
{
	for (int i = 0; i < NR_ACTORS; i++)
		kill_actor((enum who)i);
}

void
dismiss_actors(void)
{
	kill_actors();
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < NR_ACTORS; i++)
		actors[i].tid = 0;
}
