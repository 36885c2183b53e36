/* Priorities that travel along calls: see inherit.c. All with ipc_lock held,
 * but for ipc_set_priority(). */
#pragma once

#include "kernel/ipc/endpoint.h"

/* A received call's priority counts for its server from now on... */
static inline void
lend(struct reply *reply, u8 prio)
{
	struct ipc_task *server = reply->server;

	reply->lent = prio;
	server->nr_lent[prio]++;
	server->lent_bits |= 1ul << prio;
}

/* ... and no longer. */
static inline void
take_back(struct reply *reply)
{
	struct ipc_task *server = reply->server;

	if (--server->nr_lent[reply->lent] == 0)
		server->lent_bits &= ~(1ul << reply->lent);
}

/* What a task lives by may have changed: its priority, and that of those for
 * whom it waits, follow. */
void update_priority(struct ipc_task *ipc);
/* The first in the queue of @endpoint may have another priority now. */
void update_queue(struct endpoint *endpoint);

/* @server owes @reply's caller an answer; and does no longer. */
static inline void
owe(struct ipc_task *server, struct reply *reply, u8 prio)
{
	reply->server = server;
	list_add_tail(&server->owed, &reply->owed_link);
	lend(reply, prio);
	if (unlikely(prio < server->task->prio))
		update_priority(server);
}

static inline void
settle(struct reply *reply)
{
	struct ipc_task *server = reply->server;

	if (unlikely(!server))
		return;
	list_unlink(&reply->owed_link);
	take_back(reply);
	reply->server = NULL;
	if (unlikely(server->task->prio != server->own_prio))
		update_priority(server);
}

/* @ipc receives from @endpoint. */
void start_serving(struct ipc_task *ipc, struct endpoint *endpoint);
void stop_serving(struct ipc_task *ipc);
/* @ipc's task ends: one of its callers lends to nobody from now on. False:
 * there is none left. */
bool forget_debt(struct ipc_task *ipc);

/* Would @caller wait at @endpoint for itself? True if all who serve it wait,
 * over at most 8 calls each, for @caller. */
bool would_deadlock(const struct ipc_task *caller,
		    const struct endpoint *endpoint);

/* @task's own priority, which its callers' may better. Takes ipc_lock. */
void ipc_set_priority(struct task *task, u8 prio);
