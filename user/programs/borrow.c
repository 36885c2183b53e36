/*
 * The story of the borrow, told live.
 *
 * A kernel thread has no address space: it lodges in the one its CPU used
 * last. This program makes that happen for real, one step at a time, and
 * prints after each step what every CPU runs, whose root it has loaded, and
 * the two counters U/C of the address space that the story is about.
 *
 * The observer stays on CPU 0 and touches nothing of the story but through
 * shared memory. The actors are processes and threads on CPUs 1 and 2; each
 * does what its command word says. No step waits for time: the observer
 * changes a command, then polls the kernel's own figures until they are the
 * expected ones, and says `expected 2/3, seen 2/2` when they never are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/include/futex.h"
#include "user/include/lodger.h"
#include "user/include/madvise.h"

enum {
	OBSERVER_CPU = 0,
	LEFT = 1,	      /* the CPU where the lodger moves in */
	RIGHT = 2,	      /* the CPU where threads come and go */
	MIN_CPUS = 3,
	OWN_PAGES = 256,      /* what the story's process touches: 1 MiB */
	PATIENCE_SECONDS = 10, /* then a step counts as failed */
};

/* ---- The actors ------------------------------------------------------- */

enum command {
	SLEEP,	  /* wait in futex(): the CPU goes to somebody else */
	SPIN,	  /* run in user mode */
	EXIT,
	EXEC,	  /* become a fresh copy of this program that spins */
	VFORK,	  /* vfork F, which then obeys its own commands */
	REAP,	  /* wait for a child */
	POPULATE, /* madvise(MADV_POPULATE_WRITE) on a fresh mapping */
};

enum who { A1, A2, A3, C, D, E, F, G, H, NR_ACTORS };

static const char *const actor_names[NR_ACTORS] = {
	"A1", "A2", "A3", "C", "D", "E", "F", "G", "H",
};

struct actor {
	_Atomic int command;
	_Atomic int tid; /* 0 until it lives */
};

static struct actor *actors; /* in memory shared by all of them */

static void
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

static void
exec_spinner(void)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { self, "spin", NULL };

	execv(self, args);
	_exit(1);
}

static char *
new_area(size_t size)
{
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		_exit(1);
	return area;
}

/* Touched page by page: no kernel thread comes near. */
static void
touch_pages(void)
{
	memset(new_area(OWN_PAGES * 4096), 1, OWN_PAGES * 4096);
}

/* Served by the prefaulter, a kernel thread, which adopts us. */
static void
populate(void)
{
	size_t size = OWN_PAGES * 4096;

	if (madvise(new_area(size), size, MADV_POPULATE_WRITE))
		_exit(1);
}

static void obey(enum who me);

/* Waits for a child, and says that it is gone. */
static void
reap(void)
{
	int tid = wait(NULL);

	for (int i = 0; i < NR_ACTORS; i++)
		if (actors[i].tid == tid)
			actors[i].tid = 0;
}

static void
vfork_child(enum who child)
{
	if (vfork() == 0) {
		obey(child);
		_exit(0);
	}
}

/* The whole life of an actor. A command that is done once is replaced by SPIN
 * before it is carried out, so that the observer's next one is not lost. */
static void
obey(enum who me)
{
	struct actor *actor = &actors[me];

	actor->tid = syscall(SYS_gettid);
	for (;;) {
		int command = actor->command;

		if (command == EXIT)
			return;
		if (command == SPIN)
			__builtin_ia32_pause();
		else if (command == SLEEP)
			futex_wait(&actor->command, SLEEP);
		else if (!atomic_compare_exchange_strong(&actor->command,
							 &command, SPIN))
			continue;
		else if (command == EXEC)
			exec_spinner();
		else if (command == VFORK)
			vfork_child(F);
		else if (command == REAP)
			reap();
		else if (command == POPULATE)
			populate();
	}
}

static void
tell(enum who who, enum command command)
{
	actors[who].command = command;
	futex_wake(&actors[who].command, 1);
}

