/*
 * See kernel/objects/console.h. Anything may log, with any lock held; so who
 * reads the log is told from an interrupt, which comes where none is.
 */
#include "kernel/objects/console.h"

#include "kernel/base/assert.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot_info.h"
#include "kernel/cmdline.h"
#include "kernel/ipc/notification.h"
#include "kernel/objects/resource.h"
#include "mm/usercopy.h"

enum { OPTION_MAX = 32, READ_CHUNK = 256 };

static struct signaller reader; /* under ipc_lock */

struct notification *
log_watcher(void)
{
	return reader.notification;
}

void
log_interrupt(void)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	log_news_seen();
	signaller_raise(&reader);
	spin_unlock_irqrestore(&ipc_lock, flags);
}

/* Whoever may write to the devices may have them. ipc_lock held. */
static int
check_authority(u32 ports)
{
	u16 first, count;

	arch_console_ports(&first, &count);
	return may_write_ports(ports, first, count);
}

/* The old reader stays if the new one is refused. */
static int
change_reader(u32 notification, u64 bits, struct notification **old)
{
	struct signaller new = { NULL, 0 };
	int err = 0;

	if (notification)
		err = signaller_bind(&new, notification, bits);
	if (err)
		return err;
	*old = signaller_unbind(&reader);
	reader = new;
	signaller_raise(&reader); /* for what is there already */
	return 0;
}

long
native_console_release(u32 ports, u32 notification, u64 bits)
{
	struct notification *old = NULL;
	irq_flags_t flags;
	int err;

	transition_begin();
	flags = spin_lock_irqsave(&ipc_lock);
	err = check_authority(ports);
	if (!err)
		err = change_reader(notification, bits, &old);
	spin_unlock_irqrestore(&ipc_lock, flags);
	signaller_free(old);
	transition_end();
	return err ? err : (long)log_release();
}

/* ---- The screen -------------------------------------------------------- */

static struct lodger_framebuffer framebuffer;

void
framebuffer_keep(const struct boot_info *boot)
{
	framebuffer = boot->framebuffer;
}

long
native_framebuffer_info(uaddr_t buf)
{
	if (framebuffer.address == 0)
		return -ENODEV;
	return copy_to_user(buf, &framebuffer, sizeof(framebuffer));
}

/* ---- Reading ----------------------------------------------------------- */

long
native_klog_read(uaddr_t uposition, uaddr_t buf, size_t len)
{
	char chunk[READ_CHUNK];
	size_t done = 0, part;
	u64 position;

	if (copy_from_user(&position, uposition, sizeof(position)))
		return -EFAULT;
	do {
		part = log_read(&position, chunk,
				MIN(len - done, sizeof(chunk)));
		if (copy_to_user(buf + done, chunk, part))
			return -EFAULT;
		done += part;
	} while (part && done < len);
	if (copy_to_user(uposition, &position, sizeof(position)))
		return -EFAULT;
	return (long)done;
}

long
native_boot_option(uaddr_t uname, uaddr_t buf, size_t len)
{
	char name[OPTION_MAX];
	const char *value;
	ssize_t got = strncpy_from_user(name, uname, sizeof(name));
	size_t length, part;
	char end = 0;

	if (got == -ENAMETOOLONG)
		return -ENOENT;
	if (got < 0)
		return got;
	value = cmdline_find(name);
	if (!value)
		return -ENOENT;
	length = strlen(value);
	part = MIN(length, len - 1);
	if (len && (copy_to_user(buf, value, part) ||
		    copy_to_user(buf + part, &end, 1)))
		return -EFAULT;
	return (long)length;
}
