// cpus=1,2,4 timeout=300
/* Threads and processes send each other signals as fast as they can, with
 * handlers, masks, stops, sleeps, forks and ends in between. What must come
 * out: each handler's stack and registers whole, every real-time signal that
 * was taken counted once, and no process or frame left behind. */
#include "tests/user/check.h"

#include <pthread.h>
#include <ucontext.h>

#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum { THREADS = 6, STEPS = 1500, RT = 40, ROUNDS = 400 };

static pthread_t threads[THREADS];
static _Atomic int started, ended, received, accepted, bad;
static _Thread_local volatile int in_handler;
static uint64_t seed;

static void
handler(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	volatile char frame[256];

	if (signal == RT)
		received++;
	/* Its own stack, and a frame that makes sense. */
	memset((char *)frame, signal, sizeof(frame));
	in_handler++;
	if (in_handler > 8 || info->si_signo != signal ||
	    !uc->uc_mcontext.gregs[REG_RIP])
		bad++;
	if (in_handler < 3)
		sched_yield();
	for (unsigned i = 0; i < sizeof(frame); i++)
		if (frame[i] != signal)
			bad++;
	in_handler--;
}

static void
catch_all(void)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, RT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction action = { .sa_sigaction = handler,
					    .sa_flags = SA_SIGINFO };

		if (i & 1)
			action.sa_flags |= SA_RESTART | SA_NODEFER;
		sigaction(signals[i], &action, NULL);
	}
}

static void
step(uint64_t *state)
{
	struct timespec soon = { 0, 20000 };
	pthread_t other = threads[draw(state, THREADS)];
	sigset_t set, old;
	siginfo_t info;

	switch (draw(state, 8)) {
	case 0:
		pthread_kill(other, SIGUSR1);
		break;
	case 1:
		pthread_kill(other, SIGUSR2);
		break;
	case 2:
		kill(getpid(), SIGALRM);
		break;
	case 3:
		if (sigqueue(getpid(), RT, (union sigval){ 0 }) == 0)
			accepted++;
		break;
	case 4:
		sigfillset(&set);
		pthread_sigmask(SIG_BLOCK, &set, &old);
		sched_yield();
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		break;
	case 5:
		nanosleep(&soon, NULL);
		break;
	case 6:
		sigemptyset(&set);
		sigaddset(&set, RT);
		pthread_sigmask(SIG_BLOCK, &set, &old);
		if (sigtimedwait(&set, &info, &soon) == RT)
			received++;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		break;
	case 7:
		sched_yield();
		break;
	}
}

static void *
member(void *number)
{
	uint64_t state = seed + (uint64_t)number * 977 + 1;

	started++;
	while (started < THREADS)
		sched_yield();
	for (int i = 0; i < STEPS; i++)
		step(&state);
	ended++;
	while (ended < THREADS) /* others may still mean us */
		sched_yield();
	return NULL;
}

static void
threads_at_each_other(void)
{
	catch_all();
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, member, (void *)i);
	while (ended < THREADS && lodger_check_invariants() != -ENOSYS)
		usleep(10000);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	while (received < accepted)
		sched_yield();
	check_equal(received, accepted, "each real-time signal arrived once");
	check_equal(bad, 0, "every handler was whole");
}

/* ---- A signal whose taker has masked it meanwhile ------------------------------- */

static _Atomic int round_number, handled;

static void
count(int signal)
{
	(void)signal;
	handled++;
}

/* Masks the signal, perhaps just as it was to take it, and keeps it masked
 * until somebody else has. */
static void *
masks(void *set)
{
	for (int i = 1; i <= ROUNDS; i++) {
		signal_word(&round_number, i);
		pthread_sigmask(SIG_BLOCK, set, NULL);
		while (handled < i)
			sched_yield();
		pthread_sigmask(SIG_UNBLOCK, set, NULL);
	}
	return NULL;
}

static void *
sleeps(void *unused)
{
	(void)unused;
	while (handled < ROUNDS)
		pause();
	return NULL;
}

