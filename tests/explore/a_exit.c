/* Adversarial: last users, last borrowers, at the worst moment. */
#include "tests/explore/scenario.h"

SCENARIO(three_threads_exit_at_once, 3,
	 "of three that exit at the same instant one tears down, and one "
	 "frees")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *A3 = thread("A3", A);

	on(0, to(A));
	on(1, to(A2));
	on(2, to(A3));
	given();
	on(0, exits());
	on(1, exits());
	on(2, exits());
}

SCENARIO(last_exit_under_two_lazy_cpus, 3,
	 "two idle CPUs stand on a root whose last user exits on a third: "
	 "they are told of the freed tables, and the last one frees")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *A3 = thread("A3", A), *D = user("D");

	on(0, to(A));
	on(1, to(A2), exits(), to(IDLE));
	on(2, to(A3), exits(), to(IDLE));
	given();
	on(0, exits());
	on(1, to(D));
}

SCENARIO(last_exit_while_a_cpu_becomes_lazy, 2,
	 "the borrow of a switch comes before the user's own reference goes")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");
	struct actor *D = user("D");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, exits(), to(D));
	on(1, to(K), to(A2), exits());
}

SCENARIO(hand_over_against_exit, 2,
	 "a borrow handed on from one kernel thread to the next keeps the "
	 "root of a process that dies meanwhile")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *D = user("D");
	struct actor *K = kthread("K"), *K2 = kthread("K2");

	on(0, to(A), to(K));
	on(1, to(A2));
	given();
	on(1, to(A));
	given();
	on(0, to(K2), to(IDLE), to(D));
	on(1, exits(), to(A2), exits(), to(IDLE));
}

SCENARIO(a_borrower_migrates, 2,
	 "a kernel thread leaves its borrow behind when it goes to another CPU")
{
	struct actor *A = user("A"), *B = user("B"), *K = kthread("K");

	on(0, to(A), to(K));
	on(1, to(B));
	given();
	on(0, to(A), exits(), to(IDLE));
	on(1, to(K), exits(), to(B), exits());
}

SCENARIO(exit_follows_a_thread_to_another_cpu, 2,
	 "a task that moves while its borrow is still parked, and exits")
{
	struct actor *A = user("A"), *B = user("B"), *K = kthread("K");

	on(0, to(B), to(K), to(A));
	given();
	on(0, to(K), to(B));
	on(1, to(A), exits(), to(IDLE));
}

SCENARIO(exit_against_fork_by_a_sibling, 2,
	 "one thread forks while the other one exits")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, forks(C), exits(), to(C));
	on(1, exits(), to(IDLE));
}

SCENARIO(failing_fork_against_exit_of_a_sibling, 2,
	 "a fork without memory lets go of what it had, while the other "
	 "thread exits")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *F = unborn("F");

	failures(1);
	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, forks(F));
	on(1, exits());
}

SCENARIO(fork_against_kill, 2,
	 "a parent that is killed gets no child, and keeps nothing of it")
{
	struct actor *A = user("A"), *C = unborn("C"), *K = kthread("K");

	on(0, to(A));
	on(1, to(K));
	given();
	on(0, forks(C));
	on(1, kills(A));
}

SCENARIO(vfork_child_exits_at_once, 2,
	 "a child that runs before its parent waits has somebody to tell")
{
	struct actor *A = user("A"), *V = unborn("V");

	on(0, to(A));
	given();
	on(0, vforks(V));
	on(1, to(V), exits());
}

/* The parent waits already: how it comes to that is explored above. */
SCENARIO(vfork_child_exits_while_the_parent_is_killed, 3,
	 "a parent that gives up waiting is not completed any more")
{
	struct actor *A = user("A"), *K = kthread("K"), *V = unborn("V");

	on(0, to(A));
	on(2, to(K));
	given();
	on(0, vforks(V));
	on(1, to(V));
	given();
	on(1, exits());
	on(2, kills(A));
}

SCENARIO(vfork_child_execs_while_the_parent_is_killed, 2,
	 "the same with the child's exec, which ends the wait as well")
{
	struct actor *A = user("A"), *K = kthread("K"), *V = unborn("V");

	on(0, to(A));
	on(1, to(K));
	given();
	on(0, vforks(V), execs("V'"), to(A), exits());
	on(1, kills(A));
}
