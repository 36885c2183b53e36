#include "user/servers/unix/dispatch.h"

#include <errno.h>
#include <sys/syscall.h>

#include "user/servers/unix/calls.h"

typedef long (*handler_t)(struct call *call);

/* What is missing is -ENOSYS, as on a kernel that is older than the program. */
static const handler_t handlers[] = {
	/* Bytes */
	[SYS_read] = sys_read,
	[SYS_write] = sys_write,
	[SYS_readv] = sys_readv,
	[SYS_writev] = sys_writev,
	[SYS_pread64] = sys_pread64,
	[SYS_pwrite64] = sys_pwrite64,
	[SYS_preadv] = sys_preadv,
	[SYS_pwritev] = sys_pwritev,
	[SYS_lseek] = sys_lseek,
	[SYS_sendfile] = sys_sendfile,

	/* Open files */
	[SYS_open] = sys_open,
	[SYS_openat] = sys_openat,
	[SYS_creat] = sys_creat,
	[SYS_close] = sys_close,
	[SYS_dup] = sys_dup,
	[SYS_dup2] = sys_dup2,
	[SYS_dup3] = sys_dup3,
	[SYS_pipe] = sys_pipe,
	[SYS_pipe2] = sys_pipe2,
	[SYS_fcntl] = sys_fcntl,
	[SYS_flock] = sys_flock,
	[SYS_ioctl] = sys_ioctl,
	[SYS_getdents64] = sys_getdents64,

	/* Waiting */
	[SYS_poll] = sys_poll,
	[SYS_restart_syscall] = sys_restart_syscall,
	[SYS_ppoll] = sys_ppoll,
	[SYS_select] = sys_select,
	[SYS_pselect6] = sys_pselect6,

	/* Names */
	[SYS_mkdir] = sys_mkdir,
	[SYS_mkdirat] = sys_mkdirat,
	[SYS_mknod] = sys_mknod,
	[SYS_mknodat] = sys_mknodat,
	[SYS_rmdir] = sys_rmdir,
	[SYS_unlink] = sys_unlink,
	[SYS_unlinkat] = sys_unlinkat,
	[SYS_link] = sys_link,
	[SYS_linkat] = sys_linkat,
	[SYS_symlink] = sys_symlink,
	[SYS_symlinkat] = sys_symlinkat,
	[SYS_rename] = sys_rename,
	[SYS_renameat] = sys_renameat,
	[SYS_renameat2] = sys_renameat2,
	[SYS_readlink] = sys_readlink,
	[SYS_readlinkat] = sys_readlinkat,
	[SYS_getcwd] = sys_getcwd,
	[SYS_chdir] = sys_chdir,
	[SYS_fchdir] = sys_fchdir,
	[SYS_umask] = sys_umask,

	/* What a file is */
	[SYS_stat] = sys_stat,
	[SYS_lstat] = sys_lstat,
	[SYS_fstat] = sys_fstat,
	[SYS_newfstatat] = sys_newfstatat,
	[SYS_statx] = sys_statx,
	[SYS_access] = sys_access,
	[SYS_faccessat] = sys_faccessat,
	[SYS_faccessat2] = sys_faccessat2,
	[SYS_chmod] = sys_chmod,
	[SYS_fchmod] = sys_fchmod,
	[SYS_fchmodat] = sys_fchmodat,
	[SYS_chown] = sys_chown,
	[SYS_lchown] = sys_lchown,
	[SYS_fchown] = sys_fchown,
	[SYS_fchownat] = sys_fchownat,
	[SYS_utimensat] = sys_utimensat,
	[SYS_utimes] = sys_utimes,
	[SYS_utime] = sys_utime,
	[SYS_truncate] = sys_truncate,
	[SYS_ftruncate] = sys_ftruncate,
	[SYS_statfs] = sys_statfs,
	[SYS_fstatfs] = sys_fstatfs,
	[SYS_fsync] = sys_fsync,
	[SYS_fdatasync] = sys_fsync,
	[SYS_syncfs] = sys_fsync,
	[SYS_sync] = sys_sync,
	[SYS_fadvise64] = sys_fadvise64,

	/* Programs and memory */
	[SYS_execve] = sys_execve,
	[SYS_mmap] = sys_mmap,

	/* Processes */
	[SYS_kill] = sys_kill,
	[SYS_prctl] = sys_prctl,
	[SYS_getrlimit] = sys_getrlimit,
	[SYS_setrlimit] = sys_setrlimit,
	[SYS_prlimit64] = sys_prlimit64,
	[SYS_getrusage] = sys_getrusage,
	[SYS_times] = sys_times,
	[SYS_alarm] = sys_alarm,
	[SYS_getitimer] = sys_getitimer,
	[SYS_setitimer] = sys_setitimer,

	/* Users */
	[SYS_getuid] = sys_get_id,
	[SYS_geteuid] = sys_get_id,
	[SYS_getgid] = sys_get_id,
	[SYS_getegid] = sys_get_id,
	[SYS_setuid] = sys_set_id,
	[SYS_setgid] = sys_set_id,
	[SYS_setreuid] = sys_set_two_ids,
	[SYS_setregid] = sys_set_two_ids,
	[SYS_setresuid] = sys_set_three_ids,
	[SYS_setresgid] = sys_set_three_ids,
	[SYS_getresuid] = sys_get_three_ids,
	[SYS_getresgid] = sys_get_three_ids,
	[SYS_setfsuid] = sys_set_fs_id,
	[SYS_setfsgid] = sys_set_fs_id,
	[SYS_getgroups] = sys_getgroups,
	[SYS_setgroups] = sys_setgroups,

	/* The machine */
	[SYS_uname] = sys_uname,
	[SYS_sethostname] = sys_sethostname,
	[SYS_setdomainname] = sys_setdomainname,
	[SYS_sysinfo] = sys_sysinfo,
	[SYS_gettimeofday] = sys_gettimeofday,
	[SYS_time] = sys_time,
};

long
dispatch(struct call *call)
{
	if (call->number >= ARRAY_SIZE(handlers) || !handlers[call->number])
		return -ENOSYS;
	return handlers[call->number](call);
}
