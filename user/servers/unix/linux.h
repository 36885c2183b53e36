/*
 * Structs and numbers of Linux for x86-64, where the C libraries have none or
 * their own. Constants that they share come from their headers.
 */
#pragma once

#include "kernel/base/types.h"

/* "The call had no effect; make it again": Linux: include/linux/errno.h. */
#define ERESTARTSYS    512 /* -EINTR if a handler without SA_RESTART ran */
#define ERESTARTNOHAND 514 /* -EINTR if a handler ran */

#define LINUX_O_LARGEFILE 0100000
#define LINUX_O_TMPFILE	  020000000 /* without O_DIRECTORY */
#define LINUX_O_PATH	  010000000

enum {
	LINUX_PATH_MAX = 4096, /* with the final 0 */
	LINUX_NAME_MAX = 255,
	LINUX_MAX_LINKS = 40, /* symbolic, in one path */
	LINUX_IOV_MAX = 1024,
	LINUX_PIPE_BUF = 4096,
	LINUX_NR_SIGNALS = 64,
	LINUX_HZ = 100, /* for programs: AT_CLKTCK, times() */
	NS_PER_TICK = 1000000000 / LINUX_HZ,
};

/* Longer reads and writes are cut. */
#define LINUX_RW_MAX 0x7ffff000ull

#define LINUX_MAP_TYPE		  0x0f
#define LINUX_MAP_SHARED_VALIDATE 0x03

#define LINUX_SIGHUP  1
#define LINUX_SIGINT  2
#define LINUX_SIGQUIT 3
#define LINUX_SIGPIPE 13
#define LINUX_SIGALRM 14
#define LINUX_SIGCONT 18
#define LINUX_SIGTSTP 20
#define LINUX_SIGTTIN 21
#define LINUX_SIGTTOU 22
#define LINUX_SIGWINCH 28

#define LINUX_CLONE_VM	  0x100
#define LINUX_CLONE_FS	  0x200
#define LINUX_CLONE_FILES 0x400

struct linux_iovec {
	u64 base, len;
};

struct linux_dirent64 {
	u64 ino;
	s64 next;
	u16 length; /* of the record, a multiple of 8 */
	u8 type;
	char name[];
};

struct linux_timespec {
	s64 sec, nsec;
};

struct linux_timeval {
	s64 sec, usec;
};

static inline struct linux_timeval
to_timeval(u64 ns)
{
	return (struct linux_timeval){ (s64)(ns / 1000000000),
				       (s64)(ns % 1000000000 / 1000) };
}

struct linux_itimerval {
	struct linux_timeval interval, value;
};

struct linux_statx_time {
	s64 sec;
	u32 nsec, unused;
};

struct linux_statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, unused;
	u64 ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 mount_id, spare[13];
};

enum {
	LINUX_STATX_BASIC = 0x7ff,
	LINUX_STATX_BTIME = 0x800,
	LINUX_STATX_RESERVED = (int)0x80000000,
};

struct linux_sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit, end;
};

struct linux_rusage {
	struct linux_timeval utime, stime;
	s64 rest[14];
};

struct linux_rlimit {
	u64 soft, hard;
};

struct linux_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65],
		domainname[65];
};

/* TCGETS, TCSETS*: not the C library's struct, which has room for more. */
struct linux_termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[19];
};

struct linux_winsize {
	u16 row, col, xpixel, ypixel;
};

struct linux_pollfd {
	s32 fd;
	s16 events, revents;
};

struct linux_flock {
	s16 type, whence;
	s64 start, len;
	s32 pid;
};

_Static_assert(sizeof(struct linux_statx) == 256, "as in linux/stat.h");
_Static_assert(sizeof(struct linux_sysinfo) == 112, "as in linux/sysinfo.h");
_Static_assert(sizeof(struct linux_rusage) == 144, "as in linux/resource.h");
