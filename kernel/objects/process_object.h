/*
 * Processes behind handles: built from outside, started, watched. The object
 * outlives the process, and keeps what became of it.
 */
#pragma once

#include "kernel/ipc/handle.h"

struct process_object;

extern const struct object_ops process_ops;

/* The last thread of its process has gone. pid_lock held. */
void process_object_ended(struct process_object *object, int status);

/* For the invariants: the notification that watches @object, a process; or
 * NULL. ipc_lock held. */
struct notification *process_watcher(struct object *object);

/* ---- System calls: kernel/abi_objects.h ------------------------------- */

long native_process_create(u32 building, uaddr_t name, u32 personality);
long native_process_give(u32 number, u32 handle);
long native_process_start(u32 number, uaddr_t entry, uaddr_t sp);
long native_process_signal(u32 number, int signal);
long native_process_watch(u32 number, u32 notification, u64 bits);
long native_process_info(u32 number, uaddr_t buf);
