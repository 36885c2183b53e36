// with: user/lib/elf.c
#include "host.h"

#include <elf.h>
#include <sanitizer/asan_interface.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/base/errno.h"

/* <elf.h> and the kernel's own file know the same format by other names. */
#include "user/include/elf_file.h"
#include "mm/region.h"

static char *image; /* of exactly image_size bytes */
static u64 image_size;
static char path[64];

/* ---- Programs --------------------------------------------------------- */

static void
shell(const char *command)
{
	if (system(command) != 0)
		FAIL("%s: failed", command);
}

static void
read_image(void)
{
	FILE *file = fopen(path, "rb");
	struct stat info;

	if (!file || fstat(fileno(file), &info) != 0)
		FAIL("cannot read %s", path);
	image_size = (u64)info.st_size;
	image = malloc(image_size);
	CHECK_EQ(fread(image, 1, image_size, file), image_size);
	fclose(file);
}

/* Compiles @source with the host's compiler; remove_program() afterwards. */
static void
make_program(const char *options, const char *source)
{
	char command[500];
	int fd;

	strcpy(path, "/tmp/elf-test-XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "echo '%s' | gcc -w -O1 -x c - %s -o %s", source, options,
		 path);
	shell(command);
	read_image();
}

static void
remove_program(void)
{
	unlink(path);
}

static const char hello[] = "int x = 5, y[5000]; int main(void)"
			    "{ return x + y[x] - 5; }";
static const char tiny[] = "int x = 5, y[5000]; void _start(void)"
			   "{ x = y[x]; for (;;); }";

/* A program of a few KiB with code, constants, data and bss. */
static void
make_tiny(void)
{
	make_program("-static -nostdlib -fno-pie -no-pie", tiny);
	remove_program();
}

static void
make_tiny_pie(void)
{
	make_program("-static-pie -nostdlib -fPIE", tiny);
	remove_program();
}

static int
parse(struct elf_program *program, const char **why)
{
	*why = NULL;
	return elf_parse(image, image_size, program, why);
}

/* ---- Good ones: what readelf says ------------------------------------- */

/* Runs "readelf -lW" and picks the value after @label. */
static u64
readelf_value(const char *label)
{
	char command[120], line[300];
	u64 value = 0;
	bool found = false;
	FILE *pipe;

	snprintf(command, sizeof(command), "readelf -hlW %s", path);
	pipe = popen(command, "r");
	while (fgets(line, sizeof(line), pipe)) {
		char *at = strstr(line, label);

		if (at && !found) {
			value = strtoul(at + strlen(label), NULL, 0);
			found = true;
		}
	}
	pclose(pipe);
	if (!found)
		FAIL("readelf prints no \"%s\"", label);
	return value;
}

/* "  LOAD 0x001000 0x401000 0x401000 0x08 0x08 R E 0x1000" */
static unsigned
readelf_segments(struct elf_segment *segments)
{
	char command[120], line[300], flags[4];
	unsigned n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "readelf -lW %s", path);
	pipe = popen(command, "r");
	while (fgets(line, sizeof(line), pipe)) {
		struct elf_segment s = { 0 };

		if (sscanf(line, " LOAD %lx %lx %*x %lx %lx %3c", &s.offset,
			   &s.address, &s.file_size, &s.mem_size, flags) != 5)
			continue;
		s.prot = (flags[0] == 'R' ? PROT_READ : 0) |
			 (flags[1] == 'W' ? PROT_WRITE : 0) |
			 (flags[2] == 'E' ? PROT_EXEC : 0);
		segments[n++] = s;
	}
	pclose(pipe);
	return n;
}

static void
compare_with_readelf(bool pie)
{
	struct elf_segment expected[ELF_MAX_SEGMENTS];
	struct elf_program seen;
	const char *why;
	unsigned n;

	if (parse(&seen, &why) != 0)
		FAIL("refused: %s", why);
	n = readelf_segments(expected);
	CHECK(n >= 2);
	CHECK_EQ(seen.nr_segments, n);
	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(seen.segments[i].offset, expected[i].offset);
		CHECK_EQ(seen.segments[i].address, expected[i].address);
		CHECK_EQ(seen.segments[i].file_size, expected[i].file_size);
		CHECK_EQ(seen.segments[i].mem_size, expected[i].mem_size);
		CHECK_EQ(seen.segments[i].prot, expected[i].prot);
	}
	CHECK_EQ(seen.low, expected[0].address & ~0xfffull);
	CHECK_EQ(seen.high, (expected[n - 1].address +
			     expected[n - 1].mem_size + 0xfff) & ~0xfffull);
	CHECK_EQ(seen.pie, pie);
	CHECK_EQ(seen.align, 0x1000);
	CHECK_EQ(seen.entry, readelf_value("Entry point address:"));
	CHECK_EQ(seen.phnum, readelf_value("Number of program headers:"));
	CHECK_EQ(seen.phentsize, 56);
	/* The first segment begins with the file, so the headers are in it. */
	CHECK_EQ(seen.phdr, expected[0].address + 64);
	CHECK(!seen.exec_stack);
	remove_program();
}

