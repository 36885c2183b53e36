/* What carries out each system call; all are in the table of dispatch.c. */
#pragma once

#include "user/servers/unix/call.h"

/* Bytes */
long sys_read(struct call *call);
long sys_write(struct call *call);
long sys_readv(struct call *call);
long sys_writev(struct call *call);
long sys_pread64(struct call *call);
long sys_pwrite64(struct call *call);
long sys_preadv(struct call *call);
long sys_pwritev(struct call *call);
long sys_lseek(struct call *call);
long sys_sendfile(struct call *call);

/* Open files */
long sys_open(struct call *call);
long sys_openat(struct call *call);
long sys_creat(struct call *call);
long sys_close(struct call *call);
long sys_dup(struct call *call);
long sys_dup2(struct call *call);
long sys_dup3(struct call *call);
long sys_pipe(struct call *call);
long sys_pipe2(struct call *call);
long sys_fcntl(struct call *call);
long sys_flock(struct call *call);
long sys_ioctl(struct call *call);
long sys_getdents64(struct call *call);

/* Waiting */
long sys_poll(struct call *call);
long sys_restart_syscall(struct call *call);
long sys_ppoll(struct call *call);
long sys_select(struct call *call);
long sys_pselect6(struct call *call);

/* Names */
long sys_mkdir(struct call *call);
long sys_mkdirat(struct call *call);
long sys_mknod(struct call *call);
long sys_mknodat(struct call *call);
long sys_rmdir(struct call *call);
long sys_unlink(struct call *call);
long sys_unlinkat(struct call *call);
long sys_link(struct call *call);
long sys_linkat(struct call *call);
long sys_symlink(struct call *call);
long sys_symlinkat(struct call *call);
long sys_rename(struct call *call);
long sys_renameat(struct call *call);
long sys_renameat2(struct call *call);
long sys_readlink(struct call *call);
long sys_readlinkat(struct call *call);
long sys_getcwd(struct call *call);
long sys_chdir(struct call *call);
long sys_fchdir(struct call *call);
long sys_umask(struct call *call);

/* What a file is */
long sys_stat(struct call *call);
long sys_lstat(struct call *call);
long sys_fstat(struct call *call);
long sys_newfstatat(struct call *call);
long sys_statx(struct call *call);
long sys_access(struct call *call);
long sys_faccessat(struct call *call);
long sys_faccessat2(struct call *call);
long sys_chmod(struct call *call);
long sys_fchmod(struct call *call);
long sys_fchmodat(struct call *call);
long sys_chown(struct call *call);
long sys_lchown(struct call *call);
long sys_fchown(struct call *call);
long sys_fchownat(struct call *call);
long sys_utimensat(struct call *call);
long sys_utimes(struct call *call);
long sys_utime(struct call *call);
long sys_truncate(struct call *call);
long sys_ftruncate(struct call *call);
long sys_statfs(struct call *call);
long sys_fstatfs(struct call *call);
long sys_fsync(struct call *call);
long sys_sync(struct call *call);
long sys_fadvise64(struct call *call);

/* Programs and memory */
long sys_execve(struct call *call);
long sys_mmap(struct call *call);

/* Processes */
long sys_kill(struct call *call);
long sys_prctl(struct call *call);
long sys_getrlimit(struct call *call);
long sys_setrlimit(struct call *call);
long sys_prlimit64(struct call *call);
long sys_getrusage(struct call *call);
long sys_times(struct call *call);
long sys_alarm(struct call *call);
long sys_getitimer(struct call *call);
long sys_setitimer(struct call *call);

/* Users */
long sys_get_id(struct call *call);
long sys_set_id(struct call *call);
long sys_set_two_ids(struct call *call);
long sys_set_three_ids(struct call *call);
long sys_get_three_ids(struct call *call);
long sys_set_fs_id(struct call *call);
long sys_getgroups(struct call *call);
long sys_setgroups(struct call *call);

/* The machine */
long sys_uname(struct call *call);
long sys_sethostname(struct call *call);
long sys_setdomainname(struct call *call);
long sys_sysinfo(struct call *call);
long sys_gettimeofday(struct call *call);
long sys_time(struct call *call);
