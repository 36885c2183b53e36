// with: user/lib/cpio.c
#include "host.h"

#include <sanitizer/asan_interface.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/base/errno.h"
#include "user/include/cpio.h"

enum { HEADER = 110, FILESIZE = 6, NAMESIZE = 11 }; /* bytes; fields */

/* What the archive under test holds, in its order. */
static const struct {
	const char *name, *data;
} contents[] = {
	{ "bin/one", "1" },
	{ "bin/four", "four" },
	{ "etc/five", "five5" },
	{ "empty", "" },
};

static char *archive; /* of exactly archive_size bytes */
static u64 archive_size;
static u64 trailer_end; /* what follows is padding to a block */

/* ---- The archive ------------------------------------------------------ */

static void
shell(const char *command)
{
	if (system(command) != 0)
		FAIL("%s: failed", command);
}

static void
read_archive(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat info;

	if (!file || fstat(fileno(file), &info) != 0)
		FAIL("cannot read %s", path);
	archive_size = (u64)info.st_size;
	archive = malloc(archive_size);
	CHECK_EQ(fread(archive, 1, archive_size, file), archive_size);
	fclose(file);
}

/* The places where headers begin, the trailer's included. */
static unsigned
find_headers(u64 *places, unsigned max)
{
	unsigned n = 0;

	for (u64 at = 0; at + HEADER <= archive_size && n < max; at += 4)
		if (memcmp(archive + at, "070701", 6) == 0)
			places[n++] = at;
	return n;
}

/* Fills a new folder by @fill, and packs what @list prints. */
static void
make_archive(const char *fill, const char *list)
{
	char dir[] = "/tmp/cpio-test-XXXXXX", command[1000];
	u64 places[64];
	unsigned n;

	if (!mkdtemp(dir))
		FAIL("no temporary folder");
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p bin etc && %s && %s | "
		 "cpio --quiet -o -H newc >archive", dir, fill, list);
	shell(command);
	snprintf(command, sizeof(command), "%s/archive", dir);
	read_archive(command);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	shell(command);

	n = find_headers(places, 64);
	trailer_end = ALIGN_UP(places[n - 1] + HEADER + 11, 4ul);
}

static void
make_usual_archive(void)
{
	make_archive("printf 1 >bin/one && printf four >bin/four && "
		     "printf five5 >etc/five && >empty",
		     "printf '%s\\n' bin bin/one ./bin/four etc etc/five "
		     "empty");
}

/* ---- Good ones -------------------------------------------------------- */

static void
finds_every_file(void)
{
	const char *why = "unset";
	struct cpio_entry entry;

	make_usual_archive();
	for (unsigned i = 0; i < ARRAY_SIZE(contents); i++) {
		CHECK_EQ(cpio_find(archive, archive_size, contents[i].name,
				   &entry, &why), 0);
		CHECK(strcmp(entry.name, contents[i].name) == 0);
		CHECK_EQ(entry.size, strlen(contents[i].data));
		CHECK(memcmp(entry.data, contents[i].data, entry.size) == 0);
		CHECK_EQ(entry.mode & 0170000, 0100000);
	}
	CHECK_EQ(cpio_find(archive, archive_size, "bin", &entry, &why), 0);
	CHECK_EQ(entry.mode & 0170000, 0040000);
}

static void
ignores_leading_slash(void)
{
	static const char *const paths[] = { "/bin/four", "./bin/four",
					     "//bin/four", "/./bin/four" };
	struct cpio_entry entry;
	const char *why;

	make_usual_archive();
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		CHECK_EQ(cpio_find(archive, archive_size, paths[i], &entry,
				   &why), 0);
		CHECK(memcmp(entry.data, "four", 4) == 0);
	}
}

static void
says_when_a_name_is_not_there(void)
{
	static const char *const paths[] = { "bin/on", "bin/one1", "BIN/ONE",
					     "", "/", "TRAILER!!!" };
	struct cpio_entry entry;
	const char *why;

	make_usual_archive();
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
		CHECK_EQ(cpio_find(archive, archive_size, paths[i], &entry,
				   &why), -ENOENT);
}

static void
counts_regular_files(void)
{
	const char *why = "unset";
	unsigned files;

	make_usual_archive();
	CHECK_EQ(cpio_check(archive, archive_size, &files, &why), 0);
	CHECK_EQ(files, 4);
	CHECK(!why);
}

static void
lists_in_order(void)
{
	static const char *const names[] = { "bin", "bin/one", "bin/four",
					     "etc", "etc/five", "empty" };
	struct cpio_entry entry;
	const char *why;
	u64 offset = 0, end;

	make_usual_archive();
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK_EQ(cpio_next(archive, archive_size, &offset, &entry,
				   &why), 0);
		if (strcmp(entry.name, names[i]))
			FAIL("\"%s\", expected \"%s\"", entry.name, names[i]);
	}
	end = offset;
	for (int i = 0; i < 2; i++) /* it stays at the end */
		CHECK_EQ(cpio_next(archive, archive_size, &offset, &entry,
				   &why), -ENOENT);
	CHECK_EQ(offset, end);
}

