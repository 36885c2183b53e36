// cpus=1,2,4 timeout=120
/* Calls that mean no good, about handles and messages: random numbers, rights,
 * sizes, addresses and timeouts, from many threads of several processes that
 * know each other's endpoints. Each call returns; nothing is left behind. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum { PROCESSES = 3, THREADS = 3, CALLS = 2500, NUMBERS = 24 };

static _Atomic long *outcomes; /* how many succeeded, how many failed */
static char *area;	       /* 4 pages, the third read-only; then nothing */

static uint64_t
any_address(uint64_t *random)
{
	switch (draw(random, 8)) {
	case 0:
		return 0;
	case 1:
		return 0x10000000000; /* not mapped */
	case 2:
		return 0xffffffff80100000; /* the kernel's */
	case 3:
		return 0x8000000000000000;
	case 4:
		return (uint64_t)area + 2 * PAGE; /* read-only */
	case 5:
		return (uint64_t)area + 4 * PAGE - draw(random, 64);
	default:
		return (uint64_t)area + draw(random, PAGE);
	}
}

static uint64_t
any_length(uint64_t *random)
{
	static const uint64_t lengths[] = { 0, 1, 8, PAGE, PAGE + 1, 65536,
					    65537, 1ul << 40, ~0ul };

	return lengths[draw(random, sizeof(lengths) / sizeof(lengths[0]))];
}

static unsigned
any_handle(uint64_t *random)
{
	return draw(random, 20) ? draw(random, NUMBERS)
				: (unsigned)draw(random, 1ul << 32);
}

static struct lodger_message
any_message(uint64_t *random)
{
	struct lodger_message message = {
		.send_buf = any_address(random), .send_len = any_length(random),
		.recv_buf = any_address(random), .recv_len = any_length(random),
		.nr_send = draw(random, 6), .nr_recv = draw(random, 6),
	};

	if (draw(random, 2))
		message.send_len = message.recv_len = draw(random, 100);
	for (int i = 0; i < LODGER_MESSAGE_HANDLES; i++)
		message.send_handles[i] = any_handle(random);
	return message;
}

static long
one_message(uint64_t *random)
{
	struct lodger_message message = any_message(random);
	struct ipc ipc = { .timeout = draw(random, MILLISECOND) };
	long number = LODGER_call + draw(random, 5);

	if (draw(random, 3))
		ipc.message = draw(random, 10) ? &message
					       : (void *)any_address(random);
	return ipc_syscall(number,
			   ipc_target(any_handle(random), draw(random, 1ul << 32)),
			   any_handle(random), &ipc);
}

/* What unmaps, or what ends this program, is left to others. */
static long
other_call(uint64_t *random)
{
	unsigned handle = any_handle(random);

	switch (draw(random, 14)) {
	case 0:
		return lodger_handle_close(handle);
	case 1:
		return lodger_handle_duplicate(handle, draw(random, 1 << 12),
					       draw(random, 4));
	case 2:
		return lodger_handle_stat(handle, (void *)any_address(random));
	case 3:
		return lodger_handle_give((int)draw(random, 100), handle);
	case 4:
		return lodger_endpoint_create();
	case 5:
		return lodger_notification_create();
	case 6:
		return lodger_signal(handle, draw(random, 1ul << 32));
	case 7:
		return lodger_bind(handle, any_handle(random));
	case 8:
		return lodger_mm_create();
	case 9:
		return lodger_mm_read(handle, any_address(random),
				      (void *)any_address(random),
				      any_length(random));
	case 10:
		return lodger_mm_write(handle, any_address(random),
				       (void *)any_address(random),
				       any_length(random));
	case 11:
		return lodger_mm_info(handle, (void *)any_address(random));
	case 12:
		return lodger_mm_exec(handle, 1ul << 63, any_address(random), NULL);
	default:
		return lodger_set_priority(draw(random, 2), draw(random, 40));
	}
}

/* A mm handle that cannot change what is mapped. */
static void
open_harmlessly(void)
{
	long handle = lodger_mm_open();

	if (handle < 0)
		return;
	lodger_handle_duplicate(handle, LODGER_RIGHT_READ | LODGER_RIGHT_STAT |
				LODGER_RIGHT_TRANSFER, 0);
	lodger_handle_close(handle);
}

static void *
call_at_random(void *seed)
{
	uint64_t random = (uint64_t)seed;

	for (int i = 0; i < CALLS; i++) {
		long result = draw(&random, 2) ? one_message(&random)
					       : other_call(&random);

		outcomes[result < 0]++;
		if (draw(&random, 50) == 0)
			open_harmlessly();
	}
	return NULL;
}

static int seed_of_child;

static int
hostile_process(unsigned handle)
{
	pthread_t threads[THREADS];

	(void)handle;
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_at_random,
			       (void *)(seed_of_child * 100 + i + 1));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void
hostilities(void *seed)
{
	unsigned endpoint = lodger_endpoint_create();
	pid_t pids[PROCESSES];
	bool all_end = true;

	area = private_memory(40 * PAGE);
	mprotect(area + 4 * PAGE, 36 * PAGE, PROT_NONE);
	mprotect(area + 2 * PAGE, PAGE, PROT_READ);
	for (int i = 0; i < PROCESSES; i++) {
		seed_of_child = *(uint64_t *)seed % 1000 * PROCESSES + i;
		pids[i] = child_with(
			lodger_handle_duplicate(endpoint, LODGER_RIGHT_CALL |
						LODGER_RIGHT_RECV |
						LODGER_RIGHT_DUPLICATE |
						LODGER_RIGHT_TRANSFER, 0),
			hostile_process);
	}
	lodger_handle_close(endpoint);
	for (int i = 0; i < PROCESSES; i++)
		all_end &= status_of(pids[i]) == 0;
	check(all_end, "hostile processes end");
	_exit(wrong_results ? 1 : 0);
}

int
main(int argc, char **argv)
{
	uint64_t seed = storm_seed(argc, argv), next = seed + 1000;

	begin_counted();
	outcomes = shared_memory(PAGE);
	twice_leaves_nothing(hostilities, &seed, &next);
	check(outcomes[0] > 1000 && outcomes[1] > 1000,
	      "many succeeded, many failed");
	fprintf(stderr, "%ld succeeded, %ld failed\n", outcomes[0],
		outcomes[1]);
	return end();
}
