/*
 * Events: what the kernel tells a server without waiting for it. The record is
 * there before it is needed, so that nothing can fail when it is; an endpoint
 * hands it to a receiver who waits, or keeps it in order of arrival.
 *
 * All of it under ipc_lock.
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"

struct endpoint;
struct ipc_task;

struct ipc_event {
	struct endpoint *endpoint; /* whose list it is on; NULL: none */
	struct list link;
	u32 label;		   /* enum lodger_kernel_label */
	u64 badge;
	u64 words[2];
};

/* An LODGER_EXIT, which belongs to the endpoint once it is posted. NULL: no
 * memory. */
struct ipc_event *exit_event_alloc(void);

/* Nobody hears of it if nobody can receive any more. */
void post_event(struct endpoint *endpoint, struct ipc_event *event);
/* If it was posted and not received, it is not posted any more. */
void withdraw_event(struct ipc_event *event);

/* The next in turn goes to @to, whose result it returns. There is one. */
long receive_event(struct endpoint *endpoint, struct ipc_task *to);
/* Throws one away that nobody will receive. False: there is none. */
bool drop_event(struct endpoint *endpoint);
