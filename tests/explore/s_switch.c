/* S1 to S3, S8: switches, borrows, threads. */
#include "tests/explore/scenario.h"

SCENARIO(s01_boot_and_first_switches, 2,
	 "user to user never counts; an idle CPU borrows init_mm")
{
	struct actor *A = user("A"), *B = user("B");

	on(0, to(A), to(B), to(A));
}

SCENARIO(s02_borrow_return_hand_over, 1,
	 "a kernel thread borrows, hands over, and the borrow goes back")
{
	struct actor *A = user("A"), *B = user("B");
	struct actor *K = kthread("K"), *K2 = kthread("K2");

	on(0, to(A), to(K), to(A), to(K), to(K2), to(B));
}

SCENARIO(s03_threads, 1,
	 "threads share one mm; one that dies is a borrower for a moment")
{
	struct actor *A = user("A"), *A2 = unborn("A2"), *A3 = unborn("A3");

	on(0, to(A), clones(A2), clones(A3), to(A2), exits(), to(A), to(A3),
	   exits(), to(A));
}

SCENARIO(s08_kernel_threads_come_and_go, 1,
	 "a zombie is handed from borrower to borrower and freed once")
{
	struct actor *A = user("A"), *D = user("D"), *K = kthread("K");
	struct actor *K2 = kthread("K2"), *K3 = kthread("K3");

	on(0, to(A), exits(), to(IDLE), to(K), exits(), to(IDLE), to(K2),
	   exits(), to(IDLE), to(D), to(K3), exits(), to(D));
}
