/*
 * The program's own file, read back: its symbol table here, its lines through
 * addr2line (of binutils).
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/sim/image.h"

extern const char __executable_start[]; /* by the linker */

/* The file; NULL when it cannot be read. */
static const Elf64_Ehdr *
image(void)
{
	static const Elf64_Ehdr *file;
	struct stat about;
	int fd;

	if (file)
		return file;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &about))
		return NULL;
	file = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		file = NULL;
	close(fd);
	return file;
}

static const void *
at(u64 offset)
{
	return (const char *)image() + offset;
}

/* How far the program was moved from where it was linked. */
static u64
load_bias(void)
{
	return image() && image()->e_type == ET_DYN ? (u64)__executable_start
						    : 0;
}

/* ---- Variables --------------------------------------------------------- */

static const Elf64_Shdr *
symbol_table(void)
{
	const Elf64_Shdr *section = at(image()->e_shoff);

	for (unsigned i = 0; i < image()->e_shnum; i++)
		if (section[i].sh_type == SHT_SYMTAB)
			return &section[i];
	return NULL;
}

static const char *
string_at(const Elf64_Shdr *table, u64 offset)
{
	const Elf64_Shdr *sections = at(image()->e_shoff);

	return at(sections[table->sh_link].sh_offset + offset);
}

/* The symbol of @type (STT_OBJECT, STT_FUNC) that holds an address. */
static const Elf64_Sym *
symbol_at(u64 linked, unsigned type)
{
	const Elf64_Shdr *table = image() ? symbol_table() : NULL;
	const Elf64_Sym *symbol, *end;

	if (!table)
		return NULL;
	symbol = at(table->sh_offset);
	end = at(table->sh_offset + table->sh_size);
	for (; symbol < end; symbol++)
		if (ELF64_ST_TYPE(symbol->st_info) == type &&
		    linked - symbol->st_value < symbol->st_size)
			return symbol;
	return NULL;
}

const char *
variable_at(const void *address, const void **base)
{
	u64 linked = (u64)address - load_bias();
	const Elf64_Sym *symbol = symbol_at(linked, STT_OBJECT);

	if (!symbol)
		return NULL;
	*base = (const char *)address - (linked - symbol->st_value);
	return string_at(symbol_table(), symbol->st_name);
}

bool
is_code(u64 address)
{
	return symbol_at(address - load_bias(), STT_FUNC) != NULL;
}

void
function_name(u64 caller, char *buf, size_t size)
{
	u64 linked = caller - load_bias();
	const Elf64_Sym *symbol = symbol_at(linked - 1, STT_FUNC);

	if (symbol)
		snprintf(buf, size, "%s+%#lx",
			 string_at(symbol_table(), symbol->st_name),
			 linked - symbol->st_value);
	else
		snprintf(buf, size, "%#lx", caller);
}

/* ---- Lines ------------------------------------------------------------- */

/* Writes the addresses to a file, one a line: there may be many. */
static int
write_addresses(const u64 *callers, size_t n, char *path)
{
	int fd = mkstemp(path);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out)
		return -1;
	/* A return address is behind its call, perhaps on the next line. */
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%#lx\n", callers[i] - 1 - load_bias());
	return fclose(out);
}

/* "/somewhere/mm/mm.c" as it is called in the tree, wherever that was when it
 * was compiled. */
static const char *
in_tree(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "./", 2) && !access(part, F_OK))
			return part;
	}
	return path;
}

/* "mm/mm.c:88 (discriminator 2)" */
static void
parse_place(char *text, struct source_line *line)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return;
	*colon = 0;
	line->line = (unsigned)strtoul(colon + 1, NULL, 10);
	snprintf(line->file, sizeof(line->file), "%.47s", in_tree(text));
}

static bool
is_header(const char *file)
{
	size_t length = strlen(file);

	return length > 2 && !strcmp(file + length - 2, ".h");
}

/*
 * addr2line answers each address by itself, then one pair of lines, function
 * and place, for the innermost inlined function and each one around it.
 */
static void
read_answers(FILE *in, struct source_line *lines, size_t n)
{
	struct source_line *line = lines - 1;
	char function[256], place[4096];

	while (fgets(function, sizeof(function), in)) {
		if (!strncmp(function, "0x", 2)) {
			line++;
			continue;
		}
		if (!fgets(place, sizeof(place), in))
			return;
		if (line < lines || line >= lines + n)
			continue;
		if (line->file[0] && !is_header(line->file))
			continue;
		function[strcspn(function, "\n")] = 0;
		snprintf(line->function, sizeof(line->function), "%.*s",
			 (int)sizeof(line->function) - 1, function);
		parse_place(place, line);
	}
}

void
source_lines(const u64 *callers, struct source_line *lines, size_t n)
{
	char path[] = "/tmp/explore.XXXXXX";
	char command[256];
	FILE *answers;

	memset(lines, 0, n * sizeof(*lines));
	if (n && !write_addresses(callers, n, path)) {
		snprintf(command, sizeof(command),
			 "addr2line -a -f -i -e /proc/%d/exe <%s", getpid(),
			 path);
		answers = popen(command, "r");
		if (answers) {
			read_answers(answers, lines, n);
			pclose(answers);
		}
	}
	unlink(path);
}
