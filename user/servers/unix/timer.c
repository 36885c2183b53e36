/* A binary heap in an array; timers know their place in it. */
#include "user/servers/unix/timer.h"

#include <errno.h>
#include <string.h>

static struct timer **heap; /* 1-based */
static unsigned used, size;

static void
put(unsigned place, struct timer *timer)
{
	heap[place] = timer;
	timer->place = place;
}

/* Moves a timer that may be too early for its place. */
static void
rise(unsigned place, struct timer *timer)
{
	while (place > 1 && heap[place / 2]->deadline > timer->deadline) {
		put(place, heap[place / 2]);
		place /= 2;
	}
	put(place, timer);
}

static void
sink(unsigned place, struct timer *timer)
{
	for (;;) {
		unsigned child = place * 2;

		if (child < used &&
		    heap[child + 1]->deadline < heap[child]->deadline)
			child++;
		if (child > used || heap[child]->deadline >= timer->deadline)
			break;
		put(place, heap[child]);
		place = child;
	}
	put(place, timer);
}

static int
grow_heap(void)
{
	unsigned bigger = size ? size * 2 : 64;
	struct timer **copy;

	if (used + 1 < size)
		return 0;
	copy = os_alloc(bigger * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (heap) {
		memcpy(copy, heap, size * sizeof(*copy));
		os_free(heap, size * sizeof(*heap));
	}
	heap = copy;
	size = bigger;
	return 0;
}

int
timer_set(struct timer *timer, u64 deadline)
{
	int err = timer->place ? 0 : grow_heap();

	if (err)
		return err;
	timer_cancel(timer);
	timer->deadline = deadline;
	rise(++used, timer);
	return 0;
}

void
timer_cancel(struct timer *timer)
{
	unsigned place = timer->place;
	struct timer *last;

	if (!place)
		return;
	timer->place = 0;
	last = heap[used--];
	if (last == timer)
		return;
	if (place > 1 && heap[place / 2]->deadline > last->deadline)
		rise(place, last);
	else
		sink(place, last);
}

u64
timers_next(void)
{
	return used ? heap[1]->deadline : OS_NEVER;
}

void
timers_run(u64 now)
{
	while (used && heap[1]->deadline <= now) {
		struct timer *timer = heap[1];

		timer_cancel(timer);
		timer->fire(timer);
	}
}
