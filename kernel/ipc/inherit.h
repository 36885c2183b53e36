/* Priorities that travel along calls: see inherit.c. All with ipc_lock held,
 * but for ipc_set_priority(). */
#pragma once

#include "kernel/ipc/endpoint.h"

/* The first in the queue of @endpoint may have another priority now. */
void update_queue(struct endpoint *endpoint);

/* The caller of @reply lends @prio to the server. */
void lend(struct reply *reply, u8 prio);

/* Does @server inherit what @caller has at this moment? */
static inline bool
lends(const struct ipc_task *caller, const struct ipc_task *server)
{
	return caller->task->prio < server->own_prio;
}

/* @server owes @reply's caller an answer; nothing is lent yet. */
static inline void
owe(struct ipc_task *server, struct reply *reply)
{
	DEBUG_ASSERT(!reply->server && reply->lent == NR_PRIORITIES);
	reply->server = server;
	server->debts++;
}

/* No longer. For @me, who received the call itself and was lent nothing. */
static inline void
settle_own(struct ipc_task *me, struct reply *reply)
{
	DEBUG_ASSERT(reply->server == me && reply->lent == NR_PRIORITIES);
	reply->server = NULL;
	me->debts--;
}

/* The same in all generality: the last debt frees the record of a task that
 * has ended. All that binds the two is cut before a priority is passed on,
 * which may come back to this caller, round a circle that others keep open. */
void settle(struct reply *reply);

/* @ipc receives from @endpoint. */
void start_serving(struct ipc_task *ipc, struct endpoint *endpoint);
void stop_serving(struct ipc_task *ipc);
/* Would @caller wait at @endpoint for itself? True if all who serve it wait,
 * over at most 8 calls each, for @caller. */
bool would_deadlock(const struct ipc_task *caller,
		    const struct endpoint *endpoint);

/* @task's own priority, which its callers' may better. Takes ipc_lock. */
void ipc_set_priority(struct task *task, u8 prio);