static void
wait_alive(enum who who)
{
	while (actors[who].tid == 0)
		sched_yield();
}

static void
wait_reaped(enum who who)
{
	while (actors[who].tid != 0)
		sched_yield();
}

/* A process of one thread, on one CPU. It ends with exit status 0. */
static void
start_process(enum who who, unsigned cpu, enum command command)
{
	actors[who].tid = 0;
	actors[who].command = command;
	fflush(stdout);
	if (fork() == 0) {
		move_to_cpu(0, cpu);
		obey(who);
		_exit(0);
	}
	wait_alive(who);
}

static void *
thread_main(void *arg)
{
	move_to_cpu(0, RIGHT);
	obey((enum who)(long)arg);
	return NULL;
}

/* The story's process: A1 on the left, A2 and A3 on the right, and 1 MiB of
 * its own that somebody has to give back one day. */
static void
start_story(void)
{
	actors[A2].command = SPIN;
	actors[A3].command = SLEEP;
	actors[A1].command = SPIN;
	fflush(stdout);
	if (fork() == 0) {
		pthread_t thread;

		move_to_cpu(0, LEFT);
		touch_pages();
		for (long who = A2; who <= A3; who++)
			if (pthread_create(&thread, NULL, thread_main,
					   (void *)who) != 0)
				_exit(1);
		wait_alive(A2);
		wait_alive(A3);
		obey(A1);
		syscall(SYS_exit, 0);
	}
	wait_alive(A1);
}

/* ---- What the kernel says --------------------------------------------- */

enum { MAX_SPACES = 16, MAX_SHOWN_CPUS = 8, NAME_LEN = 24 };

static struct {
	uint64_t id;
	const char *name;
} spaces[MAX_SPACES];
static unsigned nr_spaces;
static unsigned nr_cpus;

/* One look at the machine. */
struct picture {
	int users, count;
	bool torn_down;
	uint64_t resident;
	struct {
		char runs[NAME_LEN];
		char root[NAME_LEN];
		char borrows[NAME_LEN]; /* "-": lives in its own */
		uint64_t cr3_writes;	/* since the CPU started */
		uint64_t cr3_new;	/* since the step before */
	} cpus[MAX_SHOWN_CPUS];
};

/* What a step must lead to; NULL: anything. */
struct expected {
	int users, count;
	const char *left, *left_root;
	const char *right, *right_root;
};

static void
name_space(uint64_t id, const char *name)
{
	spaces[nr_spaces].id = id;
	spaces[nr_spaces++].name = name;
}

static void
space_name(int64_t id, char *name)
{
	for (unsigned i = 0; i < nr_spaces; i++)
		if ((int64_t)spaces[i].id == id) {
			snprintf(name, NAME_LEN, "%s", spaces[i].name);
			return;
		}
	snprintf(name, NAME_LEN, "mm %lld", (long long)id);
}

static uint64_t
space_of(int tid)
{
	struct lodger_task_stat stat;

	if (lodger_task_stat(tid, &stat) != 0) {
		printf("borrow: no task %d\n", tid);
		exit(1);
	}
	return stat.mm;
}

static void
task_name(const struct lodger_cpu_stat *stat, char *name)
{
	const char *known = stat->current_name;

	if (stat->current_tid == 0)
		known = "idle";
	else if (stat->current_tid == getpid())
		known = "observer";
	else
		for (int i = 0; i < NR_ACTORS; i++)
			if (actors[i].tid == stat->current_tid)
				known = actor_names[i];
	snprintf(name, NAME_LEN, "%s%s", known,
		 stat->held_at == LODGER_HOLD_DEAD ? ", dead" : "");
}

