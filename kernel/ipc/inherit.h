/* Priorities that travel along calls: see inherit.c. All with ipc_lock held,
 * but for ipc_set_priority(). */
#pragma once

#include "kernel/ipc/endpoint.h"

/* The first in the queue of @endpoint may have another priority now. */
void update_queue(struct endpoint *endpoint);

/* The caller of @reply lends @prio to the server. */
void lend(struct reply *reply, u8 prio);
/* The same ends: @server gives back what was lent. */
void give_back(struct ipc_task *server, u8 lent);

/* @server owes @reply's caller an answer. It inherits what is better than its
 * own priority at this moment. */
static inline void
owe(struct ipc_task *server, struct reply *reply, u8 prio)
{
	reply->server = server;
	reply->lent = NR_PRIORITIES;
	server->debts++;
	if (unlikely(prio < server->own_prio))
		lend(reply, prio);
}

/* No longer: the last one frees the record of a task that has ended. */
void free_record(struct ipc_task *ipc);

/* All that binds the two is cut before a priority is passed on, which may come
 * back to this caller, round a circle that others keep open. */
static inline void
settle(struct reply *reply)
{
	struct ipc_task *server = reply->server;

	reply->server = NULL;
	if (unlikely(reply->lent != NR_PRIORITIES))
		give_back(server, reply->lent);
	if (unlikely(--server->debts == 0 && !server->task))
		free_record(server);
}

/* @ipc receives from @endpoint. */
void start_serving(struct ipc_task *ipc, struct endpoint *endpoint);
void stop_serving(struct ipc_task *ipc);
/* Would @caller wait at @endpoint for itself? True if all who serve it wait,
 * over at most 8 calls each, for @caller. */
bool would_deadlock(const struct ipc_task *caller,
		    const struct endpoint *endpoint);

/* @task's own priority, which its callers' may better. Takes ipc_lock. */
void ipc_set_priority(struct task *task, u8 prio);
