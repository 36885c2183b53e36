/*
 * Priority inheritance. A task that owes an answer runs at least as well as
 * the one who waits for it; and one that serves an endpoint at least as well as
 * the first in its queue. So a chain of calls runs at the priority of its best
 * caller, and a low one in the middle keeps nobody waiting.
 *
 *	caller -- reply --> server		the call was received
 *	caller -- endpoint --> all who serve it	the call is in the queue
 *
 * A task serves the endpoint from which it last received, until it receives
 * from another one. All under ipc_lock. Read Linux: kernel/locking/rtmutex.c,
 * rt_mutex_adjust_prio_chain; there each link has a lock of its own.
 */
#include "kernel/ipc/inherit.h"

#include "kernel/base/assert.h"
#include "mm/slab.h"

enum { MAX_DEPTH = 8, MAX_LOOKS = 64 };

/* ---- What callers lend ------------------------------------------------- */

static void
count_in(struct ipc_task *server, u8 prio)
{
	server->nr_lent[prio]++;
	server->lent_bits |= 1ul << prio;
}

static void
count_out(struct ipc_task *server, u8 prio)
{
	if (prio != NR_PRIORITIES && --server->nr_lent[prio] == 0)
		server->lent_bits &= ~(1ul << prio);
}

/* ---- What a task should run with --------------------------------------- */

static u8
best_of(u64 bits)
{
	return bits ? (u8)first_bit(bits) : NR_PRIORITIES;
}

static u8
wanted_priority(const struct ipc_task *ipc)
{
	u8 prio = MIN(ipc->own_prio, best_of(ipc->lent_bits));

	if (ipc->serves)
		prio = MIN(prio, best_of(ipc->serves->bitmap));
	return prio;
}

static void update(struct ipc_task *ipc, unsigned depth);

static void
update_servers(struct endpoint *endpoint, unsigned depth)
{
	struct ipc_task *server;

	list_for_each(server, &endpoint->servers, serves_link)
		update(server, depth);
}

/* What @ipc waits for gets its new priority. */
static void
pass_on(struct ipc_task *ipc, unsigned depth)
{
	if (ipc->phase == IPC_QUEUED) {
		requeue_caller(ipc);
		update_servers(ipc->endpoint, depth + 1);
	} else if (ipc->phase == IPC_TAKEN && ipc->reply->server) {
		count_out(ipc->reply->server, ipc->reply->lent);
		ipc->reply->lent = ipc->task->prio;
		count_in(ipc->reply->server, ipc->reply->lent);
		update(ipc->reply->server, depth + 1);
	}
}

/* Brings @ipc's task up to date, @depth calls away from where something has
 * changed, and those for whom it waits. */
static void
update(struct ipc_task *ipc, unsigned depth)
{
	u8 prio = wanted_priority(ipc);

	if (!ipc->task || prio == ipc->task->prio)
		return;
	sched_set_priority(ipc->task, prio);
	if (depth < MAX_DEPTH)
		pass_on(ipc, depth);
}

void
lend(struct reply *reply, u8 prio)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	reply->lent = prio;
	count_in(reply->server, prio);
	update(reply->server, 1);
}

void
settle(struct reply *reply)
{
	struct ipc_task *server = reply->server;
	u8 lent = reply->lent;

	DEBUG_ASSERT(spin_held(&ipc_lock));
	reply->lent = NR_PRIORITIES;
	settle_own(server, reply);
	if (lent != NR_PRIORITIES) {
		count_out(server, lent);
		update(server, 1);
	}
	/* Its thread has ended with debts: the answers came from another one,
	 * which had the handles. */
	if (!server->debts && !server->task)
		kfree(server);
}

void
update_queue(struct endpoint *endpoint)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	update_servers(endpoint, 1);
}

/* ---- Who serves where -------------------------------------------------- */

void
stop_serving(struct ipc_task *ipc)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (!ipc->serves)
		return;
	list_del(&ipc->serves_link);
	ipc->serves = NULL;
	update(ipc, 0);
}

void
start_serving(struct ipc_task *ipc, struct endpoint *endpoint)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	stop_serving(ipc);
	ipc->serves = endpoint;
	list_add_tail(&endpoint->servers, &ipc->serves_link);
}

/* ---- Circles ----------------------------------------------------------- */

static bool waits_for(const struct ipc_task *ipc, const struct ipc_task *goal,
		      unsigned depth, unsigned *looks);

/* Does everybody who serves @endpoint wait for @goal? */
static bool
all_wait_for(const struct endpoint *endpoint, const struct ipc_task *goal,
	     unsigned depth, unsigned *looks)
{
	const struct ipc_task *server;

	if (list_empty(&endpoint->servers))
		return false;
	list_for_each(server, &endpoint->servers, serves_link) {
		if (!waits_for(server, goal, depth, looks))
			return false;
	}
	return true;
}

/* Is @ipc @goal, or does it wait, over some calls, for @goal alone? One that
 * calls where it once received is no circle, unless it is answering a call. */
static bool
waits_for(const struct ipc_task *ipc, const struct ipc_task *goal,
	  unsigned depth, unsigned *looks)
{
	if (ipc == goal)
		return depth > 0 || goal->debts;
	if (depth == MAX_DEPTH || ++*looks == MAX_LOOKS)
		return false;
	if (ipc->phase == IPC_QUEUED)
		return all_wait_for(ipc->endpoint, goal, depth + 1, looks);
	if (ipc->phase == IPC_TAKEN && ipc->reply->server)
		return waits_for(ipc->reply->server, goal, depth + 1, looks);
	return false;
}

bool
would_deadlock(const struct ipc_task *caller, const struct endpoint *endpoint)
{
	unsigned looks = 0;

	DEBUG_ASSERT(spin_held(&ipc_lock));
	return all_wait_for(endpoint, caller, 0, &looks);
}

/* ---- A task's own ------------------------------------------------------ */

void
ipc_set_priority(struct task *task, u8 prio)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	if (task->ipc) {
		task->ipc->own_prio = prio;
		update(task->ipc, 0);
	} else {
		sched_set_priority(task, prio);
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}
