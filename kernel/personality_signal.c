/* Signals from a server to those that it serves: to many of them at once, which
 * only the kernel can do. See kernel/abi_personality.h. */
#include "kernel/base/errno.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/personality.h"
#include "kernel/signal.h"

/* The endpoint behind the caller's handle, with a reference; or an error. */
static struct endpoint *
served_endpoint(u32 number)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &endpoint_ops,
					   LODGER_RIGHT_RECV);

	if (!IS_ERR(handle))
		object_get(handle->object);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return IS_ERR(handle) ? (void *)handle : to_endpoint(handle->object);
}

/* Of one that has ended, too, and that nobody has waited for: a signal does
 * nothing to it, but it is there. */
static bool
is_meant(const struct process *process, const struct endpoint *endpoint,
	 u32 whom, tid_t number)
{
	if (READ_ONCE(process->served_by) != endpoint->id)
		return false;
	return whom == LODGER_TO_GROUP ? process->pgid == number
				       : process->pid != number;
}

/* pid_lock held, the whole time: so one that is being born has either been
 * published, and is told with its parent; or its parent is told before. */
static long
signal_many(const struct endpoint *endpoint, u32 whom, tid_t number,
	    const struct kernel_siginfo *info)
{
	struct process *process;
	long result = -ESRCH;

	list_for_each(process, &processes, all_link) {
		if (!is_meant(process, endpoint, whom, number))
			continue;
		if (!info->signo || send_signal(process, NULL, info) == 0)
			result = 0;
	}
	return result;
}

/* A process whose first thread has ended has its pid all the same. */
static long
signal_one(const struct endpoint *endpoint, bool thread, tid_t number,
	   const struct kernel_siginfo *info)
{
	struct task *task = find_task(number);
	struct process *process = task ? task->process : NULL;

	if (!task && !thread)
		process = find_process(number);
	if (!process || READ_ONCE(process->served_by) != endpoint->id)
		return -ESRCH;
	return info->signo ? send_signal(process, thread ? task : NULL, info)
			   : 0;
}

static long
send(const struct endpoint *endpoint, u32 whom, tid_t number,
     const struct kernel_siginfo *info)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	long result;

	if (whom == LODGER_TO_GROUP || whom == LODGER_TO_OTHERS)
		result = signal_many(endpoint, whom, number, info);
	else
		result = signal_one(endpoint, whom == LODGER_TO_THREAD, number,
				    info);
	spin_unlock_irqrestore(&pid_lock, flags);
	return result;
}

long
native_personality_signal(u32 number, u32 whom, int id, int signal, int from)
{
	struct kernel_siginfo info = {
		.signo = signal,
		.code = from ? SI_USER : SI_KERNEL,
		.pid = from,
	};
	struct endpoint *endpoint;
	long result;

	if (signal < 0 || signal > NR_SIGNALS || whom > LODGER_TO_THREAD)
		return -EINVAL;
	endpoint = served_endpoint(number);
	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	result = send(endpoint, whom, id, &info);
	object_put(&endpoint->object);
	return result;
}