static void
look(uint64_t mm, struct picture *picture)
{
	struct lodger_mm_stat stat = { 0 };
	struct lodger_cpu_stat cpu;

	memset(picture, 0, sizeof(*picture));
	/* -ESRCH leaves 0/0: that is what a freed one is. */
	if (lodger_mm_stat(mm, &stat) == 0) {
		picture->users = stat.users;
		picture->count = stat.count;
		picture->torn_down = stat.torn_down;
		picture->resident = stat.resident;
	}
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (lodger_cpu_stat(i, &cpu) != 0)
			continue;
		task_name(&cpu, picture->cpus[i].runs);
		space_name(cpu.loaded_mm, picture->cpus[i].root);
		picture->cpus[i].cr3_writes = cpu.counts[COUNT_CR3_WRITES];
		if (cpu.lazy)
			space_name(cpu.active_mm, picture->cpus[i].borrows);
		else
			strcpy(picture->cpus[i].borrows, "-");
	}
}

/* A sum over lists that change while it is taken: frames on their way from one
 * to another can be missed. So until two looks agree. */
static uint64_t
free_frames(void)
{
	struct lodger_sys_stat stat;
	uint64_t last;

	stat.free_frames = 0;
	do {
		last = stat.free_frames;
		sched_yield();
		lodger_sys_stat(&stat);
	} while (stat.free_frames != last);
	return last;
}

/* Those in use by programs. */
static uint64_t
user_frames(void)
{
	struct lodger_sys_stat stat = { 0 };

	lodger_sys_stat(&stat);
	return stat.user_frames;
}

static bool
is(const char *expected, const char *seen)
{
	return !expected || strcmp(expected, seen) == 0;
}

static bool
as_expected(const struct picture *seen, const struct expected *want)
{
	return seen->users == want->users && seen->count == want->count &&
	       is(want->left, seen->cpus[LEFT].runs) &&
	       is(want->left_root, seen->cpus[LEFT].root) &&
	       is(want->right, seen->cpus[RIGHT].runs) &&
	       is(want->right_root, seen->cpus[RIGHT].root);
}

/* ---- The telling ------------------------------------------------------ */

static const char *bold = "", *plain = "";
static const char *subject; /* the name of the observed address space */
static uint64_t subject_mm;
static unsigned step_nr;
static struct picture last_picture;

static void
dash_line(void)
{
	puts("-----------------------------------------------------------"
	     "-----------------");
}

static void
chapter(const char *title)
{
	putchar('\n');
	dash_line();
	printf("%s%s%s\n", bold, title, plain);
	dash_line();
}

static void
print_picture(const struct picture *picture)
{
	puts("\n     CPU  runs              root in CR3   borrows       "
	     "CR3 written");
	for (unsigned i = 0; i < nr_cpus; i++)
		printf("      %u   %-16s  %-12s  %-12s  %5llu\n", i,
		       picture->cpus[i].runs, picture->cpus[i].root,
		       picture->cpus[i].borrows,
		       (unsigned long long)picture->cpus[i].cr3_new);
	putchar('\n');
}

static void
clean_up(void)
{
	for (unsigned i = 1; i < nr_cpus; i++) {
		lodger_hold(i, LODGER_HOLD_NONE);
		lodger_guest(LODGER_GUEST_LEAVE, i);
	}
	for (int i = 0; i < NR_ACTORS; i++)
		if (actors[i].tid != 0)
			kill(actors[i].tid, SIGKILL);
}

static void
differs(const char *what, const char *expected, const char *seen)
{
	if (!is(expected, seen))
		printf("borrow: step %u, %s: expected %s, seen %s\n", step_nr,
		       what, expected, seen);
}

static void
fail_step(const struct picture *seen, const struct expected *want)
{
	if (seen->users != want->users || seen->count != want->count)
		printf("borrow: step %u, %s: expected %d/%d, seen %d/%d\n",
		       step_nr, subject, want->users, want->count, seen->users,
		       seen->count);
	differs("CPU 1 runs", want->left, seen->cpus[LEFT].runs);
	differs("CPU 1 has the root of", want->left_root,
		seen->cpus[LEFT].root);
	differs("CPU 2 runs", want->right, seen->cpus[RIGHT].runs);
	differs("CPU 2 has the root of", want->right_root,
		seen->cpus[RIGHT].root);
	puts("borrow: FAIL");
	exit(1);
}

