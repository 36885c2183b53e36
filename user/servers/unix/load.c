/*
 * Linux looks at the number of runnable tasks every five seconds. Here somebody
 * looks when the averages are asked for, and what was found counts for the time
 * since the last look.
 */
#include "user/servers/unix/load.h"

enum { STEPS_MAX = 1000 };

static const u64 interval = 5000000000ull;

/* exp(-5/60), exp(-5/300), exp(-5/900) in units of LOAD_UNIT. */
static const u64 decay[3] = { 60296, 64453, 65173 };

static unsigned
count_running(void)
{
	static int tids[TASKS_MAX];
	long n = os_tasks(tids, TASKS_MAX);
	unsigned running = 0;

	for (long i = 0; i < MIN(n, (long)TASKS_MAX); i++) {
		struct os_task task;

		if (os_task(tids[i], &task) == 0 && !task.is_kthread)
			running += task.state == 'R';
	}
	/* The server itself runs: it is just looking. */
	return running ? running - 1 : 0;
}

void
load_averages(u64 loads[3], unsigned *running)
{
	static u64 averages[3], last;
	unsigned now_running = count_running();
	u64 steps = (os_now() - last) / interval;

	last += steps * interval;
	for (int i = 0; i < 3; i++) {
		for (u64 s = 0; s < MIN(steps, (u64)STEPS_MAX); s++)
			averages[i] = (averages[i] * decay[i] +
				       now_running * (u64)LOAD_UNIT *
					       (LOAD_UNIT - decay[i])) /
				      LOAD_UNIT;
		loads[i] = averages[i];
	}
	if (running)
		*running = now_running;
}
