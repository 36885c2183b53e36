/*
 * x86-TSO: a store first goes into its CPU's buffer, where only that CPU sees
 * it, and becomes visible to all later, in order.
 *
 * A hook comes before its store, and the store itself is the compiler's code:
 * it goes to memory at once. So the buffer keeps what was there before, and
 * whenever another CPU runs, its stores are taken out of memory, the newest
 * first, and put back before it goes on: one exchange of memory and buffer
 * each time.
 */
#include <string.h>

#include "arch/sim/engine.h"

enum { BUFFER_STORES = 64 };

struct store {
	struct op op;
	u8 agent;	/* that stored it */
	u32 operation;	/* of its: which one, from 1 */
	u32 inserted;	/* the step that stored it */
	struct clock published; /* for races.c */
	u64 bytes;	/* shown: what was there before; hidden: the new */
};			/* of no bytes: a lock's release */

struct buffer {
	struct store stores[BUFFER_STORES];
	unsigned n;
	bool hidden;
};

static struct buffer buffers[MAX_AGENTS]; /* by the agent that drains */

void
buffers_reset(void)
{
	for (unsigned i = 0; i < MAX_AGENTS; i++)
		buffers[i].n = 0, buffers[i].hidden = false;
}

static struct buffer *
buffer_of(unsigned agent)
{
	int drain = agent == NOBODY ? -1 : engine.buffer[agent];

	return drain < 0 ? NULL : &buffers[drain];
}

bool
buffer_empty(unsigned agent)
{
	const struct buffer *buffer = buffer_of(agent);

	return !buffer || buffer->n == 0;
}

bool
buffer_holds(unsigned agent, const void *address)
{
	const struct buffer *buffer;

	if (agent == NOBODY)
		return false;
	buffer = buffer_of(agent);
	for (unsigned i = 0; buffer && i < buffer->n; i++)
		if (buffer->stores[i].op.address == address)
			return true;
	return false;
}

static void
exchange(struct store *store)
{
	void *address = (void *)store->op.address;
	u64 bytes = 0;

	memcpy(&bytes, address, store->op.size);
	memcpy(address, &store->bytes, store->op.size);
	store->bytes = bytes;
}

struct clock *
buffer_store(unsigned agent, const struct op *op)
{
	struct buffer *buffer = buffer_of(agent);
	struct store *store = &buffer->stores[buffer->n++];

	if (buffer->n == BUFFER_STORES)
		explore_fail(EXPLORE_TOOL_ERROR, "a store buffer of %d is "
			     "full", BUFFER_STORES);
	store->op = *op;
	store->op.kind = OP_DRAIN;
	store->agent = (u8)agent;
	store->operation = engine.accesses[agent];
	store->inserted = engine.depth - 1;
	store->published = (struct clock){ 0 };
	store->bytes = 0;
	memcpy(&store->bytes, op->address, op->size);
	return &store->published;
}

void
buffers_hide(unsigned agent)
{
	struct buffer *buffer = buffer_of(agent);

	if (!buffer || buffer->hidden)
		return;
	for (unsigned i = buffer->n; i > 0; i--)
		exchange(&buffer->stores[i - 1]);
	buffer->hidden = true;
}

void
buffers_show(unsigned agent)
{
	struct buffer *buffer = buffer_of(agent);

	if (!buffer || !buffer->hidden)
		return;
	for (unsigned i = 0; i < buffer->n; i++)
		exchange(&buffer->stores[i]);
	buffer->hidden = false;
}

const struct op *
buffer_oldest(unsigned drain)
{
	return buffers[drain].n ? &buffers[drain].stores[0].op : NULL;
}

u32
buffer_inserted(unsigned drain)
{
	return buffers[drain].stores[0].inserted;
}

bool
buffer_origin(unsigned drain, unsigned nth, unsigned *agent, u32 *operation)
{
	const struct buffer *buffer = &buffers[drain];

	if (nth >= buffer->n)
		return false;
	*agent = buffer->stores[nth].agent;
	*operation = buffer->stores[nth].operation;
	return true;
}

static void
make_visible(struct store *store, unsigned drain)
{
	u64 *watched = (u64 *)store->op.address;
	u64 old = 0;

	memcpy(&old, watched, store->op.size);
	memcpy(watched, &store->bytes, store->op.size);
	races_published(make_shared(watched), &store->published);
	if (store->op.size == 8 && is_watched(watched)) {
		/* Not in the course of whoever runs just now. */
		unsigned running = engine.running;

		engine.running = drain;
		engine.world->stored(watched, old, store->bytes);
		engine.running = running;
	}
}

/* Its owner does not run: the buffer is hidden. */
void
buffer_drain(unsigned drain)
{
	struct buffer *buffer = &buffers[drain];
	struct store store = buffer->stores[0];

	buffer->n--;
	memmove(&buffer->stores[0], &buffer->stores[1],
		buffer->n * sizeof(store));
	if (store.op.size)
		make_visible(&store, drain);
	else
		release_lock(store.op.address, drain, store.op.caller);
}