static void
check(bool ok, const char *sentence)
{
	if (ok)
		return;
	printf("borrow: step %u: %s\n", step_nr, sentence);
	puts("borrow: FAIL");
	exit(1);
}

/* Looks until the picture is the expected one; the last look otherwise. */
static void
settle(const struct expected *want, struct picture *picture)
{
	struct timespec now;
	time_t deadline;

	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = now.tv_sec + PATIENCE_SECONDS;
	do {
		look(subject_mm, picture);
		if (as_expected(picture, want))
			return;
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < deadline);
}

/* Tells one step: its figures, then one sentence of explanation. */
static struct picture
step(const char *title, struct expected want, const char *why)
{
	struct picture picture;

	settle(&want, &picture);
	for (unsigned i = 0; i < nr_cpus; i++)
		picture.cpus[i].cr3_new = picture.cpus[i].cr3_writes -
					  last_picture.cpus[i].cr3_writes;
	last_picture = picture;
	printf("\n%3u. %-52s %s%s is %d/%d%s\n", ++step_nr, title, bold,
	       subject, picture.users, picture.count, plain);
	print_picture(&picture);
	if (!as_expected(&picture, &want))
		fail_step(&picture, &want);
	puts(why);
	fflush(stdout);
	return picture;
}

static void
observe(const char *name, enum who who)
{
	subject = name;
	subject_mm = space_of(actors[who].tid);
	name_space(subject_mm, name);
}

static void
lodger_in(unsigned cpu)
{
	long error = lodger_guest(LODGER_GUEST_RUN, cpu);

	if (error != 0)
		printf("borrow: no guest on CPU %u: %s\n", cpu,
		       strerror(-error));
	check(error == 0, "the kernel thread did not come");
}

static void
lodger_out(unsigned cpu)
{
	check(lodger_guest(LODGER_GUEST_LEAVE, cpu) == 0,
	      "the kernel thread did not leave");
}

static void
let_go(unsigned cpu)
{
	lodger_hold(cpu, LODGER_HOLD_NONE);
}

static void
hold_at(unsigned cpu, enum lodger_hold_point point)
{
	check(lodger_hold(cpu, point) == 0, "the kernel cannot hold a task");
}

/* ---- Chapter 1: three threads and a lodger ---------------------------- */

static void
story_begins(void)
{
	struct picture seen;

	start_story();
	observe("A", A1);
	step("A process with three threads",
	     (struct expected){ 3, 1, "A1", "A", "A2", "A" },
"     Three users live in A (A3 sleeps). All users together hold one count.");

	lodger_in(LEFT);
	seen = step("A kernel thread runs on CPU 1",
		    (struct expected){ 3, 2, "lodger", "A", "A2", "A" },
"     It has no address space, so it borrows the one it finds: CR3 is not\n"
"     written, count is. A1 only waits for its turn: it is still a user.");
	check(seen.cpus[LEFT].cr3_new == 0, "CPU 1 has written CR3");
}

static void
threads_leave(void)
{
	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A2, EXIT);
	step("A2 exits, and is caught in its last moment",
	     (struct expected){ 2, 3, "lodger", "A", "A2, dead", "A" },
"     It is no user any more, but its CPU still stands on A's root: a dead\n"
"     task is a borrower until it has been switched away from.");

	tell(A3, SPIN);
	let_go(RIGHT);
	step("CPU 2 goes on to A3",
	     (struct expected){ 2, 2, "lodger", "A", "A3", "A" },
"     The dead task's borrow was dropped after the switch, on A3's stack.");

	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A3, EXIT);
	step("A3 exits the same way",
	     (struct expected){ 1, 3, "lodger", "A", "A3, dead", "A" },
"     One user (A1), and two who only stand there: lodger and dead A3.");

	move_to_cpu(actors[A1].tid, RIGHT);
	let_go(RIGHT);
	step("CPU 2 goes on to A1, which has moved over",
	     (struct expected){ 1, 2, "lodger", "A", "A1", "A" },
"     A1 left CPU 1, the lodger there did not notice: its borrow is its own.");
}

