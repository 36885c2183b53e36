/*
 * Personalities: how a server answers system calls that the kernel does not
 * have. docs/personality.md is the picture; kernel/abi_ipc.h says how a server
 * receives and answers.
 *
 * A process may have a personality: an endpoint. Its calls are reflected then:
 * the kernel sends each one there as a message, for the thread that made it,
 * and what the server answers is the call's result. Without one, a call that
 * the kernel does not have is -ENOSYS: servers write with klog_write, and move
 * into another program with mm_exec.
 */
#pragma once

#include <stdint.h>

/*
 * long personality_set(unsigned endpoint)
 *
 * The caller's process has this personality from now on; it needs CALL on the
 * endpoint, but does not keep the handle. 0: it has none any more. Children
 * are born with their parent's, exec keeps it. As long as a process has it, it
 * counts as one who can call there, like a handle.
 *
 *	-EPIPE	  nobody can receive there
 *	-EAGAIN	  4,096 events wait there that nobody has received
 *	-EBUSY	  the process has other threads
 *	-EDEADLK  its calls would come back to it: it can itself receive there,
 *		  or some server on the way, each with a personality of its
 *		  own, calls where this process receives; or the way is longer
 *		  than 8
 *	-ENOMEM
 *
 * It stays so: recv is refused, with -EDEADLK, to a process whose own calls
 * lead to that endpoint.
 */

/*
 * long personality_signal(unsigned endpoint, unsigned whom, int number,
 *			   int signal, int from)
 *
 * A signal to those whose personality is the endpoint, which needs RECV: as
 * kill() by the process @from would send it, or, with 0, as the kernel itself.
 * Those who are meant are told in one step: nobody joins, leaves, forks or ends
 * meanwhile. A child that is being born is one of them, even if its FORK has not
 * been received: so a signal for a group finds either both, or the parent before
 * it forks. So is one that has ended, until it is waited for, to which a signal
 * does nothing. @signal 0: none is sent. 0; -ESRCH: there is nobody.
 */
enum lodger_whom {
	LODGER_TO_GROUP,   /* the processes of group @number */
	LODGER_TO_OTHERS,  /* all but process @number */
	LODGER_TO_PROCESS,
	LODGER_TO_THREAD,
};

/*
 * What is reflected: every number below 0x1000 that the kernel does not have,
 * execve and write among them; mmap without MAP_ANONYMOUS; kill of groups, pid 0
 * or less.
 *
 * The server receives
 *
 *	label	the number
 *	words	the six arguments
 *	badge	pid << 32 | tid: from the kernel, and true as long as nobody has
 *		a handle with CALL for this endpoint
 *
 * and answers, as any call, once, with one of these labels and no buffer:
 */
enum lodger_answer {
	/* Word 0 is the result. -512, -513, -514 and -516 are codes of the kernel
	 * within: such an answer is refused, with -EINVAL. */
	LODGER_DONE,
	/*
	 * The call had no effect, and is made again: at once, or when a signal
	 * has been dealt with. If that ran a handler, word 0 says what then.
	 */
	LODGER_RESTART,
	/*
	 * To execve and execveat alone. The message sends one handle, a
	 * building; word 0 is where to begin, word 1 the stack pointer, words
	 * 2 and 3 are 16 bytes of name, the last one 0. The other threads of
	 * the caller's process end; it moves in. Should it be killed before,
	 * the building is freed.
	 */
	LODGER_EXECUTE,
};

/*
 * Of reply's errors, -EINVAL: another label, or EXECUTE to another call, or
 * without such a handle, or with addresses that are none of a user's;
 * -EMSGSIZE: a buffer, or a handle that nobody wants. The caller waits on.
 * -ESRCH: it was killed, or another of its threads has called exec; whatever
 * the call has done stays done.
 *
 * With the reply handle the server reaches the caller's address space, until
 * it answers: mm_read, mm_write, and, since it is a reflected call, also
 * mm_map, mm_unmap, mm_protect.
 */

/* RESTART's word 0: what becomes of the call when a handler has run. */
enum lodger_restart {
	LODGER_RESTART_IF_ASKED,       /* again with SA_RESTART, else -EINTR */
	LODGER_RESTART_UNLESS_HANDLED, /* -EINTR */
	/* -EINTR; when none has run, it is not the same call that is made, but
	 * restart_syscall, with its arguments, and word 1 as the last of them:
	 * until when a call with a timeout waits. */
	LODGER_RESTART_WITH,
};

/* What the kernel itself has to say: labels of other messages. */
enum lodger_kernel_label {
	/*
	 * A call, like the others, from a thread in fork, vfork, or clone
	 * without CLONE_THREAD. Word 0: the child's pid; word 1: flags of
	 * clone. The child does not run before it is answered: DONE, word 0 is
	 * 0, or a negative errno that undoes the fork, and is its result. An
	 * EXIT of the child follows then, and also if the parent is killed
	 * meanwhile, even if the server has not received the FORK.
	 */
	LODGER_FORK = 0x10000,
	/*
	 * An event: nobody waits for it, and there is no reply handle. A
	 * process has ended: word 0 its pid, word 1 its status, as wait4 tells
	 * it; badge pid << 32. It is there before the parent can know, and
	 * before the pid can be another's. Also, with status 0, when a process
	 * has set another personality.
	 */
	LODGER_EXIT,
	/*
	 * An event: there is a signal for a thread whose call was received;
	 * badge pid << 32 | tid. The server answers that call soon: with what
	 * it has done so far, or RESTART. Once for each call; and no more when
	 * the call has been answered, but for what another thread of the
	 * server has received already. RESTART without need is harmless.
	 */
	LODGER_CANCEL,
};

/*
 * Events are received before calls, and before a bound notification's bits, in
 * the order in which they happened; they cannot fail. They are lost only with
 * the last handle that could receive them.
 *
 * When no answer can come. The server has died, or closed the reply handle:
 * -EIO, since nobody knows what the call has done. Nobody can receive any more:
 * -ENOSYS, as without a personality, and fork fails with it too. A supervisor
 * that keeps a handle with RECV avoids this: calls wait in the queue until the
 * next server receives them. The server waits, over some other calls, for this
 * one: -EDEADLK.
 */
