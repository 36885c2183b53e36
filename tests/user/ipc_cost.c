// cpus=1,2,4 timeout=60 icount=0
/* What a short call touches, counted by the kernel: two switches a round trip;
 * CR3 only between address spaces; no counter of an address space, ever; no
 * other CPU, since the server comes to where its caller is. Time is counted in
 * instructions: a busy host must not make a turn shorter than it is. */
#include "tests/user/partners.h"

enum { ROUNDS = 1000 };

static unsigned endpoint;

static int
null_server(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;
	long got = ipc_recv(handle, &ipc);

	while (got > 0 && ipc_label(got) == 0)
		got = ipc_reply_recv(ipc_reply_handle(got), 0, handle, &ipc);
	return ipc_reply(ipc_reply_handle(got), 0, &ipc) == 0 ? 0 : 1;
}

static void *
null_thread(void *unused)
{
	(void)unused;
	return (void *)(long)null_server(endpoint);
}

/* All CPUs together. */
static void
count(uint64_t counts[NR_COUNTERS])
{
	struct lodger_sys_stat sys;
	struct lodger_cpu_stat cpu;

	lodger_sys_stat(&sys);
	memset(counts, 0, NR_COUNTERS * sizeof(*counts));
	for (unsigned i = 0; i < sys.nr_cpus; i++) {
		lodger_cpu_stat(i, &cpu);
		for (int c = 0; c < NR_COUNTERS; c++)
			counts[c] += cpu.counts[c];
	}
}

static void
call_often(struct ipc *ipc, int times)
{
	for (int i = 0; i < times; i++)
		ipc_call(endpoint, 0, ipc);
}

/* Something else may happen meanwhile, now and then: ticks, the checker. */
static void
check_about(long seen, long expected, const char *what)
{
	if (seen < expected || seen > expected + ROUNDS / 20)
		check_equal(seen, expected, what);
	else
		check(true, what);
}

static void
measure(long cr3_writes)
{
	uint64_t before[NR_COUNTERS], after[NR_COUNTERS];
	struct ipc ipc = WORDS_ALONE;

	call_often(&ipc, 10);
	count(before);
	call_often(&ipc, ROUNDS);
	count(after);
	for (int c = 0; c < NR_COUNTERS; c++)
		after[c] -= before[c];
	check_about(after[COUNT_SWITCHES], 2 * ROUNDS, "two switches a call");
	check_about(after[COUNT_CR3_WRITES], cr3_writes, "writes of CR3");
	check_about(after[COUNT_MM_ATOMICS], 0, "counters of address spaces");
	check_about(after[COUNT_IPIS_RESCHED], 0, "interrupts to other CPUs");
	check_about(after[COUNT_IPIS_TLB], 0, "shootdowns");
	check_equal(ipc_call(endpoint, 1, &ipc), 0, "the server ends");
}

static int
cpu_of(int tid)
{
	struct lodger_task_stat stat = { 0 };

	lodger_task_stat(tid, &stat);
	return stat.cpu;
}

static void
run_on(int tid, unsigned cpu)
{
	uint64_t mask = 1ul << cpu;

	if (syscall3(SYS_sched_setaffinity, tid, sizeof(mask), (long)&mask))
		check(false, "sched_setaffinity");
}

static struct call recv;

static void *
tell_tid_and_serve(void *unused)
{
	recv.tid = (int)syscall0(SYS_gettid);
	return null_thread(unused);
}

/* From where it waits to where it is called; unless it may not go there. */
static void
the_server_comes(void)
{
	struct ipc ipc = WORDS_ALONE;
	unsigned nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), here = 0;
	pthread_t thread;
	bool comes = true;

	recv.tid = 0;
	pthread_create(&thread, NULL, tell_tid_and_serve, NULL);
	wait_until_asleep(&recv.tid);
	for (int i = 0; i < 8; i++) {
		here = i % nr_cpus;
		run_on(0, here);
		ipc_call(endpoint, 0, &ipc);
		comes &= cpu_of(recv.tid) == (int)here;
	}
	check(comes, "a waiting server is taken to its caller's CPU");
	run_on(recv.tid, 0);
	run_on(0, nr_cpus - 1);
	ipc_call(endpoint, 0, &ipc);
	check_equal(cpu_of(recv.tid), 0, "where its affinity allows");
	ipc_call(endpoint, 1, &ipc);
	pthread_join(thread, NULL);
}

static _Atomic int third_ran;

static void *
third(void *unused)
{
	(void)unused;
	third_ran = 1;
	return NULL;
}

static uint64_t
ticks(void)
{
	struct lodger_cpu_stat cpu = { 0 };

	lodger_cpu_stat(0, &cpu);
	return cpu.counts[COUNT_TICKS];
}

/* All on one CPU: two who hand it to each other pass on what is left of their
 * turn of two ticks, not a fresh one each time. */
static void
a_third_one_gets_its_turn(void)
{
	struct ipc ipc = WORDS_ALONE;
	pthread_t server, other;
	uint64_t start;

	run_on(0, 0);
	recv.tid = 0;
	pthread_create(&server, NULL, tell_tid_and_serve, NULL);
	wait_until_asleep(&recv.tid);
	pthread_create(&other, NULL, third, NULL);
	start = ticks();
	while (!third_ran && ticks() - start <= 4)
		ipc_call(endpoint, 0, &ipc);
	check(third_ran, "two who talk leave a third one its turn");
	ipc_call(endpoint, 1, &ipc);
	pthread_join(server, NULL);
	pthread_join(other, NULL);
}

int
main(void)
{
	pthread_t thread;
	pid_t pid;

	lodger_or_skip();
	begin();
	endpoint = lodger_endpoint_create();
	pid = child_with(duplicate(endpoint, LODGER_RIGHT_RECV |
				   LODGER_RIGHT_TRANSFER, 0), null_server);
	puts("two address spaces");
	measure(2 * ROUNDS);
	check_equal(status_of(pid), 0, "with 0");
	pthread_create(&thread, NULL, null_thread, NULL);
	puts("one address space");
	measure(0);
	pthread_join(thread, NULL);
	the_server_comes();
	a_third_one_gets_its_turn();
	return end();
}