static void
last_exit(void)
{
	uint64_t before = free_frames(), used = user_frames();
	struct picture seen;
	int64_t back;

	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A1, EXIT);
	seen = step("A1 exits: the last user is gone",
		    (struct expected){ 0, 2, "lodger", "A", "A1, dead", "A" },
"     users is 0: all pages and user page tables go back, now. Both CPUs were\n"
"     told first, since the machine itself may walk freed tables. Both still\n"
"     stand on A's root, and hold a count: root and struct stay. A zombie.");
	back = free_frames() - before;
	printf("     Free frames: %llu before, %llu now: %lld came back.\n",
	       (unsigned long long)before,
	       (unsigned long long)(before + back), (long long)back);
	check(seen.torn_down && seen.resident == 0,
	      "users is 0, and A still has pages");
	/* Free frames come and go for other reasons too: look at pages. */
	check(used >= user_frames() + OWN_PAGES,
	      "A's pages did not come back");

	tell(C, SPIN);
	let_go(RIGHT);
	step("CPU 2 goes on to C, another process",
	     (struct expected){ 0, 1, "lodger", "A", "C", "C" },
"     Nobody lives in A, nothing is mapped in it, and it cannot be freed:\n"
"     somebody lodges there. This is why one counter is not enough.");

	tell(D, SPIN);
	lodger_out(LEFT);
	step("CPU 1 goes on to D: the lodger has left",
	     (struct expected){ 0, 0, "D", "D", "C", "C" },
"     The last count was dropped after the switch to D's root: struct and\n"
"     root are freed. The kernel knows no address space with A's id.");
}

/* ---- Chapter 2: vfork ------------------------------------------------- */

static void
story_of_vfork(void)
{
	struct picture seen;

	start_process(E, LEFT, SPIN);
	observe("E", E);
	step("A process with one thread",
	     (struct expected){ 1, 1, "E", "E", NULL, NULL },
"     One user, one count: the plain case.");

	actors[F].command = SPIN;
	tell(E, VFORK);
	wait_alive(F);
	step("E vforks F",
	     (struct expected){ 2, 1, "F", "E", NULL, NULL },
"     Two processes, one address space. E sleeps until F has let go of it.");

	tell(E, SLEEP);
	tell(F, EXEC);
	while (space_of(actors[F].tid) == subject_mm)
		sched_yield();
	name_space(space_of(actors[F].tid), "F");
	step("F execs",
	     (struct expected){ 1, 1, "F", "F", NULL, NULL },
"     F took a new address space into use (1/1) and left E's: no borrow,\n"
"     since CR3 was moved before the old one was put.");

	kill(actors[F].tid, SIGKILL);
	tell(E, REAP);
	/* E may run before F has ended, and F is not to be held below. */
	wait_reaped(F);
	step("F is killed, E runs again",
	     (struct expected){ 1, 1, "E", "E", NULL, NULL },
"     vfork's wait ended when F called exec, long before F ended.");

	hold_at(LEFT, LODGER_HOLD_DEAD);
	actors[F].command = EXIT;
	tell(E, VFORK);
	step("E vforks again, and the child exits at once",
	     (struct expected){ 1, 2, "F, dead", "E", NULL, NULL },
"     E was woken before F gave up its use; now dead F only borrows.");

	let_go(LEFT);
	seen = step("CPU 1 goes back to E",
		    (struct expected){ 1, 1, "E", "E", NULL, NULL },
"     The same root all the time: CR3 was not written.");
	check(seen.cpus[LEFT].cr3_new == 0, "CPU 1 has written CR3");
	tell(E, EXIT);
}

/* ---- Chapter 3: exec under a lodger's feet ---------------------------- */

