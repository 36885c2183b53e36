/* The early log hands its devices over. System calls, see
 * kernel/abi_objects.h. */
#pragma once

#include "kernel/base/types.h"

struct boot_info;
struct notification;

/* For the invariants: who is told of what is logged, or NULL. */
struct notification *log_watcher(void);

/* For framebuffer_info(). */
void framebuffer_keep(const struct boot_info *boot);

long native_boot_option(uaddr_t name, uaddr_t buf, size_t len);
long native_console_release(u32 ports, u32 notification, u64 bits);
long native_framebuffer_info(uaddr_t buf);
long native_klog_read(uaddr_t position, uaddr_t buf, size_t len);
