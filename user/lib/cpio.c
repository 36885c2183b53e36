/*
 * cpio "newc": for each file a header of 110 ASCII bytes, the name, the data;
 * name and data end on multiples of 4. An entry named TRAILER!!! ends it.
 */
#include "user/include/cpio.h"

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
static const char not_hexadecimal[] =
	"a header has a field that is not hexadecimal";

static bool
parse_hex(const char *text, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < FIELD_LEN; i++) {
		char c = text[i];
		uint32_t digit;

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

/* Where the digits of a field are in the header at @header. */
static const char *
digits(const char *header, enum field field)
{
	return header + MAGIC_LEN + field * FIELD_LEN;
}

/* Reads the fields that every look at an entry needs. */
static const char *
parse_header(const char *header, uint64_t left, uint32_t *mode, uint32_t *name_size,
	     uint32_t *data_size)
{
	if (left < HEADER_LEN)
		return "the archive ends inside a header, or has no trailer";
	if (memcmp(header, "070701", MAGIC_LEN) != 0)
		return "a header does not begin with 070701: damaged, or not "
		       "of the format that cpio -H newc makes";
	if (!parse_hex(digits(header, FIELD_MODE), mode) ||
	    !parse_hex(digits(header, FIELD_NAMESIZE), name_size) ||
	    !parse_hex(digits(header, FIELD_FILESIZE), data_size))
		return not_hexadecimal;
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
read_entry(const char *archive, uint64_t size, uint64_t *offset,
	   struct cpio_entry *entry)
{
	uint64_t name_at = *offset + HEADER_LEN;
	uint32_t name_size, data_size;
	uint64_t data_at, end;
	const char *why;

	if (*offset > size || size >> 63)
		return "no such place in the archive";
	why = parse_header(archive + *offset, size - *offset, &entry->mode,
			   &name_size, &data_size);
	if (why)
		return why;

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
	entry->data = (const uint8_t *)archive + data_at;
	entry->size = data_size;
	*offset = end;
	return NULL;
}

int
cpio_next(const void *archive, uint64_t size, uint64_t *offset,
	  struct cpio_entry *entry, const char **why)
{
	uint64_t at = *offset;

	*why = read_entry(archive, size, &at, entry);
	if (*why)
		return -EINVAL;
	if (strcmp(entry->name, trailer) == 0)
		return -ENOENT;
	*offset = at;
	return 0;
}

/* The fields that nobody reads count too: damage is damage. */
static bool
all_hexadecimal(const char *header)
{
	uint32_t value;

	for (int i = 0; i < NR_FIELDS; i++)
		if (!parse_hex(digits(header, i), &value))
			return false;
	return true;
}

int
cpio_check(const void *archive, uint64_t size, unsigned *files, const char **why)
{
	struct cpio_entry entry;
	uint64_t offset = 0;
	int err;

	*files = 0;
	do {
		const char *header = (const char *)archive + offset;

		err = cpio_next(archive, size, &offset, &entry, why);
		if (err != -EINVAL && !all_hexadecimal(header)) {
			*why = not_hexadecimal;
			return -EINVAL;
		}
		if (!err && (entry.mode & MODE_TYPE) == MODE_FILE)
			++*files;
	} while (!err);
	return err == -ENOENT ? 0 : err;
}

/* Two names of one file? One program wrote both headers, so that equal
 * numbers have equal digits. */
static bool
same_file(const char *a, const char *b)
{
	return memcmp(digits(a, FIELD_INO), digits(b, FIELD_INO),
		      FIELD_LEN) == 0 &&
	       memcmp(digits(a, FIELD_DEVMAJOR), digits(b, FIELD_DEVMAJOR),
		      2 * FIELD_LEN) == 0; /* and the minor number */
}

/*
 * Of a file with several names, newc gives the data to the last one in the
 * archive; the others look empty. Fills in @entry's data from a later name.
 */
static int
find_link_data(const char *archive, uint64_t size, uint64_t offset,
	       const char *first, struct cpio_entry *entry, const char **why)
{
	struct cpio_entry other;

	for (;;) {
		const char *header = archive + offset;
		int err = cpio_next(archive, size, &offset, &other, why);

		if (err) /* at the trailer: it really is empty */
			return err == -ENOENT ? 0 : err;
		if (other.size > 0 && same_file(first, header)) {
			entry->data = other.data;
			entry->size = other.size;
			return 0;
		}
	}
}

static bool
may_be_link(const char *header, const struct cpio_entry *entry)
{
	uint32_t links;

	return entry->size == 0 && (entry->mode & MODE_TYPE) == MODE_FILE &&
	       parse_hex(digits(header, FIELD_NLINK), &links) && links > 1;
}

int
cpio_find(const void *archive, uint64_t size, const char *path,
	  struct cpio_entry *entry, const char **why)
{
	const char *wanted = skip_prefix(path);
	uint64_t offset = 0;

	for (;;) {
		const char *header = (const char *)archive + offset;
		int err = cpio_next(archive, size, &offset, entry, why);

		if (err)
			return err;
		if (strcmp(entry->name, wanted) != 0)
			continue;
		return may_be_link(header, entry)
			       ? find_link_data(archive, size, offset, header,
						entry, why)
			       : 0;
	}
}