static void
story_of_exec(void)
{
	start_process(G, RIGHT, SPIN);
	observe("G", G);
	step("A process on CPU 2",
	     (struct expected){ 1, 1, NULL, NULL, "G", "G" },
"     The plain case again, on the other CPU.");

	lodger_in(RIGHT);
	move_to_cpu(actors[G].tid, LEFT);
	step("A kernel thread borrows on CPU 2, G moves to CPU 1",
	     (struct expected){ 1, 2, "G", "G", "lodger", "G" },
"     The same root on two CPUs: one lives in it, one only lodges.");

	tell(G, EXEC);
	while (space_of(actors[G].tid) == subject_mm)
		sched_yield();
	name_space(space_of(actors[G].tid), "new G");
	step("G execs",
	     (struct expected){ 0, 1, "G", "new G", "lodger", "G" },
"     G is alive and well in a new address space. Its old one is a zombie:\n"
"     contents gone, root and struct kept for the lodger.");

	tell(C, SPIN);
	lodger_out(RIGHT);
	step("CPU 2 goes on to C",
	     (struct expected){ 0, 0, "G", "new G", "C", "C" },
"     Freed, while the process that once lived there runs on.");
	kill(actors[G].tid, SIGKILL);
	tell(C, SLEEP);
}

/* ---- Chapter 4: adoption ---------------------------------------------- */

static int
find_kthread(const char *name)
{
	enum { MAX_TASKS = 256 };
	int tids[MAX_TASKS];
	long n = lodger_task_list(tids, MAX_TASKS);
	struct lodger_task_stat stat;

	for (long i = 0; i < n && i < MAX_TASKS; i++)
		if (lodger_task_stat(tids[i], &stat) == 0 && stat.is_kthread &&
		    strcmp(stat.name, name) == 0)
			return stat.tid;
	check(false, "there is no such kernel thread");
	return 0;
}

static void
story_of_adoption(void)
{
	struct picture seen;

	move_to_cpu(find_kthread("prefaulter"), RIGHT);
	start_process(H, LEFT, SPIN);
	observe("H", H);
	step("A process on CPU 1",
	     (struct expected){ 1, 1, "H", "H", "idle", NULL },
"     It is about to ask for 256 pages at once: madvise(POPULATE_WRITE).");

	hold_at(RIGHT, LODGER_HOLD_ADOPTED);
	tell(H, POPULATE);
	step("The prefaulter has adopted H, on CPU 2",
	     (struct expected){ 2, 3, "idle", "H", "prefaulter", "H" },
"     A kernel thread that must touch user memory may not just borrow. It\n"
"     takes a use (users 2) and a count of its own; H sleeps, and CPU 1's\n"
"     idle thread borrows what H left loaded: the third count.");

	let_go(RIGHT);
	seen = step("The work is done, H runs again",
		    (struct expected){ 1, 2, "H", "H", "idle", "H" },
"     The use is given back. The adoption became a plain borrow, and CPU 2's\n"
"     idle thread has it now, handed over without any counter operation.");
	printf("     H has %llu pages.\n", (unsigned long long)seen.resident);
	check(seen.resident >= OWN_PAGES, "H's pages are not there");

	tell(C, SPIN);
	step("CPU 2 goes on to C",
	     (struct expected){ 1, 1, "H", "H", "C", "C" },
"     Idle borrows as any kernel thread does, and gives back as they do.");

	tell(D, SPIN);
	tell(H, EXIT);
	step("H exits, CPU 1 goes on to D",
	     (struct expected){ 0, 0, "D", "D", "C", "C" },
"     Contents, root and struct: all gone.");
}

/* ---- The frame -------------------------------------------------------- */

enum { MAX_OTHERS = 64 };

/* Tasks of other programs, which are kept off the stage meanwhile: a server that
 * is needed, say, to print this would take an actor's place. */
static struct {
	int tid;
	cpu_set_t set;
} others[MAX_OTHERS];
static unsigned nr_others;
static int observer;

