// cpus=2,4 timeout=120
/* Processes look at every address space while others make, leave and replace
 * theirs: the one who looks is often the last user of what it looks at. */
#include "tests/user/check.h"

#include <sys/auxv.h>

#include "tests/user/rest.h"

enum { LOOKERS = 2, MAKERS = 3, ROUNDS = 60, MAX_MMS = 128 };

static _Atomic int *finished;

static void
look_at_all(void)
{
	static uint64_t ids[MAX_MMS];
	struct lodger_mm_stat stat;
	long n = lodger_mm_list(ids, MAX_MMS);

	for (long i = 0; i < n && i < MAX_MMS; i++)
		lodger_mm_stat(ids[n - 1 - i < MAX_MMS ? n - 1 - i : i], &stat);
}

static bool
exec_self(void)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { self, "exit", NULL };
	pid_t pid = fork_or_die();

	if (pid == 0) {
		execv(self, args);
		_exit(255);
	}
	return status_of(pid) == EXITED(5);
}

static void
storm(void)
{
	pid_t pids[LOOKERS + MAKERS];
	bool good = true;

	*finished = 0;
	for (int i = 0; i < LOOKERS + MAKERS; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0 && i < LOOKERS) {
			while (*finished < MAKERS)
				look_at_all();
			_exit(0);
		}
		if (pids[i] == 0) {
			for (int j = 0; j < ROUNDS; j++)
				good &= exec_self();
			++*finished;
			_exit(!good);
		}
	}
	for (int i = 0; i < LOOKERS + MAKERS; i++)
		good &= status_of(pids[i]) == EXITED(0);
	check(good, "every exec succeeds under the eyes of others");
}

int
main(int argc, char **argv)
{
	uint64_t tasks = tasks_now();
	long before;

	(void)argv;
	if (argc > 1)
		return 5;
	lodger_or_skip();
	begin();
	finished = shared_memory(PAGE);
	storm(); /* caches fill */
	before = frames_at_rest(tasks);
	storm();
	check_equal(frames_at_rest(tasks), before, "every frame is back");
	lodger_check_invariants();
	return end();
}
