/*
 * cpio "newc": for each file a header of 110 ASCII bytes, the name, the data;
 * name and data end on multiples of 4. An entry named TRAILER!!! ends it.
 * Format: cpio(5), and Linux: init/initramfs.c.
 */
#include "user/servers/unix/archive.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "user/servers/unix/linux.h"
#include "user/servers/unix/memfs.h"

enum { MAGIC_LEN = 6, FIELD_LEN = 8, HEADER_LEN = 110 };

enum field {
	INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, DEVMAJOR, DEVMINOR,
	RDEVMAJOR, RDEVMINOR, NAMESIZE, CHECK, NR_FIELDS,
};

struct member {
	u32 fields[NR_FIELDS];
	const char *name; /* 0-terminated, in the archive */
	const u8 *data;
};

struct archive {
	const u8 *bytes;
	u64 size, at;
	/* Names of one file come one after another, the last with the data. */
	struct node *linked;
	u32 linked_ino;
};

/* ---- Reading -------------------------------------------------------- */

static bool
parse_hex(const u8 *text, u32 *value)
{
	*value = 0;
	for (int i = 0; i < FIELD_LEN; i++) {
		u8 c = text[i];

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (u32)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			*value = *value << 4 | (u32)((c | 32) - 'a' + 10);
		else
			return false;
	}
	return true;
}

static bool
parse_header(const u8 *header, struct member *member)
{
	if (memcmp(header, "070701", MAGIC_LEN) != 0)
		return false;
	for (int i = 0; i < NR_FIELDS; i++) {
		if (!parse_hex(header + MAGIC_LEN + i * FIELD_LEN,
			       &member->fields[i]))
			return false;
	}
	return true;
}

/* All sizes have 32 bits and at <= size < 2^63: no sum overflows. */
static int
next_member(struct archive *archive, struct member *member)
{
	const u8 *bytes = archive->bytes;
	u64 name_at = archive->at + HEADER_LEN, data_at, end;
	u32 name_size;

	if (archive->size - archive->at < HEADER_LEN ||
	    !parse_header(bytes + archive->at, member))
		return -EINVAL;
	name_size = member->fields[NAMESIZE];
	data_at = ALIGN_UP(name_at + name_size, 4);
	end = data_at + member->fields[FILESIZE];
	if (name_size < 2 || data_at > archive->size || end > archive->size)
		return -EINVAL;
	member->name = (const char *)bytes + name_at;
	member->data = bytes + data_at;
	if (strnlen(member->name, name_size) != name_size - 1)
		return -EINVAL;
	archive->at = MIN(ALIGN_UP(end, 4), archive->size);
	return 0;
}

/* ---- Making --------------------------------------------------------- */

/* The directory of a name, made if it has to be; *last: what follows. */
static int
make_parents(const char *name, struct node **dir, const char **last)
{
	const char *slash;

	*dir = root_node;
	for (;; name = slash + 1) {
		struct entry *entry;
		struct node *made;
		int err;

		slash = strchrnul(name, '/');
		if (slash - name > LINUX_NAME_MAX)
			return -ENAMETOOLONG;
		*last = name;
		if (!*slash)
			return 0;
		if (slash == name || (slash == name + 1 && *name == '.'))
			continue;
		if (slash == name + 2 && memcmp(name, "..", 2) == 0)
			return -EINVAL;
		entry = entry_find(*dir, name, (size_t)(slash - name));
		if (entry && !is_directory(entry->node))
			return -ENOTDIR;
		if (entry) {
			*dir = entry->node;
			continue;
		}
		err = memfs_create((*dir)->fs, S_IFDIR | 0755, &made);
		if (err)
			return err;
		err = entry_add(*dir, name, (size_t)(slash - name), made);
		node_put(made);
		if (err)
			return err;
		*dir = made;
	}
}

static int
create(const struct member *member, struct filesystem *fs, struct node **made)
{
	const u32 *f = member->fields;
	mode_t mode = f[MODE];
	int err;

	if (S_ISLNK(mode))
		err = memfs_symlink(fs, (const char *)member->data,
				    strnlen((const char *)member->data,
					    f[FILESIZE]), made);
	else
		err = memfs_create(fs, mode, made);
	if (err)
		return err;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		(*made)->device = makedev(f[RDEVMAJOR], f[RDEVMINOR]);
	return 0;
}

static void
set_attributes(struct node *node, const struct member *member)
{
	const u32 *f = member->fields;

	node->mode = (node->mode & S_IFMT) | (f[MODE] & 07777);
	node->uid = f[UID];
	node->gid = f[GID];
	node->atime = node->mtime = node->ctime = f[MTIME] * 1000000000ull;
	if (S_ISREG(node->mode) && f[FILESIZE]) {
		contents_free(node);
		node->contents.bytes = (u8 *)member->data;
		node->contents.size = f[FILESIZE];
	}
}

/* A further name of the file before, or NULL. */
static struct node *
linked_node(struct archive *archive, const struct member *member)
{
	if (member->fields[NLINK] < 2 || !S_ISREG(member->fields[MODE]))
		return NULL;
	return member->fields[INO] == archive->linked_ino ? archive->linked
							  : NULL;
}

static int
add_new(struct archive *archive, const struct member *member, struct node *dir,
	const char *name)
{
	struct node *node = linked_node(archive, member);
	int err;

	if (node)
		node_get(node);
	else if ((err = create(member, dir->fs, &node)))
		return err;
	err = entry_add(dir, name, strlen(name), node);
	if (!err) {
		set_attributes(node, member);
		archive->linked = node;
		archive->linked_ino = member->fields[INO];
	}
	node_put(node);
	return err;
}

static bool
is_type(mode_t mode)
{
	return S_ISDIR(mode) || S_ISREG(mode) || S_ISLNK(mode) ||
	       S_ISCHR(mode) || S_ISFIFO(mode);
}

/* What is there already stays, but for a directory's attributes. */
static int
add_member(struct archive *archive, const struct member *member)
{
	struct node *dir;
	struct entry *entry;
	const char *name;
	int err = make_parents(member->name, &dir, &name);

	if (err)
		return err;
	if (!is_type(member->fields[MODE]))
		return -EINVAL;
	if (strcmp(name, "") == 0 || strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return -EINVAL;
	entry = entry_find(dir, name, strlen(name));
	if (!entry)
		return add_new(archive, member, dir, name);
	if (is_directory(entry->node) && S_ISDIR(member->fields[MODE]))
		set_attributes(entry->node, member);
	return 0;
}

int
archive_unpack(const void *bytes, u64 size)
{
	struct archive archive = { .bytes = bytes, .size = size };
	struct member member;

	for (;;) {
		int err = next_member(&archive, &member);

		if (err || strcmp(member.name, "TRAILER!!!") == 0)
			return err;
		err = add_member(&archive, &member);
		if (err) {
			os_log("archive: %s: error %d", member.name, -err);
			return err;
		}
	}
}
