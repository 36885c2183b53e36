// timeout=60
/* The log lets go of its devices: what is logged is kept and its reader told,
 * whoever logs; only who has the ports may ask for that. The test is its own
 * serial driver: what it prints comes out of a ring. */
#include "tests/user/outside.h"

enum {
	UART = 0x3f8,
	LINE_STATUS = UART + 5,
	CAN_SEND = 0x20,
	RING_SIZE = 4096,
};

static struct lodger_ring *ring;
static uint64_t position;

/* Everything new in the log goes out of the serial port. */
static void
show_log(char *copy, size_t size)
{
	char buf[1024];
	long n, kept = 0;

	while ((n = lodger_klog_read(&position, buf, sizeof(buf))) > 0) {
		for (long i = 0; i < n; i++)
			((char *)ring)[LODGER_RING_DATA + ring->head++ %
							  RING_SIZE] = buf[i];
		if (copy && kept + n < (long)size)
			memcpy(copy + kept, buf, n);
		kept += n;
		while (ring->tail != ring->head)
			lodger_ring_to_port(LODGER_ALL_PORTS, UART, LINE_STATUS,
					    CAN_SEND, CAN_SEND, 1, ring, 64);
	}
	if (copy)
		copy[kept < (long)size ? kept : (long)size - 1] = 0;
}

static void
refused(unsigned news)
{
	unsigned part = lodger_resource_narrow(LODGER_ALL_PORTS, UART, 7);
	unsigned weak = duplicate(LODGER_ALL_PORTS, LODGER_RIGHT_READ, 0);
	unsigned ears = duplicate(news, LODGER_RIGHT_WAIT, 0);

	show_expect("a part of the ports",
		    lodger_console_release(part, news, 1), -EPERM);
	show_expect("without the right",
		    lodger_console_release(weak, news, 1), -EPERM);
	show_expect("no handle", lodger_console_release(99, news, 1), -EBADF);
	show_expect("not ports", lodger_console_release(news, news, 1),
		    -EINVAL);
	show_expect("no bits",
		    lodger_console_release(LODGER_ALL_PORTS, news, 0),
		    -EINVAL);
	show_expect("who cannot be told",
		    lodger_console_release(LODGER_ALL_PORTS, ears, 1), -EPERM);
	lodger_handle_close(part);
	lodger_handle_close(weak);
	lodger_handle_close(ears);
}

static void
crash(void *unused)
{
	(void)unused;
	__builtin_trap();
}

static bool
told(unsigned news, uint64_t bits)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	return ipc_wait(news, &ipc) == 0 && ipc.words[0] == bits;
}

static void
who_is_told(unsigned news)
{
	unsigned other = lodger_notification_create();
	struct ipc ipc = { .timeout = 0 };
	char text[2000];

	check(told(news, 2), "the reader is told at once");
	show_log(NULL, 0);
	ipc_wait(news, &ipc); /* of what was printed since */
	lodger_klog_write("by hand\n", 8);
	check(told(news, 2), "of what programs log");
	show_log(text, sizeof(text));
	check(strstr(text, "by hand\n"), "which is kept");
	ipc = (struct ipc){ .timeout = 0 };
	ipc_wait(news, &ipc);
	show_log(NULL, 0);
	in_child(crash, NULL); /* the kernel has something to say */
	check(told(news, 2), "and of what the kernel logs");
	show_log(text, sizeof(text));
	check(strstr(text, "invalid opcode"), "which is kept, too");
	lodger_console_release(LODGER_ALL_PORTS, other, 8);
	lodger_handle_close(other);
	other = lodger_notification_create();
	lodger_console_release(LODGER_ALL_PORTS, other, 4);
	check(told(other, 4), "another reader, after one that has gone");
	lodger_console_release(LODGER_ALL_PORTS, 0, 0);
	lodger_handle_close(other);
}

static void
options(void)
{
	char value[32] = "xxxxxxxx";

	check_equal(lodger_boot_option("run", value, sizeof(value)), 18,
		    "boot_option");
	check(strcmp(value, "/tests/log_release") == 0, "its value");
	check_equal(lodger_boot_option("run", value, 4), 18, "cut");
	check(strcmp(value, "/te") == 0, "with a 0");
	check_equal(lodger_boot_option("run", NULL, 0), 18, "not at all");
	show_expect("one that was not given",
		    lodger_boot_option("shell", value, 4), -ENOENT);
	show_expect("one that there is not",
		    lodger_boot_option("nosuch", value, 4), -ENOENT);
	show_expect("a name far too long",
		    lodger_boot_option("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				       value, 4), -ENOENT);
	show_expect("no name", lodger_boot_option((char *)8, value, 4),
		    -EFAULT);
	show_expect("no room for it",
		    lodger_boot_option("run", (char *)8, 4), -EFAULT);
}

int
main(void)
{
	unsigned news;
	uint64_t start = 0;
	char c;

	lodger_or_skip();
	begin();
	options();
	news = lodger_notification_create();
	ring = shared_memory(2 * PAGE);
	ring->size = RING_SIZE;
	refused(news);
	check(lodger_klog_read(&start, &c, 1) == 1 && start == 1 && c == '[',
	      "the log from its beginning");
	show_expect("a position that is not there",
		    lodger_klog_read((void *)8, &c, 1), -EFAULT);
	show_expect("no room", lodger_klog_read(&start, (char *)8, 1), -EFAULT);
	position = lodger_console_release(LODGER_ALL_PORTS, news, 2);
	check(position > 100, "released, with the log's position");
	who_is_told(news);
	show_log(NULL, 0);
	lodger_check_invariants();
	c = end();
	show_log(NULL, 0);
	return c;
}
