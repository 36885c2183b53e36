// linux-oracle cpus=4
/* Ten thousand processes one after another, a thousand at once. */
#include "tests/user/check.h"

enum { IN_TURN = 10000, AT_ONCE = 1000 };

static void
in_turn(void)
{
	bool good = true;

	for (int i = 0; i < IN_TURN; i++) {
		pid_t pid = fork_or_die();

		if (pid == 0)
			_exit(i % 251);
		good &= status_of(pid) == EXITED(i % 251);
	}
	check(good, "ten thousand processes one after another");
}

static void
at_once(void)
{
	_Atomic int *words = shared_memory(PAGE);
	_Atomic int *alive = &words[0], *leave = &words[1];
	int count = 0, status, good = 0;

	for (int i = 0; i < AT_ONCE; i++)
		if (fork_or_die() == 0) {
			++*alive;
			futex_wake(alive, 1);
			await_word(leave, 1);
			_exit(i % 251);
		}
	await_word(alive, AT_ONCE);
	check_equal(*alive, AT_ONCE, "a thousand processes live at once");
	signal_word(leave, 1);
	while (wait(&status) > 0) {
		count++;
		good += WIFEXITED(status);
	}
	check_equal(count, AT_ONCE, "and are all waited for");
	check_equal(good, AT_ONCE, "after they ended by themselves");
}

int
main(void)
{
	begin();
	in_turn();
	at_once();
	return end();
}
