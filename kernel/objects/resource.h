/*
 * What of the machine can be handed out in parts: ports, interrupt lines,
 * physical memory. Each object is a run of numbers.
 */
#pragma once

#include "kernel/ipc/handle.h"

struct resource {
	struct object object;
	u64 first, count;
};

extern const struct object_ops ports_ops;

static inline struct resource *
to_resource(struct object *object)
{
	return container_of(object, struct resource, object);
}

/* Are @count numbers from @first on in @resource? Without overflow. */
static inline bool
resource_has(const struct resource *resource, u64 first, u64 count)
{
	return first >= resource->first && count <= resource->count &&
	       first - resource->first <= resource->count - count;
}

/* May the caller, with handle @ports, write to these? 0; -EBADF, -EINVAL, -EPERM.
 * ipc_lock held. */
int may_write_ports(u32 ports, u16 first, u16 count);

/* At boot: where the module is that the loader brought, and where RAM is. */
struct boot_info;
void resources_init(const struct boot_info *boot);

/* The caller's process, which is the first program's and has no handles yet,
 * gets the handles that it begins with: enum lodger_first_handle. */
int give_first_handles(void);

/* ---- System calls: kernel/abi_objects.h ------------------------------- */

long native_resource_narrow(u32 number, u64 first, u64 count);
long native_port_in(u32 number, u64 port, u64 width);
long native_port_out(u32 number, u64 port, u64 width, u32 value);
long native_ring_from_port(u32 number, u32 device, u32 ready, uaddr_t ring,
			   u64 max);
long native_ring_to_port(u32 number, u32 device, u32 ready, uaddr_t ring,
			 u64 max);