static void
static_program(void)
{
	make_program("-static -no-pie", hello);
	compare_with_readelf(false);
}

static void
static_pie_program(void)
{
	make_program("-static-pie -fPIE", hello);
	compare_with_readelf(true);
}

static void
tiny_program(void)
{
	make_program("-static -nostdlib -fno-pie -no-pie", tiny);
	compare_with_readelf(false);
}

static void
great_alignment(void)
{
	struct elf_program program;
	const char *why;

	make_program("-static-pie -nostdlib -fPIE "
		     "-Wl,-z,max-page-size=0x200000", tiny);
	remove_program();
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.align, 0x200000);
}

static void
executable_stack(void)
{
	struct elf_program program;
	const char *why;

	make_program("-static -nostdlib -fno-pie -no-pie -Wl,-z,execstack",
		     tiny);
	remove_program();
	CHECK_EQ(parse(&program, &why), 0);
	CHECK(program.exec_stack);
}

/* ---- Damage ----------------------------------------------------------- */

static void
must_refuse(u64 size, const char *expected, const char *what)
{
	struct elf_program program;
	const char *why = NULL;
	int err = elf_parse(image, size, &program, &why);

	if (err != -ENOEXEC || !why)
		FAIL("%s: accepted", what);
	if (!strstr(why, expected))
		FAIL("%s: \"%s\", expected \"%s\"", what, why, expected);
}

static Elf64_Ehdr *
header(void)
{
	return (Elf64_Ehdr *)image;
}

/* The @n-th PT_LOAD. */
static Elf64_Phdr *
load(unsigned n)
{
	Elf64_Phdr *phdr = (Elf64_Phdr *)(image + header()->e_phoff);

	while (phdr->p_type != PT_LOAD || n-- > 0)
		phdr++;
	return phdr;
}

static unsigned
nr_loads(void)
{
	Elf64_Phdr *phdr = (Elf64_Phdr *)(image + header()->e_phoff);
	unsigned n = 0;

	for (unsigned i = 0; i < header()->e_phnum; i++)
		n += phdr[i].p_type == PT_LOAD;
	return n;
}

