/* Linux's error numbers; functions return them negated. */
#pragma once

#define EPERM	     1
#define ENOENT	     2
#define ESRCH	     3
#define EINTR	     4
#define E2BIG	     7
#define ENOEXEC	     8
#define EBADF	     9
#define ECHILD	     10
#define EAGAIN	     11
#define ENOMEM	     12
#define EACCES	     13
#define EFAULT	     14
#define EBUSY	     16
#define EEXIST	     17
#define ENODEV	     19
#define EINVAL	     22
#define EMFILE	     24
#define ENOTTY	     25
#define ENOSPC	     28
#define EPIPE	     32
#define ERANGE	     34
#define EDEADLK	     35
#define ENAMETOOLONG 36
#define ENOSYS	     38
#define EOVERFLOW    75
#define EMSGSIZE     90
#define EOPNOTSUPP   95
#define ETIMEDOUT    110

/* Of a system call that a signal has interrupted; the way back to user mode
 * makes -EINTR of them, or the same call again. Read Linux: kernel/signal.c. */
#define ERESTARTSYS    512 /* again, if the handler has SA_RESTART */
#define ERESTARTNOINTR 513 /* again, after any handler */
#define ERESTARTNOHAND 514 /* again, if no handler runs */
/* The same by restart_syscall(), which knows what was left to do. */
#define ERESTART_RESTARTBLOCK 516

/* An error inside a pointer, as Linux does it: the last page is never valid. */
#define MAX_ERRNO 4095
#define ERR_PTR(err) ((void *)(long)(err))
#define PTR_ERR(ptr) ((int)(long)(ptr))
#define IS_ERR(ptr)  ((unsigned long)(ptr) >= (unsigned long)-MAX_ERRNO)
