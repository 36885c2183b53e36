/* See kernel/personality.h. */
#include "kernel/personality.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/ipc/mm_handle.h"
#include "mm/slab.h"
#include "sched/reaper.h"

enum { NR_execve = 59, NR_restart_syscall = 219, NR_execveat = 322 };

/* ---- Ways that lead back ----------------------------------------------- */

/*
 * A call to an endpoint is answered by those who serve it, whose own calls go
 * to their personality, and so on. No way may come to an endpoint that is
 * served by who began it: it would wait for itself. There are two steps by
 * which one could become that long, and each is refused if it does:
 *
 *	process -> endpoint	it sets a personality
 *	endpoint -> process	one of its threads begins to serve there
 */
enum { MAX_WAY = 8 };

static u64 walk; /* the present one, to which endpoint->walk belongs */

/* Marks @endpoint and all to which its servers' calls lead. False: there are
 * more than MAX_WAY one after the other. */
static bool
mark_way(struct endpoint *endpoint, unsigned depth)
{
	const struct ipc_task *server;

	if (!endpoint || endpoint->walk == walk)
		return true;
	if (depth == MAX_WAY)
		return false;
	endpoint->walk = walk;
	list_for_each(server, &endpoint->servers, serves_link) {
		if (!mark_way(server->task->process->personality, depth + 1))
			return false;
	}
	return true;
}

bool
leads_to(struct endpoint *from, const struct endpoint *to)
{
	walk++;
	return mark_way(from, 0) && to->walk == walk;
}

bool
would_serve_itself(struct endpoint *endpoint)
{
	struct endpoint *personality = current->process->personality;

	if (likely(!personality))
		return false;
	walk++;
	return !mark_way(personality, 0) || endpoint->walk == walk;
}

/* The endpoint from which handle @number can receive, or NULL. */
static struct endpoint *
receives_from(const struct handle_table *table, u32 number)
{
	const struct handle *handle = handle_slot(table, number);

	return handle->rights & LODGER_RIGHT_RECV ? to_endpoint(handle->object)
						  : NULL;
}

static u32
table_size(const struct handle_table *table)
{
	return table ? table->nr_chunks << HANDLE_CHUNK_SHIFT : 0;
}

/* Would calls that go to @endpoint come back to @process? It need not have
 * received yet from where they come by. */
static bool
leads_back(struct endpoint *endpoint, const struct process *process)
{
	const struct handle_table *table = process->handles;
	const struct ipc_task *me = current->ipc;

	walk++;
	if (!mark_way(endpoint, 0))
		return true;
	for (u32 i = 0; i < table_size(table); i++) {
		const struct endpoint *own = receives_from(table, i);

		if (own && own->walk == walk)
			return true;
	}
	return process == current->process && me && me->serves &&
	       me->serves->walk == walk;
}

bool
only_own_receivers(const struct endpoint *endpoint)
{
	const struct handle_table *table = current->process->handles;
	unsigned own = 0;

	for (u32 i = 0; i < table_size(table); i++)
		own += receives_from(table, i) == endpoint;
	return own == endpoint->receivers;
}

/* ---- Setting ----------------------------------------------------------- */

/* Before a fork the server is asked, so it can fall behind only with the ends
 * of those that it knows. Who may call it could join and leave for ever. */
enum { MOST_EVENTS = 4096 };

/* ipc_lock held. */
static void
join(struct process *process, struct endpoint *endpoint,
     struct ipc_event *exit_event)
{
	ASSERT(!process->personality && !process->exit_event);
	object_get(&endpoint->object);
	endpoint->senders++;
	process->personality = endpoint;
	process->served_by = endpoint->id;
	process->exit_event = exit_event;
}

/* The personality's reference is the caller's then. ipc_lock held. */
static struct endpoint *
leave(struct process *process)
{
	struct endpoint *endpoint = process->personality;
	struct ipc_event *event = process->exit_event;

	if (!endpoint)
		return NULL;
	process->personality = NULL;
	process->exit_event = NULL;
	event->badge = (u64)process->pid << 32;
	event->words[0] = (u64)process->pid;
	event->words[1] = (u32)process->exit_status;
	post_event(endpoint, event);
	return endpoint;
}

/* What the caller's handle @number stands for, if it can be the personality of
 * @process; or an error. ipc_lock held. */
