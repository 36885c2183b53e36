/* See user/include/ipc.h, which has the calls with messages: they are inline. */
#include "user/include/ipc.h"

#include "user/include/syscall_inline.h"

long
lodger_handle_duplicate(unsigned handle, unsigned rights, uint64_t badge)
{
	return syscall3(LODGER_handle_duplicate, handle, rights, badge);
}

long
lodger_handle_close(unsigned handle)
{
	return syscall3(LODGER_handle_close, handle, 0, 0);
}

long
lodger_handle_stat(unsigned handle, struct lodger_handle_stat *buf)
{
	return syscall3(LODGER_handle_stat, handle, (long)buf, 0);
}

long
lodger_handle_give(int pid, unsigned handle)
{
	return syscall3(LODGER_handle_give, pid, handle, 0);
}

long
lodger_endpoint_create(void)
{
	return syscall0(LODGER_endpoint_create);
}

long
lodger_notification_create(void)
{
	return syscall0(LODGER_notification_create);
}

long
lodger_signal(unsigned notification, uint64_t bits)
{
	return syscall3(LODGER_signal, notification, bits, 0);
}

long
lodger_bind(unsigned notification, unsigned endpoint)
{
	return syscall3(LODGER_bind, notification, endpoint, 0);
}

long
lodger_set_priority(int tid, unsigned prio)
{
	return syscall3(LODGER_set_priority, tid, prio, 0);
}

long
lodger_mm_open(void)
{
	return syscall0(LODGER_mm_open);
}

long
lodger_mm_create(void)
{
	return syscall0(LODGER_mm_create);
}

long
lodger_mm_read(unsigned handle, uint64_t addr, void *buf, size_t len)
{
	return syscall6(LODGER_mm_read, handle, addr, (long)buf, len, 0, 0);
}

long
lodger_mm_write(unsigned handle, uint64_t addr, const void *buf, size_t len)
{
	return syscall6(LODGER_mm_write, handle, addr, (long)buf, len, 0, 0);
}

long
lodger_mm_map(unsigned handle, uint64_t addr, uint64_t len, int prot)
{
	return syscall6(LODGER_mm_map, handle, addr, len, prot, 0, 0);
}

long
lodger_mm_unmap(unsigned handle, uint64_t addr, uint64_t len)
{
	return syscall3(LODGER_mm_unmap, handle, addr, len);
}

long
lodger_mm_protect(unsigned handle, uint64_t addr, uint64_t len, int prot)
{
	return syscall6(LODGER_mm_protect, handle, addr, len, prot, 0, 0);
}

long
lodger_mm_info(unsigned handle, struct lodger_mm_stat *buf)
{
	return syscall3(LODGER_mm_info, handle, (long)buf, 0);
}

long
lodger_mm_exec(unsigned building, uint64_t entry, uint64_t sp, const char *name)
{
	return syscall6(LODGER_mm_exec, building, entry, sp, (long)name, 0, 0);
}

long
lodger_personality_set(unsigned endpoint)
{
	return syscall3(LODGER_personality_set, endpoint, 0, 0);
}

long
lodger_personality_signal(unsigned endpoint, enum lodger_whom whom, int number,
			  int signal, int from)
{
	return syscall6(LODGER_personality_signal, endpoint, whom, number,
			signal, from, 0);
}