static void
keep_off(int tid)
{
	cpu_set_t set;

	if (sched_getaffinity(tid, sizeof(set), &set) < 0)
		return; /* it has ended */
	others[nr_others].tid = tid;
	others[nr_others].set = set;
	CPU_CLR(LEFT, &set);
	CPU_CLR(RIGHT, &set);
	if (sched_setaffinity(tid, sizeof(set), &set) == 0)
		nr_others++;
}

static void
clear_the_stage(void)
{
	enum { MAX_TASKS = 256 };
	int tids[MAX_TASKS];
	long n = lodger_task_list(tids, MAX_TASKS);
	struct lodger_task_stat stat;

	for (long i = 0; i < n && i < MAX_TASKS && nr_others < MAX_OTHERS; i++)
		if (lodger_task_stat(tids[i], &stat) == 0 &&
		    !stat.is_kthread && stat.pid != observer)
			keep_off(stat.tid);
}

/* However the story ends, nobody stays on the stage who would spin there for
 * ever, and the others may use it again. */
static void
leave_the_stage(void)
{
	if (getpid() != observer)
		return;
	clean_up();
	for (unsigned i = 0; i < nr_others; i++)
		sched_setaffinity(others[i].tid, sizeof(others[i].set),
				  &others[i].set);
}

static void
interrupted(int signal)
{
	leave_the_stage();
	_exit(128 + signal);
}

static void
set_the_stage(void)
{
	struct lodger_sys_stat stat;

	lodger_or_skip();
	lodger_sys_stat(&stat);
	if (stat.nr_cpus < MIN_CPUS) {
		printf("borrow: needs %d CPUs, this machine has %u. "
		       "Try: make run CPUS=4\n", MIN_CPUS, stat.nr_cpus);
		exit(77);
	}
	nr_cpus = stat.nr_cpus < MAX_SHOWN_CPUS ? stat.nr_cpus : MAX_SHOWN_CPUS;
	if (isatty(1)) {
		bold = "\033[1m";
		plain = "\033[0m";
	}
	actors = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (actors == MAP_FAILED) {
		perror("borrow: mmap");
		exit(1);
	}
	observer = getpid();
	atexit(leave_the_stage);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	clear_the_stage();
	move_to_cpu(0, OBSERVER_CPU);
	name_space(0, "kernel");
	name_space(space_of(getpid()), "observer");
	start_process(C, RIGHT, SLEEP);
	name_space(space_of(actors[C].tid), "C");
	start_process(D, LEFT, SLEEP);
	name_space(space_of(actors[D].tid), "D");
	look(0, &last_picture);
}

/* C and D are wanted on the stage only to take a CPU over. */
static void
neighbours_sleep(void)
{
	tell(C, SLEEP);
	tell(D, SLEEP);
}

static void
wait_for_all(void)
{
	tell(C, EXIT);
	tell(D, EXIT);
	while (wait(NULL) > 0)
		;
}

static void
introduction(void)
{
	printf("%sWho holds an address space?%s\n\n"
"An address space has two counters, printed as U/C:\n"
"  users (U)  how many live in it: its threads. At 0 its contents go.\n"
"  count (C)  how many keep its root and struct: 1 for all users together,\n"
"             1 for each kernel thread that borrows it. At 0 all is freed.\n"
"\nEvery figure below was read from the kernel at that moment.\n",
	       bold, plain);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "spin") == 0)
		for (;;)
			__builtin_ia32_pause();
	set_the_stage();
	introduction();

	chapter("1. Three threads and a lodger");
	story_begins();
	threads_leave();
	last_exit();
	neighbours_sleep();

	chapter("2. vfork: two processes in one address space");
	story_of_vfork();

	chapter("3. exec: out of a house in which somebody lodges");
	story_of_exec();

	chapter("4. Adoption: a kernel thread with a real address space");
	story_of_adoption();

	wait_for_all();
	printf("\nAll %u steps were as expected.\nborrow: PASS\n", step_nr);
	return 0;
}