static struct endpoint *
personality_for(const struct process *process, u32 number)
{
	struct handle *handle = get_handle(number, &endpoint_ops,
					   LODGER_RIGHT_CALL);
	struct endpoint *endpoint;

	if (IS_ERR(handle))
		return (void *)handle;
	endpoint = to_endpoint(handle->object);
	if (!endpoint->receivers)
		return ERR_PTR(-EPIPE);
	if (endpoint->nr_events >= MOST_EVENTS)
		return ERR_PTR(-EAGAIN);
	return leads_back(endpoint, process) ? ERR_PTR(-EDEADLK) : endpoint;
}

/* Exchanges the personality of @process for that behind @number, 0: for none.
 * Returns the old one, or an error. */
static struct endpoint *
exchange(struct process *process, u32 number, struct ipc_event *exit_event)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct endpoint *new = number ? personality_for(process, number) : NULL;
	struct endpoint *old = new;

	if (!IS_ERR(new)) {
		old = leave(process);
		process->served_by = 0;
	}
	if (new && !IS_ERR(new))
		join(process, new, exit_event);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return old;
}

int
personality_give(struct process *process, u32 number)
{
	struct ipc_event *exit_event = number ? exit_event_alloc() : NULL;
	struct endpoint *old;

	if (number && !exit_event)
		return -ENOMEM;
	old = exchange(process, number, exit_event);
	if (IS_ERR(old)) {
		kfree(exit_event);
		return PTR_ERR(old);
	}
	personality_put(old);
	return 0;
}

/* The only thread cannot get company meanwhile. */
long
native_personality_set(u32 number)
{
	struct process *process = current->process;

	if (READ_ONCE(process->nr_threads) != 1)
		return -EBUSY;
	return personality_give(process, number);
}

/* ---- Processes that come and go ---------------------------------------- */

static struct ipc_task *
own_record(void)
{
	struct ipc_task *me = current->ipc;

	if (!me)
		me = ipc_make_record();
	if (!me && wait_for_reaper())
		me = ipc_make_record();
	return me;
}

/* The parent gets what it needs for personality_fork(). */
int
personality_inherit(struct process *child)
{
	struct endpoint *endpoint = current->process->personality;
	struct ipc_event *exit_event;
	irq_flags_t flags;

	if (!endpoint)
		return 0;
	exit_event = own_record() ? exit_event_alloc() : NULL;
	if (!exit_event)
		return -ENOMEM;
	flags = spin_lock_irqsave(&ipc_lock);
	join(child, endpoint, exit_event);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return 0;
}

void
personality_forget(struct process *child)
{
	struct endpoint *endpoint = child->personality;

	kfree(child->exit_event);
	child->exit_event = NULL;
	child->personality = NULL;
	personality_put(endpoint);
}

struct endpoint *
personality_end(struct process *process)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct endpoint *endpoint = leave(process);

	spin_unlock_irqrestore(&ipc_lock, flags);
	return endpoint;
}

/* From the moment at which no process has it any more, to the end of this, it
 * counts one sender too many. */
void
personality_put(struct endpoint *endpoint)
{
	irq_flags_t flags;

	if (!endpoint)
		return;
	transition_begin();
	flags = spin_lock_irqsave(&ipc_lock);
	endpoint->senders--;
	spin_unlock_irqrestore(&ipc_lock, flags);
	endpoint_hang_up(endpoint);
	object_put(&endpoint->object);
	transition_end();
}

/* ---- Calls ------------------------------------------------------------- */

/* The call that ended with @err: what its thread is told. */
static long
without_answer(long err)
{
	return err == -EPIPE ? -ENOSYS : err;
}

/* The server's message is words in the caller's saved registers, which it needs
 * again. */
static long
ask(struct ipc_task *me, u32 label, u64 word0, u64 word1)
{
	u64 saved[2] = { regs_arg(me->regs, 0), regs_arg(me->regs, 1) };
	long result;

	regs_set_word(me->regs, 0, word0);
	regs_set_word(me->regs, 1, word1);
	result = ipc_reflect(me, label, false);
	regs_set_word(me->regs, 0, saved[0]);
	regs_set_word(me->regs, 1, saved[1]);
	return result;
}

int
personality_fork(const struct process *child, u64 flags)
{
	struct ipc_task *me = current->ipc;
	long result;

	if (!child->personality)
		return 0;
	result = ask(me, LODGER_FORK, (u64)child->pid, flags);
	if (result < 0)
		return (int)without_answer(result);
	result = (long)me->answer[0];
	if (result > 0 || result < -MAX_ERRNO)
		return -EAGAIN;
	/* The parent may have been killed, with its whole group, before the
	 * server heard of the child: which must not escape. */
	return !result && READ_ONCE(current->kill_signal) ? -EINTR : (int)result;
}