/* Sets a field, expects the refusal, and restores it. */
#define REFUSED(field, value, why)                                    \
	do {                                                          \
		__typeof__(field) good_ = (field);                    \
		(field) = (__typeof__(field))(value);                 \
		must_refuse(image_size, why, #field " = " #value);    \
		(field) = good_;                                      \
	} while (0)

static void
dynamic_program(void)
{
	make_program("", hello);
	remove_program();
	must_refuse(image_size, "-static", "a dynamic program");
}

static void
not_programs(void)
{
	make_program("-c -fno-pie", hello);
	remove_program();
	must_refuse(image_size, "not an executable", "an object file");
	make_program("-shared -fPIC -nostdlib", "int f(void) { return 1; }");
	remove_program();
	must_refuse(image_size, "entry", "a library");
}

static void
cut(void)
{
	u64 needed = 0;

	make_tiny();
	for (unsigned i = 0; i < nr_loads(); i++)
		needed = MAX(needed, load(i)->p_offset + load(i)->p_filesz);
	CHECK(needed > 4096);
	for (u64 size = image_size; size > 0;) {
		size--;
		ASAN_POISON_MEMORY_REGION(image + size, image_size - size);
		if (size < needed) {
			must_refuse(size, "", "cut");
		} else {
			struct elf_program program;
			const char *why;

			CHECK_EQ(elf_parse(image, size, &program, &why), 0);
		}
	}
	ASAN_UNPOISON_MEMORY_REGION(image, image_size);
}

static void
header_fields(void)
{
	make_tiny();
	for (int i = 0; i < 4; i++)
		REFUSED(header()->e_ident[i], 0, "not an ELF");
	REFUSED(header()->e_ident[EI_CLASS], 0, "64-bit");
	REFUSED(header()->e_ident[EI_CLASS], ELFCLASS32, "64-bit");
	REFUSED(header()->e_ident[EI_CLASS], 0xff, "64-bit");
	REFUSED(header()->e_ident[EI_DATA], 0, "little-endian");
	REFUSED(header()->e_ident[EI_DATA], ELFDATA2MSB, "little-endian");
	REFUSED(header()->e_ident[EI_VERSION], 0, "version");
	REFUSED(header()->e_ident[EI_VERSION], 0xff, "version");
	REFUSED(header()->e_ident[EI_OSABI], ELFOSABI_FREEBSD, "system");
	REFUSED(header()->e_ident[EI_OSABI], 0xff, "system");
	REFUSED(header()->e_type, 0, "not an executable");
	REFUSED(header()->e_type, ET_CORE, "not an executable");
	REFUSED(header()->e_type, 0xffff, "not an executable");
	REFUSED(header()->e_machine, 0, "x86-64");
	REFUSED(header()->e_machine, EM_386, "x86-64");
	REFUSED(header()->e_machine, 0xffff, "x86-64");
	REFUSED(header()->e_version, 0, "version");
	REFUSED(header()->e_version, ~0u, "version");
	REFUSED(header()->e_ehsize, 0, "header has a wrong size");
	REFUSED(header()->e_ehsize, 0xffff, "header has a wrong size");
	REFUSED(header()->e_phentsize, 0, "wrong size");
	REFUSED(header()->e_phentsize, 55, "wrong size");
	REFUSED(header()->e_phentsize, 0xffff, "wrong size");
}

static void
table_place(void)
{
	make_tiny();
	REFUSED(header()->e_phnum, 0, "no program headers");
	REFUSED(header()->e_phnum, 0xffff, "outside the file");
	REFUSED(header()->e_phoff, 0, "outside the file");
	REFUSED(header()->e_phoff, 63, "outside the file");
	REFUSED(header()->e_phoff, image_size - 56 * header()->e_phnum + 1,
		"outside the file");
	REFUSED(header()->e_phoff, image_size, "outside the file");
	REFUSED(header()->e_phoff, ~0ul, "outside the file");
	REFUSED(header()->e_phoff, -56l, "outside the file");
	REFUSED(header()->e_phoff, 1ul << 63, "outside the file");
}

static void
entry_point(void)
{
	Elf64_Phdr *code;

	make_tiny();
	code = load(1);
	CHECK(code->p_flags & PF_X);
	REFUSED(header()->e_entry, 0, "entry point");
	REFUSED(header()->e_entry, ~0ul, "entry point");
	REFUSED(header()->e_entry, code->p_vaddr - 1, "entry point");
	REFUSED(header()->e_entry, code->p_vaddr + code->p_memsz,
		"entry point");
	REFUSED(header()->e_entry, load(nr_loads() - 1)->p_vaddr,
		"entry point");
	REFUSED(code->p_flags, PF_R, "entry point");
	REFUSED(code->p_flags, 0, "entry point");
}

static void
segment_fields(void)
{
	make_tiny();
	for (unsigned i = 0; i < nr_loads(); i++) {
		Elf64_Phdr *p = load(i);

		REFUSED(p->p_offset, ~0ul, "outside the file");
		REFUSED(p->p_offset, image_size - p->p_filesz + 1,
			"outside the file");
		REFUSED(p->p_offset, p->p_offset - 8, "");
		REFUSED(p->p_offset, p->p_offset + 1, "");
		REFUSED(p->p_filesz, ~0ul, "larger in the file");
		REFUSED(p->p_filesz, p->p_memsz + 1, "larger in the file");
		REFUSED(p->p_memsz, 0, "larger in the file");
		REFUSED(p->p_memsz, p->p_filesz - 1, "larger in the file");
		REFUSED(p->p_memsz, ~0ul, "user space");
		REFUSED(p->p_memsz, USER_END - p->p_vaddr + 1, "user space");
		REFUSED(p->p_memsz, -p->p_vaddr, "user space");
		REFUSED(p->p_vaddr, ~0ul, "user space");
		REFUSED(p->p_vaddr, -4096l, "user space");
		REFUSED(p->p_vaddr, USER_END, "user space");
		REFUSED(p->p_vaddr, 0xffffffff80000000ul, "user space");
		REFUSED(p->p_vaddr, 0, "first pages");
		REFUSED(p->p_vaddr, USER_START - 4096, "first pages");
		REFUSED(p->p_vaddr, p->p_vaddr + 8, "modulo");
		REFUSED(p->p_align, 3, "power of two");
		REFUSED(p->p_align, ~0ul, "power of two");
		REFUSED(p->p_align, 1ul << 63, "too great");
		REFUSED(p->p_flags, ~0u, "permissions");
		REFUSED(p->p_flags, 8, "permissions");
	}
	/* Congruent modulo the page is not enough where more is asked for. */
	load(1)->p_align = 0x200000;
	REFUSED(load(1)->p_vaddr, load(1)->p_vaddr + 4096, "modulo");
}

static void
overlaps(void)
{
	make_tiny();
	for (unsigned i = 1; i < nr_loads(); i++) {
		Elf64_Phdr *low = load(i - 1), *high = load(i);
		u64 gap = high->p_vaddr - low->p_vaddr;

		REFUSED(low->p_memsz, gap + 1, "overlap");
		if (low->p_memsz > high->p_vaddr % 4096)
			REFUSED(high->p_vaddr,
				ALIGN_DOWN(low->p_vaddr, 4096ul) +
				high->p_vaddr % 4096, "overlap");
		REFUSED(low->p_vaddr, low->p_vaddr + 0x100000, "order");
	}
	/* To touch is legal. */
	load(0)->p_memsz = load(1)->p_vaddr - load(0)->p_vaddr;
	{
		struct elf_program program;
		const char *why;

		CHECK_EQ(parse(&program, &why), 0);
	}
}

static void
headers_partly_loaded(void)
{
	struct elf_program program;
	const char *why;

	make_tiny();
	load(0)->p_filesz = 64 + 56 * header()->e_phnum;
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.phdr, load(0)->p_vaddr + 64);
	load(0)->p_filesz--;
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.phdr, 0);
	load(0)->p_filesz = 63;
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.phdr, 0);
}

