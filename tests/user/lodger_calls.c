/* Lodger's own calls: what they tell agrees with what this program knows of
 * itself, and wrong arguments are refused. */
#include "tests/user/check.h"

#include <pthread.h>
#include <sched.h>

#include "user/include/lodger.h"
#include "user/include/objects.h"

static struct lodger_mm_stat
own(void)
{
	struct lodger_mm_stat stat = { 0 };

	if (lodger_mm_stat(LODGER_OWN_MM, &stat) != 0)
		check(false, "mm_stat of one's own");
	return stat;
}

static void *
wait_on(void *word)
{
	await_word(word, 1);
	return NULL;
}

static void
users_are_counted(void)
{
	_Atomic int word = 0;
	pthread_t threads[3];

	check_equal(own().users, 1, "one thread is one user");
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, wait_on, &word);
	check_equal(own().users, 4, "four threads are four");
	signal_word(&word, 1);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	/* join returns a moment before the thread has left its mm. */
	while (own().users != 1)
		sched_yield();
	check(true, "and one again");
}

static void
pages_are_counted(void)
{
	uint64_t before, mapped;
	char *area = private_memory(100 * PAGE);

	/* Once for nothing: the code of all this is paged in. */
	munmap(area, 100 * PAGE);
	before = own().resident;
	mapped = own().mapped_bytes;
	area = private_memory(100 * PAGE);
	check_equal(own().mapped_bytes - mapped, 100 * PAGE,
		    "mapped bytes grow by mmap");
	check_equal(own().resident, before, "pages do not");
	for (int i = 0; i < 100; i++)
		area[i * PAGE] = 1;
	check_equal(own().resident - before, 100, "they do by touching");
	munmap(area, 100 * PAGE);
	check_equal(own().resident, before, "and go by munmap");
	check_equal(own().mapped_bytes, mapped, "with the bytes");
	check(own().tables >= 3, "there are page tables");
}

static void
ids_are_not_reused(void)
{
	struct lodger_task_stat task;
	struct lodger_mm_stat stat;
	_Atomic int *word = shared_memory(PAGE);
	uint64_t last = own().id;
	bool rising = true, gone = true;

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork_or_die();
		uint64_t id;

		if (pid == 0) {
			await_word(word, i + 1);
			_exit(0);
		}
		lodger_task_stat(pid, &task);
		id = task.mm;
		rising &= id > last && lodger_mm_stat(id, &stat) == 0;
		last = id;
		signal_word(word, i + 1);
		status_of(pid);
		/* It lives until its last borrower has gone, on some CPU. */
		lodger_quiesce();
		gone &= lodger_mm_stat(id, &stat) == -ESRCH;
	}
	check(rising, "each new address space has a new, higher id");
	check(gone, "and is unknown once it was freed");
}

static void
tasks_and_cpus(void)
{
	struct lodger_task_stat task;
	struct lodger_cpu_stat cpu;
	struct lodger_sys_stat sys;
	int tids[512];
	bool found = false, sorted = true;
	long n;

	check(lodger_task_stat(0, &task) == 0 && task.pid == getpid() &&
		      task.tid == getpid() && task.ppid == getppid(),
	      "task_stat of oneself");
	check(task.state == 'R' && task.on_cpu && !task.is_kthread,
	      "running, no kernel thread");
	check(task.mm == (int64_t)own().id && task.active_mm == task.mm,
	      "a user task's active mm is its own");
	lodger_sys_stat(&sys);
	check(task.cpu >= 0 && (unsigned)task.cpu < sys.nr_cpus,
	      "on one of the CPUs");
	n = lodger_task_list(tids, 512);
	for (long i = 0; i < n && i < 512; i++) {
		found |= tids[i] == getpid();
		sorted &= i == 0 || tids[i] > tids[i - 1];
	}
	check(found && sorted, "task_list is sorted and contains us");
	check_equal(lodger_task_list(NULL, 0), n, "and counts");
	for (unsigned i = 0; i < sys.nr_cpus; i++)
		if (lodger_cpu_stat(i, &cpu) != 0 || !cpu.online)
			check(false, "every CPU tells about itself");
	check(sys.free_frames > 0 && sys.free_frames < sys.total_frames,
	      "some frames are free, some are not");
}

static void
kernel_address_space(void)
{
	struct lodger_mm_stat stat;
	uint64_t ids[1];

	check(lodger_mm_stat(0, &stat) == 0 && stat.count >= 1,
	      "id 0 is the kernel's own");
	check(lodger_mm_list(ids, 1) >= 2 && ids[0] == 0,
	      "it comes first in the list");
	check(stat.resident == 0 && stat.regions == 0, "it has no user half");
}

