/* See kernel/objects/resource.h. */
#include "kernel/objects/resource.h"

#include "kernel/base/assert.h"
#include "kernel/boot_info.h"
#include "kernel/objects/interrupt.h"
#include "kernel/objects/memory.h"
#include "mm/slab.h"

enum {
	NR_PORTS = 0x10000,
	PORT_RIGHTS = LODGER_RIGHT_READ | LODGER_RIGHT_WRITE |
		      LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER,
	INTERRUPT_RIGHTS = LODGER_RIGHT_BIND | LODGER_RIGHT_DUPLICATE |
			   LODGER_RIGHT_TRANSFER,
};

static void
ports_release(struct object *object)
{
	kfree(to_resource(object));
}

const struct object_ops ports_ops = {
	.type = LODGER_PORTS,
	.release = ports_release,
};

static long
create_ports(u64 first, u64 count, u32 rights)
{
	struct resource *ports = kzalloc(sizeof(*ports));

	if (!ports)
		return -ENOMEM;
	ports->first = first;
	ports->count = count;
	object_init(&ports->object, &ports_ops);
	return handle_create(&ports->object, rights);
}

int
may_write_ports(u32 ports, u16 first, u16 count)
{
	struct handle *handle = get_handle(ports, &ports_ops,
					   LODGER_RIGHT_WRITE);

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	return resource_has(to_resource(handle->object), first, count) ? 0
								       : -EPERM;
}

/* ---- The first handles ------------------------------------------------- */

static bool have_module;

void
resources_init(const struct boot_info *boot)
{
	have_module = boot->initrd != boot->initrd_end;
	memory_objects_init(boot);
}

int
give_first_handles(void)
{
	long given[] = {
		create_ports(0, NR_PORTS, PORT_RIGHTS),
		interrupt_create(0, arch_nr_irqs(), INTERRUPT_RIGHTS),
		memory_all_devices(),
		have_module ? memory_boot_module() : LODGER_BOOT_MODULE,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(given); i++) {
		if (given[i] < 0)
			return (int)given[i];
		ASSERT(given[i] == LODGER_ALL_PORTS + i);
	}
	return 0;
}

/* ---- Narrowing --------------------------------------------------------- */

/* What kind of range is behind @handle, and may it be narrowed like this? */
static int
check_narrow(const struct handle *handle, u64 first, u64 count)
{
	const struct object_ops *ops;

	if (!handle)
		return -EBADF;
	ops = handle->object->ops;
	if (ops == &memory_ops)
		return 0; /* memory_narrow() looks for itself */
	if (ops != &ports_ops && ops != &interrupt_ops)
		return -EINVAL;
	if (!(handle->rights & LODGER_RIGHT_DUPLICATE))
		return -EPERM;
	if (!count || !resource_has(to_resource(handle->object), first, count))
		return -EINVAL;
	return 0;
}

long
native_resource_narrow(u32 number, u64 first, u64 count)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = find_handle(current->process->handles, number);
	int err = check_narrow(handle, first, count);
	const struct object_ops *ops = err ? NULL : handle->object->ops;
	u32 rights = err ? 0 : handle->rights;

	spin_unlock_irqrestore(&ipc_lock, flags);
	if (err)
		return err;
	if (ops == &memory_ops)
		return memory_narrow(number, first, count);
	return ops == &ports_ops ? create_ports(first, count, rights)
				 : interrupt_create(first, count, rights);
}
