/*
 * cpio "newc": for each file a header of 110 ASCII bytes, the name, the data;
 * name and data end on multiples of 4. An entry named TRAILER!!! ends it.
 */
#include "kernel/cpio.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"

/* Thirteen fields of eight hexadecimal digits follow the magic. */
enum {
	MAGIC_LEN = 6,
	FIELD_LEN = 8,
	HEADER_LEN = 110,
	ALIGNMENT = 4,
};

enum field {
	FIELD_INO,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_NLINK,
	FIELD_MTIME,
	FIELD_FILESIZE,
	FIELD_DEVMAJOR,
	FIELD_DEVMINOR,
	FIELD_RDEVMAJOR,
	FIELD_RDEVMINOR,
	FIELD_NAMESIZE, /* the terminating 0 counts */
	FIELD_CHECK,
	NR_FIELDS,
};

#define MODE_TYPE 0170000
#define MODE_FILE 0100000

static const char trailer[] = "TRAILER!!!";

struct header {
	u32 field[NR_FIELDS];
};

static bool
parse_hex(const char *text, u32 *value)
{
	*value = 0;
	for (int i = 0; i < FIELD_LEN; i++) {
		char c = text[i];
		u32 digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return false;
		*value = *value << 4 | digit;
	}
	return true;
}

static const char *
parse_header(const char *text, u64 left, struct header *header)
{
	if (left < HEADER_LEN)
		return "the archive ends inside a header, or has no trailer";
	if (memcmp(text, "070701", MAGIC_LEN) != 0)
		return "a header does not begin with 070701: damaged, or not "
		       "of the format that cpio -H newc makes";
	for (int i = 0; i < NR_FIELDS; i++)
		if (!parse_hex(text + MAGIC_LEN + i * FIELD_LEN,
			       &header->field[i]))
			return "a header has a field that is not hexadecimal";
	return NULL;
}

/* Without what a path from the root may begin with. */
static const char *
skip_prefix(const char *name)
{
	for (;;) {
		if (name[0] == '/')
			name++;
		else if (name[0] == '.' && name[1] == '/')
			name += 2;
		else
			return name;
	}
}

/*
 * Reads the entry at *offset and moves on to the next. All sizes in a header
 * have 32 bits, and *offset <= @size < 2^63, so no sum here overflows.
 */
static const char *
read_entry(const char *archive, u64 size, u64 *offset, struct header *header,
	   struct cpio_entry *entry)
{
	u64 name_at = *offset + HEADER_LEN;
	u64 name_size, data_at, data_size, end;
	const char *why;

	if (*offset > size || size >> 63)
		return "no such place in the archive";
	why = parse_header(archive + *offset, size - *offset, header);
	if (why)
		return why;

	name_size = header->field[FIELD_NAMESIZE];
	data_size = header->field[FIELD_FILESIZE];
	/* Places are aligned as seen from the archive's beginning. */
	data_at = ALIGN_UP(name_at + name_size, ALIGNMENT);
	end = ALIGN_UP(data_at + data_size, ALIGNMENT);
	if (name_size < 2)
		return "an entry has no name";
	if (data_at > size)
		return "the archive ends inside a name";
	if (strnlen(archive + name_at, name_size) != name_size - 1)
		return "a name does not end where its header says";
	if (end > size)
		return "the archive ends inside a file's data";

	entry->name = skip_prefix(archive + name_at);
	entry->data = (const u8 *)archive + data_at;
	entry->size = data_size;
	entry->mode = header->field[FIELD_MODE];
	*offset = end;
	return NULL;
}

/* As cpio_next(), with the header too. */
static int
next_entry(const void *archive, u64 size, u64 *offset, struct header *header,
	   struct cpio_entry *entry, const char **why)
{
	u64 at = *offset;

	*why = read_entry(archive, size, &at, header, entry);
	if (*why)
		return -EINVAL;
	if (strcmp(entry->name, trailer) == 0)
		return -ENOENT;
	*offset = at;
	return 0;
}

int
cpio_next(const void *archive, u64 size, u64 *offset, struct cpio_entry *entry,
	  const char **why)
{
	struct header header;

	return next_entry(archive, size, offset, &header, entry, why);
}

int
cpio_check(const void *archive, u64 size, unsigned *files, const char **why)
{
	struct cpio_entry entry;
	u64 offset = 0;
	int err;

	*files = 0;
	while ((err = cpio_next(archive, size, &offset, &entry, why)) == 0)
		if ((entry.mode & MODE_TYPE) == MODE_FILE)
			++*files;
	return err == -ENOENT ? 0 : err;
}

/* Two names of one file? */
static bool
same_file(const struct header *a, const struct header *b)
{
	return a->field[FIELD_INO] == b->field[FIELD_INO] &&
	       a->field[FIELD_DEVMAJOR] == b->field[FIELD_DEVMAJOR] &&
	       a->field[FIELD_DEVMINOR] == b->field[FIELD_DEVMINOR];
}

/*
 * Of a file with several names, newc gives the data to the last one in the
 * archive; the others look empty. Fills in @entry's data from a later name.
 */
static int
find_link_data(const void *archive, u64 size, u64 offset,
	       const struct header *first, struct cpio_entry *entry,
	       const char **why)
{
	struct cpio_entry other;
	struct header header;
	int err;

	while ((err = next_entry(archive, size, &offset, &header, &other,
				 why)) == 0) {
		if (other.size > 0 && same_file(first, &header)) {
			entry->data = other.data;
			entry->size = other.size;
			return 0;
		}
	}
	/* At the trailer: it really is empty. */
	return err == -ENOENT ? 0 : err;
}

static bool
may_be_link(const struct header *header, const struct cpio_entry *entry)
{
	return entry->size == 0 && header->field[FIELD_NLINK] > 1 &&
	       (entry->mode & MODE_TYPE) == MODE_FILE;
}

int
cpio_find(const void *archive, u64 size, const char *path,
	  struct cpio_entry *entry, const char **why)
{
	const char *wanted = skip_prefix(path);
	struct header header;
	u64 offset = 0;
	int err;

	while ((err = next_entry(archive, size, &offset, &header, entry,
				 why)) == 0) {
		if (strcmp(entry->name, wanted) != 0)
			continue;
		if (may_be_link(&header, entry))
			return find_link_data(archive, size, offset, &header,
					      entry, why);
		return 0;
	}
	return err;
}