static void
pie_may_start_at_zero(void)
{
	struct elf_program program;
	const char *why;

	make_tiny_pie();
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.low, 0);
	CHECK(program.pie);
	header()->e_type = ET_EXEC;
	must_refuse(image_size, "first pages", "the same, not relocatable");
}

/* A page in which two segments are belongs to the later one. */
static void
shared_pages(void)
{
	static const struct elf_program program = {
		.nr_segments = 3,
		.segments = { { .address = 0x1000, .mem_size = 0x1800 },
			      { .address = 0x2800, .mem_size = 0x100 },
			      { .address = 0x2900, .mem_size = 0x1701 } },
	};
	static const u64 expected[3][2] = { { 0x1000, 0x2000 },
					    { 0x2000, 0x2000 },
					    { 0x2000, 0x5000 } };

	for (unsigned i = 0; i < 3; i++) {
		u64 start, end;

		elf_own_pages(&program, i, &start, &end);
		CHECK_EQ(start, expected[i][0]);
		CHECK_EQ(end, expected[i][1]);
	}
}

static void
too_many_segments(void)
{
	struct elf_program program;
	Elf64_Phdr *phdr;
	const char *why;

	image_size = 64 + 56 * (ELF_MAX_SEGMENTS + 2) + 4096;
	image = calloc(1, image_size);
	memcpy(header()->e_ident, "\177ELF\2\1\1", 7);
	header()->e_type = ET_EXEC;
	header()->e_machine = EM_X86_64;
	header()->e_version = 1;
	header()->e_ehsize = 64;
	header()->e_phoff = 64;
	header()->e_phentsize = 56;
	header()->e_entry = 0x400000;
	phdr = (Elf64_Phdr *)(image + 64);
	for (unsigned i = 0; i <= ELF_MAX_SEGMENTS; i++)
		phdr[i] = (Elf64_Phdr){ .p_type = PT_LOAD,
					.p_flags = PF_R | PF_X,
					.p_vaddr = 0x400000 + i * 4096,
					.p_memsz = 1 };
	header()->e_phnum = ELF_MAX_SEGMENTS;
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.nr_segments, ELF_MAX_SEGMENTS);
	CHECK_EQ(program.phdr, 0); /* no segment has them */
	header()->e_phnum++;
	must_refuse(image_size, "too many", "one more");
	/* An empty one is no segment. */
	phdr[3].p_memsz = 0;
	CHECK_EQ(parse(&program, &why), 0);
	CHECK_EQ(program.nr_segments, ELF_MAX_SEGMENTS);
	for (unsigned i = 0; i <= ELF_MAX_SEGMENTS; i++)
		phdr[i].p_type = PT_NULL;
	must_refuse(image_size, "nothing to load", "no segments");
}

