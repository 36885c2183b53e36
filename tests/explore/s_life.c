/* S6, S7: fork, failed fork, vfork, exec. */
#include "tests/explore/scenario.h"

SCENARIO(s06_fork, 1, "fork makes 1/1, from whichever thread")
{
	struct actor *A = user("A"), *A2 = unborn("A2");
	struct actor *C = unborn("C"), *G = unborn("G");

	on(0, to(A), forks(C), clones(A2), to(A2), forks(G), exits(), to(A),
	   to(C), to(G));
}

SCENARIO(s06_failed_fork, 1, "a fork that fails, wherever, leaves nothing")
{
	struct actor *A = user("A"), *F = unborn("F");

	failures(1);
	on(0, to(A));
	given();
	on(0, forks(F));
}

SCENARIO(s06_vfork, 1, "vfork shares until exec or exit")
{
	struct actor *A = user("A"), *V = unborn("V"), *W = unborn("W");

	on(0, to(A), vforks(V), execs("V'"), to(A), vforks(W), exits(), to(A));
}

SCENARIO(s07_exec, 1, "exec moves a task into a new mm and puts the old one")
{
	struct actor *A = user("A"), *B = user("B");

	on(0, to(A), execs("A'"), to(B));
}

SCENARIO(s07_exec_twice, 1, "each new mm has an id that no other one had")
{
	struct actor *A = user("A");

	on(0, to(A), execs("A'"), execs("A''"));
}

SCENARIO(s07_exec_under_a_borrower, 2,
	 "the old mm of an exec stays for a kernel thread elsewhere")
{
	struct actor *A = user("A"), *D = user("D"), *K = kthread("K");

	on(0, to(A), to(K));
	on(1, to(A));
	given();
	on(0, to(D));
	on(1, execs("A'"));
}

SCENARIO(s07_exec_by_a_kernel_thread, 1,
	 "the first program: a kernel thread's exec returns its borrow")
{
	struct actor *P = first("P");

	on(0, to(P), execs("P"), exits(), to(IDLE));
}