/* Main masks it for good; so there are the two others. */
static void
masked_too_late(void)
{
	pthread_t masker, sleeper;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR1, count);
	pthread_create(&masker, NULL, masks, &set);
	pthread_create(&sleeper, NULL, sleeps, NULL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 1; i <= ROUNDS; i++) {
		await_word(&round_number, i);
		kill(getpid(), SIGUSR1);
		if (i % 16 == 0)
			lodger_check_invariants();
		while (handled < i)
			sched_yield();
	}
	pthread_kill(sleeper, SIGUSR1); /* it may have been about to sleep */
	pthread_join(masker, NULL);
	pthread_join(sleeper, NULL);
	check(handled >= ROUNDS, "a thread that masks a signal leaves it to "
				 "others");
}

/* ---- Frames on memory that comes and goes ------------------------------------------ */

enum { STACK = 4 * PAGE };

static char *stack_area;

static void *
pulls_away(void *number)
{
	uint64_t state = seed + (uint64_t)number;

	for (;;) {
		char *page = stack_area + draw(&state, 4) * PAGE;

		switch (draw(&state, 4)) {
		case 0:
			mprotect(page, PAGE, PROT_READ);
			mprotect(page, PAGE, PROT_READ | PROT_WRITE);
			break;
		case 1:
			mmap(page, PAGE, PROT_READ | PROT_WRITE,
			     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			break;
		case 2:
			madvise(page, PAGE, MADV_DONTNEED);
			break;
		default:
			*(volatile char *)page = 77; /* a byte of a frame */
			sched_yield();
		}
	}
	return NULL;
}

/* Ends somehow, sooner or later: its frames are damaged all the time. */
static void
on_shaky_ground(void *number)
{
	stack_t stack = { .ss_size = STACK };
	struct sigaction action = { .sa_handler = count,
				    .sa_flags = SA_ONSTACK };
	pthread_t thread;

	stack_area = private_memory(STACK);
	stack.ss_sp = stack_area;
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, pulls_away, number);
	for (int i = 0; i < 3000; i++)
		raise(SIGUSR1);
}

static void
shaky_ground(void)
{
	int ends = 0;

	for (long i = 0; i < 20; i++) {
		int status = in_child(on_shaky_ground, (void *)i);

		ends += WIFSIGNALED(status) || WIFEXITED(status);
	}
	check_equal(ends, 20, "frames on memory that others change harm nobody "
			      "else");
}

/* ---- Processes that stop, go on and are killed -------------------------------- */

static void *__attribute__((noreturn))
spin(void *arg)
{
	struct timespec soon = { 0, 10000 };

	(void)arg;
	for (;;) {
		nanosleep(&soon, NULL);
		sched_yield();
	}
}

static pid_t
victim(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		pthread_t thread;

		for (int i = 0; i < 2; i++)
			pthread_create(&thread, NULL, spin, NULL);
		spin(NULL);
	}
	return pid;
}

static void
stop_and_go(void)
{
	uint64_t state = seed;
	int statuses = 0;

	signal(SIGCHLD, SIG_DFL);
	for (int i = 0; i < 40; i++) {
		pid_t pid = victim();
		int status;

		for (int n = (int)draw(&state, 12); n > 0; n--) {
			kill(pid, draw(&state, 2) ? SIGSTOP : SIGCONT);
			if (draw(&state, 2))
				sched_yield();
		}
		if (draw(&state, 2)) {
			kill(pid, SIGKILL);
		} else {
			kill(pid, SIGTERM);
			kill(pid, SIGCONT);
		}
		do
			waitpid(pid, &status, WUNTRACED | WCONTINUED);
		while (WIFSTOPPED(status) || WIFCONTINUED(status));
		statuses += WIFSIGNALED(status);
	}
	check_equal(statuses, 40, "forty processes stopped, went on and ended");
}

int
main(int argc, char **argv)
{
	uint64_t tasks = tasks_now();
	long before, after;

	begin();
	seed = storm_seed(argc, argv);
	masked_too_late();
	threads_at_each_other();
	shaky_ground();
	stop_and_go();
	if (!on_lodger())
		return end();
	before = frames_at_rest(tasks);
	stop_and_go();
	shaky_ground();
	after = frames_at_rest(tasks);
	check_equal(after, before, "nothing is left behind");
	return end();
}
