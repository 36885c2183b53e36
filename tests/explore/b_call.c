/*
 * A CPU that is handed over from a caller to its server and back, without a wake-up:
 * switch_to_sleeper(); and one that somebody leaves who waits for a notification:
 * switch_to_next(). Of messages that is the scheduler's part, in the shape that
 * kernel/ipc/fast.c has; messages themselves are not part of the explorer. Whoever
 * gets the CPU this way borrows or returns like anybody else.
 */
#include "kernel/base/spinlock.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "tests/explore/play.h"

static struct actor *A, *W;
static struct spinlock lock;
static bool asked RESTORED, answered RESTORED;

/* The lock is held, interrupts off; both end here. */
static void
go_to(struct task *next)
{
	switch_to_sleeper(next, &lock);
	arch_irq_enable();
}

static void
take_lock(void)
{
	arch_irq_disable();
	spin_lock(&lock);
}

/* The lock is held: who changes what current waits for comes after that. */
static void
sleep_unlocked(void)
{
	set_current_state(TASK_SLEEPING);
	spin_unlock(&lock);
	arch_irq_enable();
	schedule();
}

static void
calls_W(void)
{
	take_lock();
	asked = true;
	go_to(W->task);
	for (;;) {
		take_lock();
		if (answered)
			break;
		sleep_unlocked();
	}
	answered = false;
	spin_unlock(&lock);
	arch_irq_enable();
}

/* The server's life. */
static void
serves(void)
{
	for (;;) {
		take_lock();
		if (asked) {
			asked = false;
			answered = true;
			go_to(A->task);
		} else {
			sleep_unlocked();
		}
	}
}

static void
begins_to_serve(void)
{
	spin_init(&lock, "call", RANK_IPC);
	A = user("A");
	W = worker("W", serves);
}

SCENARIO(call_and_reply, 1,
	 "who is called borrows, and returns it with the reply")
{
	begins_to_serve();
	on(0, to(A), wakes(W), calls(calls_W, "calls W"),
	   calls(calls_W, "calls W"));
}

SCENARIO(call_against_wake_up, 2,
	 "a server that is called and woken at once is on one list")
{
	begins_to_serve();
	real_idle();
	on(0, to(A), wakes(W));
	on(1, to(user("B")));
	given();
	on(0, calls(calls_W, "calls W"), to(IDLE));
	on(1, wakes(W), to(IDLE));
}

static void
brings_W_here(void)
{
	sched_set_affinity(W->task, 1ul << this_cpu()->id);
	wake_up_task(W->task);
	sched_set_affinity(W->task, ~0ul);
}

SCENARIO(call_of_a_server_that_falls_asleep, 2,
	 "a server is fetched from another CPU when it has left that one's stack")
{
	begins_to_serve();
	real_idle();
	on(0, to(A));
	on(1, to(user("B")), calls(brings_W_here, "brings W here"));
	given();
	on(0, calls(calls_W, "calls W"), to(IDLE));
	on(1, to(IDLE));
}

SCENARIO(call_against_move, 2,
	 "a server that is called while it is moved runs once")
{
	begins_to_serve();
	real_idle();
	on(0, to(A), wakes(W));
	on(1, to(user("B")));
	given();
	on(0, calls(calls_W, "calls W"), to(IDLE));
	on(1, calls(brings_W_here, "brings W here"), to(IDLE));
}

SCENARIO(call_against_exit_of_a_sibling, 2,
	 "a server that borrows from its caller holds the struct alone")
{
	struct actor *A2;

	begins_to_serve();
	A2 = thread("A2", A);
	on(0, to(A), wakes(W));
	on(1, to(A2));
	given();
	on(0, calls(calls_W, "calls W"), exits(), to(IDLE));
	on(1, exits(), to(IDLE));
}

/* ---- Waiting for a notification --------------------------------------------- */

static bool signalled RESTORED;

/* As fast_wait() and ipc_sleep(). */
static void
waits(void)
{
	take_lock();
	while (!signalled && !signal_pending(current)) {
		switch_to_next(&lock);
		arch_irq_enable();
		take_lock();
	}
	signalled = false;
	spin_unlock(&lock);
	arch_irq_enable();
}

static void
signal(struct actor *who)
{
	take_lock();
	signalled = true;
	wake_up_task(who->task);
	spin_unlock(&lock);
	arch_irq_enable();
}

static void
signals_A(void)
{
	signal(A);
}

static void
may_notify(void)
{
	spin_init(&lock, "notification", RANK_IPC);
	A = user("A");
	signalled = false;
}

SCENARIO(notification_against_wait, 2,
	 "who falls asleep under the lock hears of what comes after it")
{
	may_notify();
	on(0, to(A));
	on(1, to(user("B")));
	given();
	on(0, calls(waits, "waits"));
	on(1, calls(signals_A, "signals A"));
}

SCENARIO(kill_against_wait, 2,
	 "who is killed does not fall asleep, or is woken")
{
	may_notify();
	on(0, to(A));
	on(1, to(user("B")));
	given();
	on(0, calls(waits, "waits"));
	on(1, kills(A));
}

static struct completion heard RESTORED;

static void
waits_and_tells(void)
{
	waits();
	complete(&heard);
}

static void
moves_and_signals_W(void)
{
	sched_set_affinity(W->task, 1ul << this_cpu()->id);
	signal(W);
	wait_for_completion(&heard);
}

SCENARIO(move_against_wait, 2,
	 "who falls asleep while it is told to leave wakes up elsewhere")
{
	may_notify();
	completion_init(&heard);
	W = worker("W", waits_and_tells);
	real_idle();
	on(0, to(A), wakes(W));
	on(1, to(user("B")));
	given();
	on(0, to(IDLE));
	on(1, calls(moves_and_signals_W, "moves and signals W"), to(IDLE));
}

/* ---- The borrow at these switches --------------------------------------------- */

SCENARIO(borrower_sends_while_the_owner_exits, 2,
	 "a kernel thread's message to a server ends its borrow; the owner exits "
	 "meanwhile")
{
	struct actor *K = kthread("K"), *B = user("B");

	A = user("A");
	on(0, to(B), to(A), to(K));
	given();
	on(1, to(A));
	given();
	on(0, sends_to(B));
	on(1, exits(), to(user("D")));
}

SCENARIO(borrow_handed_over_by_a_message, 2,
	 "a kernel thread's message to another one hands its borrow over; the "
	 "owner exits meanwhile")
{
	struct actor *K = kthread("K"), *K2 = kthread("K2");

	A = user("A");
	on(0, to(K2), to(A), to(K));
	given();
	on(1, to(A));
	given();
	on(0, sends_to(K2), to(user("D")));
	on(1, exits(), to(user("E")));
}

SCENARIO(owner_sends_while_a_sibling_exits, 2,
	 "the last user of an address space falls asleep, a borrower comes, and "
	 "the other user has just left")
{
	struct actor *K = kthread("K"), *A2;

	A = user("A");
	A2 = thread("A2", A);
	on(0, to(K), to(A));
	on(1, to(A2));
	given();
	on(0, sends_to(K), to(user("D")), to(A), exits());
	on(1, exits(), to(IDLE));
}

SCENARIO(borrow_of_who_waits_for_a_message, 2,
	 "who waits for a message leaves a borrower behind, or takes up its own "
	 "address space again")
{
	struct actor *K = kthread("K"), *A2;

	A = user("A");
	A2 = thread("A2", A);
	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, receives(K), receives(A), exits(), to(IDLE));
	on(1, exits(), to(user("E")));
}