_Static_assert(TASK_NAME_LEN == 2 * sizeof(u64), "words 2 and 3 of an answer");

/* The building came with the answer; it is used up in any case. */
static long
execute(struct ipc_task *me)
{
	struct object *building = me->building;
	char name[TASK_NAME_LEN];

	memcpy(name, &me->answer[2], sizeof(name));
	name[sizeof(name) - 1] = 0;
	me->building = NULL;
	return exec_building(building, name, me->answer[0], me->answer[1]);
}

static long restart_reflected(struct restart_block *restart);

/* What becomes of the call, as the server says. */
static long
restart_later(struct ipc_task *me)
{
	struct restart_block *restart = &current->restart;

	switch (me->answer[0]) {
	case LODGER_RESTART_UNLESS_HANDLED:
		return -ERESTARTNOHAND;
	case LODGER_RESTART_WITH:
		restart->fn = restart_reflected;
		restart->deadline = me->answer[1];
		return -ERESTART_RESTARTBLOCK;
	default:
		return -ERESTARTSYS;
	}
}

/* A result; or the code by which the call is to be made again. */
static long
result_of(struct ipc_task *me, long outcome)
{
	switch (outcome) {
	case LODGER_DONE:
		return (long)me->answer[0];
	case LODGER_RESTART:
		return restart_later(me);
	case LODGER_EXECUTE:
		return execute(me);
	default:
		return without_answer(outcome);
	}
}

/* Makes the call again, because of @why. restart_syscall has the arguments of the
 * first time, but for the last one. */
static long
reflect_again(struct ipc_task *me, long why)
{
	u64 saved = regs_arg(me->regs, 5);
	long outcome;

	if (why != -ERESTART_RESTARTBLOCK)
		return ipc_reflect(me, (u32)regs_syscall(me->regs), true);
	regs_set_word(me->regs, 5, current->restart.deadline);
	outcome = ipc_reflect(me, NR_restart_syscall, true);
	regs_set_word(me->regs, 5, saved);
	return outcome;
}

/* If there is a signal to deal with first, the way back to user mode decides
 * whether the call is made again. */
long
personality_result(struct ipc_task *me, long outcome)
{
	long result = result_of(me, outcome);

	while (is_restart(result) && !signal_pending(current)) {
		cond_resched();
		result = result_of(me, reflect_again(me, result));
	}
	return result;
}

static long
restart_reflected(struct restart_block *restart)
{
	struct ipc_task *me = current->ipc;

	(void)restart;
	if (!current->process->personality)
		return -EINTR;
	return personality_result(me,
				  reflect_again(me, -ERESTART_RESTARTBLOCK));
}

long
personality_call(void)
{
	struct ipc_task *me;

	if (!current->process->personality)
		return -ENOSYS;
	me = own_record();
	if (!me)
		return -ENOMEM;
	return personality_result(me, ipc_reflect(
		me, (u32)regs_syscall(me->regs), true));
}

/* ---- Answers ----------------------------------------------------------- */

/* EXECUTE, by the server, the caller: with one building and nothing else. */
static int
check_execute(const struct ipc_task *me, struct ipc_task *to)
{
	const struct lodger_message *message = &me->message;

	if (to->label != NR_execve && to->label != NR_execveat)
		return -EINVAL;
	if (!is_start(regs_arg(me->regs, 0), regs_arg(me->regs, 1)))
		return -EINVAL;
	if (!me->has_message || message->nr_send != 1)
		return -EINVAL;
	if (message->send_len)
		return -EMSGSIZE;
	for (unsigned i = 1; i < ARRAY_SIZE(to->answer); i++)
		to->answer[i] = regs_arg(me->regs, i);
	return send_building(message->send_handles[0], to);
}

int
check_answer(struct ipc_task *me, struct ipc_task *to)
{
	u32 label = label_of(me->regs);

	if (label == LODGER_EXECUTE)
		return check_execute(me, to);
	if (label == LODGER_DONE && is_restart((long)regs_arg(me->regs, 0)))
		return -EINVAL; /* the kernel's own codes: no program sees one */
	if (label != LODGER_DONE &&
	    (label != LODGER_RESTART || to->label == LODGER_FORK))
		return -EINVAL;
	to->answer[1] = regs_arg(me->regs, 1); /* RESTART_WITH's */
	return sends_more(me) ? -EMSGSIZE : 0;
}