static void
finds_data_of_hard_links(void)
{
	static const char *const paths[] = { "bin/a", "bin/b", "bin/c" };
	struct cpio_entry entry;
	const char *why;

	make_archive("printf data >bin/a && ln bin/a bin/b && ln bin/a bin/c "
		     "&& >etc/x && ln etc/x etc/y",
		     "printf '%s\\n' bin/a bin/b etc/x etc/y bin/c");
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		CHECK_EQ(cpio_find(archive, archive_size, paths[i], &entry,
				   &why), 0);
		CHECK(strcmp(entry.name, paths[i]) == 0);
		CHECK_EQ(entry.size, 4);
		CHECK(memcmp(entry.data, "data", 4) == 0);
	}
	CHECK_EQ(cpio_find(archive, archive_size, "etc/x", &entry, &why), 0);
	CHECK_EQ(entry.size, 0);
}

/* ---- Damaged ones ----------------------------------------------------- */

/* Damage is reported, with a sentence, and nothing outside is touched: @size
 * bytes of the archive exist. */
static void
must_refuse(u64 size, const char *what, u64 place)
{
	const char *why = NULL;
	unsigned files;
	int err = cpio_check(archive, size, &files, &why);

	if (err != -EINVAL)
		FAIL("%s at %lu: %d, expected -EINVAL", what, place, err);
	if (!why || strlen(why) < 10)
		FAIL("%s at %lu: no reason given", what, place);
}

static void
truncated(void)
{
	struct cpio_entry entry;
	const char *why;
	unsigned files;

	make_usual_archive();
	for (u64 size = archive_size; size > 0;) {
		size--;
		ASAN_POISON_MEMORY_REGION(archive + size, archive_size - size);
		if (size >= trailer_end)
			CHECK_EQ(cpio_check(archive, size, &files, &why), 0);
		else
			must_refuse(size, "cut", size);
		/* What comes before the damage is found all the same. */
		CHECK_EQ(cpio_find(archive, size, "bin", &entry, &why),
			 size >= 116 ? 0 : -EINVAL);
	}
	ASAN_UNPOISON_MEMORY_REGION(archive, archive_size);
}

static void
bad_digits(void)
{
	static const char bad[] = "gG/:@`x -\0";
	u64 places[64];
	unsigned n;

	make_usual_archive();
	n = find_headers(places, 64);
	CHECK_EQ(n, 7);
	for (unsigned i = 0; i < n; i++) {
		for (u64 at = places[i]; at < places[i] + HEADER; at++) {
			char good = archive[at];

			archive[at] = bad[at % sizeof(bad)];
			must_refuse(archive_size, "no digit", at);
			archive[at] = good;
		}
	}
}

static void
set_field(u64 header, unsigned field, const char *digits)
{
	memcpy(archive + header + 6 + field * 8, digits, 8);
}

static void
bad_sizes(void)
{
	static const char *const sizes[] = {
		"00000000", "00000001", "FFFFFFFF", "fffffffe", "7FFFFFFF",
		"80000000", "fffffffc", "ffffff92", "00010000", "00000100",
	};
	char good[HEADER];
	u64 places[64];
	unsigned n;

	make_usual_archive();
	n = find_headers(places, 64) - 1; /* the trailer: below */
	for (unsigned i = 0; i < n; i++) {
		char *file_size = archive + places[i] + 6 + FILESIZE * 8;
		bool empty = memcmp(file_size, "00000000", 8) == 0;

		memcpy(good, archive + places[i], HEADER);
		for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
			set_field(places[i], NAMESIZE, sizes[s]);
			must_refuse(archive_size, sizes[s], places[i]);
			memcpy(archive + places[i], good, HEADER);

			/* 0 is right for an empty file; 1 for others may end
			 * in the same padding. */
			if (s == (empty ? 0 : 1))
				continue;
			set_field(places[i], FILESIZE, sizes[s]);
			must_refuse(archive_size, sizes[s], places[i]);
			memcpy(archive + places[i], good, HEADER);
		}
	}
}

/* A name's size that is wrong by one, either way. */
static void
name_sizes_off_by_one(void)
{
	u64 places[64];
	unsigned n;

	make_usual_archive();
	n = find_headers(places, 64);
	for (unsigned i = 0; i < n; i++) {
		for (int by = -1; by <= 1; by += 2) {
			char good[9] = "", digits[9];

			memcpy(good, archive + places[i] + 6 + NAMESIZE * 8,
			       8);
			snprintf(digits, sizeof(digits), "%08lX",
				 strtoul(good, NULL, 16) + by);
			set_field(places[i], NAMESIZE, digits);
			must_refuse(archive_size, "name size", places[i]);
			set_field(places[i], NAMESIZE, good);
		}
	}
}

