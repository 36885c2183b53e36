/*
 * Names in directories. One hash table holds those of all directories; beside
 * it each directory has its entries in a list, in the order in which they came,
 * for those who read it.
 */
#include <errno.h>
#include <string.h>

#include "user/servers/unix/node.h"

static struct entry **chains;
static unsigned nr_chains, nr_entries;

static u32
hash_name(const struct node *dir, const char *name, size_t len)
{
	u32 hash = (u32)((uintptr_t)dir >> 4) * 2654435761u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (u8)name[i]) * 16777619u;
	return hash ^ hash >> 15;
}

/* The table follows the number of entries. Without memory it stays small. */
static int
grow(void)
{
	unsigned bigger = nr_chains ? nr_chains * 2 : 256;
	struct entry **table;

	if (nr_entries < nr_chains)
		return 0;
	table = os_alloc(bigger * sizeof(*table));
	if (!table)
		return nr_chains ? 0 : -ENOMEM;
	for (unsigned i = 0; i < nr_chains; i++) {
		for (struct entry *e = chains[i], *next; e; e = next) {
			struct entry **chain = &table[e->hash % bigger];

			next = e->next;
			e->next = *chain;
			*chain = e;
		}
	}
	if (chains)
		os_free(chains, nr_chains * sizeof(*chains));
	chains = table;
	nr_chains = bigger;
	return 0;
}

struct entry *
entry_find(struct node *dir, const char *name, size_t len)
{
	u32 hash = hash_name(dir, name, len);
	struct entry *e = nr_chains ? chains[hash % nr_chains] : NULL;

	while (e && (e->hash != hash || e->dir != dir || e->len != len ||
		     memcmp(e->name, name, len) != 0))
		e = e->next;
	return e;
}

/* A further name of a file takes as much as another file, or nothing would limit
 * how many there are. */
static void
count_name(struct node *node, int change)
{
	if (node->links > 0 && !is_directory(node))
		node->fs->nodes += (u64)change;
}

/* Entry and node belong together from now on. */
static void
attach(struct entry *entry, struct node *node)
{
	entry->node = node_get(node);
	count_name(node, 1);
	node->links++;
	node->entry = entry;
	if (!is_directory(node))
		return;
	entry->dir->links++;
	if (node->ops->parent)
		return;
	if (node->dir.parent)
		node_put(node->dir.parent);
	node->dir.parent = node_get(entry->dir);
}

/* A directory without a name keeps its parent, for "..". */
static void
detach(struct entry *entry)
{
	struct node *node = entry->node;

	node->links--;
	count_name(node, -1);
	if (node->entry == entry)
		node->entry = NULL;
	if (is_directory(node))
		entry->dir->links--;
	node_put(node);
}

int
entry_add(struct node *dir, const char *name, size_t len, struct node *node)
{
	struct entry *entry;

	if (grow())
		return -ENOMEM;
	entry = os_alloc(sizeof(*entry) + len);
	if (!entry)
		return -ENOMEM;
	entry->dir = dir;
	entry->len = (u8)len;
	memcpy(entry->name, name, len);
	entry->hash = hash_name(dir, name, len);
	entry->cookie = dir->dir.next_cookie++;
	entry->next = chains[entry->hash % nr_chains];
	chains[entry->hash % nr_chains] = entry;
	list_add_tail(&dir->dir.entries, &entry->in_dir);
	dir->dir.nr_entries++;
	nr_entries++;
	attach(entry, node);
	return 0;
}

void
entry_remove(struct entry *entry)
{
	struct entry **link = &chains[entry->hash % nr_chains];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	list_unlink(&entry->in_dir);
	entry->dir->dir.nr_entries--;
	nr_entries--;
	detach(entry);
	os_free(entry, sizeof(*entry) + entry->len);
}

void
entry_change(struct entry *entry, struct node *node)
{
	detach(entry);
	attach(entry, node);
}
