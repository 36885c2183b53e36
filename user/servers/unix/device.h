/* Character devices. */
#pragma once

#include "user/servers/unix/file.h"

/* Fills /dev. -ENOMEM. */
int devices_init(struct node *dev);
int device_open(struct node *node, struct call *call, int flags,
		struct file **file);

/* Terminals (tty_file.c). /dev/tty is the caller's own: -ENXIO, it has none. */
int console_open(struct node *node, struct call *call, int flags,
		 struct file **file);
int own_tty_open(struct node *node, struct call *call, int flags,
		 struct file **file);

/* /dev/zero: mapped, it is plain memory. */
bool is_zero_device(const struct file *file);