/* What the loader may rely on, whatever was in the file. */
static void
check_promises(const struct elf_program *p)
{
	bool entry_ok = false;

	CHECK(p->nr_segments >= 1 && p->nr_segments <= ELF_MAX_SEGMENTS);
	for (unsigned i = 0; i < p->nr_segments; i++) {
		const struct elf_segment *s = &p->segments[i];
		u64 end = s->address + s->mem_size;

		CHECK(s->mem_size > 0 && s->file_size <= s->mem_size);
		CHECK(s->offset <= image_size &&
		      s->file_size <= image_size - s->offset);
		CHECK(end > s->address && end <= USER_END);
		CHECK(p->pie || s->address >= USER_START);
		CHECK(s->offset % PAGE_SIZE == s->address % PAGE_SIZE);
		CHECK((s->prot & ~PROT_ALL) == 0);
		CHECK(s->address >= p->low && end <= p->high);
		if (i > 0)
			CHECK(s->address >= s[-1].address + s[-1].mem_size);
		if (p->entry >= s->address && p->entry < end)
			entry_ok = s->prot & PROT_EXEC;
	}
	CHECK(entry_ok);
	CHECK(p->low % PAGE_SIZE == 0 && p->high % PAGE_SIZE == 0);
	CHECK(p->low < p->high && p->high <= USER_END);
	CHECK(p->align >= PAGE_SIZE && (p->align & (p->align - 1)) == 0);
}

static u64
odd_value(void)
{
	const u64 odd[] = { 0, 1, 2, 8, 0xfff, 0x1000, 0x1001, image_size - 1,
			    image_size, image_size + 1, 0x7fffffff,
			    0x80000000, 0xffffffff, 0x100000000, USER_END - 1,
			    USER_END, USER_START, 1ul << 63, (1ul << 63) - 1,
			    -4096ul, -1ul, 0x400000, 0x401000, 0xffff };
	u64 value = odd[host_random(ARRAY_SIZE(odd))];

	return host_random(4) ? value
			      : value + odd[host_random(ARRAY_SIZE(odd))];
}

/* Damages header and program headers, where it hurts. */
static void
damage(u64 end)
{
	for (u64 n = host_random(4) + 1; n > 0; n--) {
		u64 value = odd_value();

		if (host_random(3) == 0)
			image[host_random(end)] = (char)value;
		else
			memcpy(image + host_random(end / 8) * 8, &value, 8);
	}
}

static void
random_damage(void)
{
	unsigned accepted = 0;
	u64 end;
	char *good;

	for (int pie = 0; pie < 2; pie++) {
		if (pie)
			make_tiny_pie();
		else
			make_tiny();
		end = 64 + 56 * header()->e_phnum;
		good = malloc(end);
		memcpy(good, image, end);
		for (int round = 0; round < 100000; round++) {
			struct elf_program program;
			const char *why;

			damage(end);
			if (parse(&program, &why) == 0) {
				check_promises(&program);
				accepted++;
			} else {
				CHECK(why);
			}
			memcpy(image, good, end);
		}
	}
	CHECK(accepted > 1000); /* else the promises were hardly tested */
}

static void
random_bytes(void)
{
	for (int round = 0; round < 5000; round++) {
		image_size = host_random(400);
		image = malloc(image_size + 1) + 1; /* nor is it aligned */
		for (u64 i = 0; i < image_size; i++)
			image[i] = (char)host_random(256);
		if (image_size >= 7 && host_random(2))
			memcpy(image, "\177ELF\2\1\1", 7);
		must_refuse(image_size, "", "random bytes");
		free(image - 1);
	}
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("a static glibc program is read as readelf reads it",
	     static_program);
	test("a static-PIE glibc program is read as readelf reads it",
	     static_pie_program);
	test("a program without a C library is read as readelf reads it",
	     tiny_program);
	test("the greatest alignment of the segments is reported",
	     great_alignment);
	test("a request for an executable stack is reported",
	     executable_stack);
	test("a relocatable program may start at address 0, another may not",
	     pie_may_start_at_zero);
	test("a dynamic program is refused with advice", dynamic_program);
	test("objects and libraries are refused", not_programs);
	test("a program cut at any byte that is loaded is refused", cut);
	test("a wrong header field is refused by its name", header_fields);
	test("program headers outside the file are refused", table_place);
	test("an entry point outside the code is refused", entry_point);
	test("a segment with impossible fields is refused", segment_fields);
	test("overlapping and unordered segments are refused", overlaps);
	test("program headers that are not wholly loaded have no address",
	     headers_partly_loaded);
	test("at most 16 segments that are not empty are taken",
	     too_many_segments);
	test("a page in which two segments are is the later one's",
	     shared_pages);
	test("what is accepted after random damage keeps every promise",
	     random_damage);
	test("random bytes are refused", random_bytes);
	return host_result();
}