/* On one CPU: each that this program leaves may borrow from it. The others may
 * still do so, and end it at any time. */
static void
a_kernel_thread_answers(void)
{
	cpu_set_t here;
	struct lodger_mm_stat before;

	CPU_ZERO(&here);
	CPU_SET(0, &here);
	check(sched_setaffinity(0, sizeof(here), &here) == 0, "stay");
	before = own();
	for (int i = 0; i < 100; i++)
		if (lodger_kthread_ping() != 0)
			check(false, "ping");
	check_equal(own().users, before.users,
		    "a hundred pings change no users");
	check(own().count <= before.count, "and leave no borrow behind");
}

static void
refusals(void)
{
	unsigned word = 0;
	unsigned ports;
	int status;
	struct lodger_mm_stat mm;
	struct lodger_cpu_stat cpu;

	show_expect("mm_stat to a bad address",
		    lodger_mm_stat(LODGER_OWN_MM, (void *)8), -EFAULT);
	show_expect("mm_stat of an unknown id",
		    lodger_mm_stat(1ul << 40, &mm), -ESRCH);
	show_expect("mm_list to a bad address",
		    lodger_mm_list((void *)8, 1), -EFAULT);
	show_expect("task_stat to a bad address",
		    lodger_task_stat(0, (void *)8), -EFAULT);
	show_expect("task_stat of nobody",
		    lodger_task_stat(0x3fffffff, (void *)8), -ESRCH);
	show_expect("task_list to a bad address",
		    lodger_task_list((void *)8, 1), -EFAULT);
	show_expect("cpu_stat of no CPU", lodger_cpu_stat(9999, &cpu),
		    -EINVAL);
	show_expect("cpu_stat to a bad address", lodger_cpu_stat(0, (void *)8),
		    -EFAULT);
	show_expect("sys_stat to a bad address", lodger_sys_stat((void *)8),
		    -EFAULT);
	show_expect("trace_control with an unknown op",
		    lodger_trace_control(99, 0), -EINVAL);
	show_expect("klog_write from a bad address",
		    lodger_klog_write((void *)8, 5), -EFAULT);
	show_expect("klog_write of nothing", lodger_klog_write("", 0), 0);
	show_expect("a guest on no CPU", lodger_guest(LODGER_GUEST_RUN, 9999),
		    -EINVAL);
	show_expect("no guest to leave", lodger_guest(LODGER_GUEST_LEAVE, 0),
		    -ESRCH);
	show_expect("hold on no CPU", lodger_hold(9999, LODGER_HOLD_DEAD),
		    -EINVAL);
	show_expect("hold at no point", lodger_hold(0, 99), -EINVAL);
	show_expect("no CPU to take offline", lodger_cpu_online(9999, false),
		    -EINVAL);
	show_expect("CPU 0 stays", lodger_cpu_online(0, false), -EBUSY);
	show_expect("and is online already", lodger_cpu_online(0, true),
		    -EBUSY);
	show_expect("an unknown call", syscall0(LODGER_CALL_END), -ENOSYS);
	show_expect("clone3", syscall3(435, 0, 0, 0), -ENOSYS);
	show_expect("rseq", syscall3(334, 0, 0, 0), -ENOSYS);
	for (int op = 6; op <= 8; op++) /* FUTEX_LOCK_PI to FUTEX_TRYLOCK_PI */
		show_expect("a futex with priority inheritance",
			    syscall3(202, (long)&word, op, 0), -ENOSYS);
	ports = lodger_resource_narrow(LODGER_ALL_PORTS, 0, 0xf4);
	show_expect("verdict with other ports", lodger_verdict(ports, 1),
		    -EPERM);
	ports = lodger_handle_duplicate(LODGER_ALL_PORTS, LODGER_RIGHT_READ, 0);
	show_expect("verdict without WRITE", lodger_verdict(ports, 1), -EPERM);
	show_expect("verdict with another handle",
		    lodger_verdict(LODGER_ALL_INTERRUPTS, 1), -EINVAL);
	if (fork() == 0)
		_exit(lodger_verdict(LODGER_ALL_PORTS, 1) == -EBADF ? 0 : 1);
	wait(&status);
	show_expect("verdict without a handle", status, 0);
}

int
main(void)
{
	lodger_or_skip();
	begin();
	check(lodger_klog_write("klog_write works\n", 17) == 17, "klog_write");
	users_are_counted();
	pages_are_counted();
	ids_are_not_reused();
	tasks_and_cpus();
	kernel_address_space();
	a_kernel_thread_answers();
	refusals();
	return end();
}