static void
names_with_a_hole(void)
{
	u64 places[64];
	unsigned n;

	make_usual_archive();
	n = find_headers(places, 64);
	for (unsigned i = 0; i < n; i++) {
		char *name = archive + places[i] + HEADER;

		name[1] = 0;
		must_refuse(archive_size, "hole in a name", places[i]);
		name[1] = 'x';
		name[strlen(name)] = 'x';
		must_refuse(archive_size, "endless name", places[i]);
		free(archive);
		make_usual_archive();
	}
}

static void
no_name(void)
{
	u64 end = ALIGN_UP(HEADER + 1, 4);
	u64 places[64];
	unsigned n;

	/* The first header, an empty name, the trailer. */
	make_usual_archive();
	n = find_headers(places, 64);
	memset(archive + HEADER, 0, end - HEADER);
	memmove(archive + end, archive + places[n - 1], HEADER + 11);
	set_field(0, NAMESIZE, "00000001");
	must_refuse(archive_size, "an empty name", 0);
	set_field(0, NAMESIZE, "00000000");
	must_refuse(archive_size, "no name at all", 0);
}

static void
other_formats(void)
{
	static const char *const magics[] = { "070707", "070702", "\037\213\10",
					      "\177ELF\2\1", "070700" };

	make_usual_archive();
	for (unsigned i = 0; i < ARRAY_SIZE(magics); i++) {
		memcpy(archive, magics[i], strlen(magics[i]));
		must_refuse(archive_size, magics[i], 0);
	}
	must_refuse(0, "nothing at all", 0);
}

static void
offset_outside(void)
{
	static const u64 beyond[] = { 1, 4, 1ul << 32, 1ul << 63, ~0ul - 200,
				      ~0ul - 110, ~0ul - 3, ~0ul };
	struct cpio_entry entry;
	const char *why;

	make_usual_archive();
	for (unsigned i = 0; i < ARRAY_SIZE(beyond); i++) {
		u64 offset = archive_size - 1 + beyond[i];

		CHECK_EQ(cpio_next(archive, archive_size, &offset, &entry,
				   &why), -EINVAL);
		CHECK(why);
	}
}

/* Whatever comes back lies inside the archive. */
static void
check_inside(const struct cpio_entry *entry, const char *from, u64 size)
{
	u64 name = (u64)(entry->name - from);
	u64 data = (u64)((const char *)entry->data - from);

	CHECK(name < size && name + strlen(entry->name) < size);
	CHECK(data <= size && entry->size <= size - data);
}

static void
random_damage(void)
{
	char *good;

	make_usual_archive();
	good = malloc(archive_size);
	memcpy(good, archive, archive_size);
	for (int round = 0; round < 20000; round++) {
		struct cpio_entry entry;
		const char *why;
		u64 offset = 0;
		int err;

		for (u64 n = host_random(8) + 1; n > 0; n--)
			archive[host_random(trailer_end)] =
				host_random(2) ? (char)host_random(256)
					       : "0123456789abcdef"
						       [host_random(16)];
		while ((err = cpio_next(archive, archive_size, &offset, &entry,
					&why)) == 0)
			check_inside(&entry, archive, archive_size);
		CHECK(err == -ENOENT || (err == -EINVAL && why));
		memcpy(archive, good, archive_size);
	}
}

static void
random_bytes(void)
{
	for (int round = 0; round < 5000; round++) {
		u64 size = host_random(400);
		struct cpio_entry entry;
		char *junk = malloc(size);
		const char *why = NULL;

		for (u64 i = 0; i < size; i++)
			junk[i] = (char)host_random(256);
		if (size >= 6 && host_random(2))
			memcpy(junk, "070701", 6);
		CHECK_EQ(cpio_find(junk, size, "bin", &entry, &why), -EINVAL);
		CHECK(why);
		free(junk);
	}
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("every file of an archive is found with its data",
	     finds_every_file);
	test("leading slashes and ./ are ignored", ignores_leading_slash);
	test("a name that is not there is -ENOENT",
	     says_when_a_name_is_not_there);
	test("a sound archive passes the check, which counts its files",
	     counts_regular_files);
	test("entries are listed in the archive's order", lists_in_order);
	test("each name of a hard-linked file finds the data",
	     finds_data_of_hard_links);
	test("an archive cut at any byte is refused", truncated);
	test("a header byte that is no digit is refused, wherever it is",
	     bad_digits);
	test("impossible sizes of name or data are refused", bad_sizes);
	test("a name size that is wrong by one is refused",
	     name_sizes_off_by_one);
	test("a name with a hole or without an end is refused",
	     names_with_a_hole);
	test("an entry without a name is refused", no_name);
	test("other formats are refused", other_formats);
	test("an offset outside the archive is refused", offset_outside);
	test("random damage never leads outside the archive", random_damage);
	test("random bytes are refused", random_bytes);
	return host_result();
}
