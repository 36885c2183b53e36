// with: user/lib/stack.c
#include "host.h"

#include "user/include/program.h"

#define TOP 0x00007ffffffff000ul

static const struct elf_program elf = {
	.entry = 0x1234, .phdr = 0x40, .phnum = 3, .phentsize = 56, .pie = true,
};

/* What a program would find, in a buffer of exactly that size. */
static char *stack;
static size_t used;

static u64
word_at(u64 addr)
{
	u64 word;

	CHECK(addr >= TOP - used && addr <= TOP - 8);
	memcpy(&word, stack + used - (TOP - addr), 8);
	return word;
}

static const char *
string_at(u64 addr)
{
	CHECK(addr >= TOP - used && addr < TOP);
	return stack + used - (TOP - addr);
}

static u64
build(const char *const *argv, const char *const *envp)
{
	struct program_args args = {
		.path = "/bin/program", .argv = argv, .envp = envp,
		.random = { 0x1111, 0x2222 }, .hwcap = 0x77,
	};

	used = stack_build(NULL, 0, TOP, &elf, 0x10000, &args);
	CHECK(used % 16 == 0);
	stack = malloc(used);
	memset(stack, 0x55, used);
	CHECK_EQ(stack_build(stack, used - 1, TOP, &elf, 0x10000, &args), used);
	CHECK_EQ(stack[0], 0x55); /* too small: nothing was written */
	CHECK_EQ(stack_build(stack, used, TOP, &elf, 0x10000, &args), used);
	return TOP - used;
}

static u64
auxv(u64 at, u64 type)
{
	for (; word_at(at); at += 16)
		if (word_at(at) == type)
			return word_at(at + 8);
	FAIL("no entry of type %lu", type);
}

static void
all_is_there(void)
{
	const char *const argv[] = { "program", "", "third", NULL };
	const char *const envp[] = { "A=1", "B=", NULL };
	u64 sp = build(argv, envp), at = sp + 8;

	CHECK_EQ(word_at(sp), 3);
	for (int i = 0; i < 3; i++, at += 8)
		CHECK_EQ(strcmp(string_at(word_at(at)), argv[i]), 0);
	CHECK_EQ(word_at(at), 0);
	at += 8;
	for (int i = 0; i < 2; i++, at += 8)
		CHECK_EQ(strcmp(string_at(word_at(at)), envp[i]), 0);
	CHECK_EQ(word_at(at), 0);
	at += 8;
	CHECK_EQ(auxv(at, 3), 0x10040);	 /* AT_PHDR */
	CHECK_EQ(auxv(at, 4), 56);	 /* AT_PHENT */
	CHECK_EQ(auxv(at, 5), 3);	 /* AT_PHNUM */
	CHECK_EQ(auxv(at, 6), 4096);	 /* AT_PAGESZ */
	CHECK_EQ(auxv(at, 9), 0x11234);	 /* AT_ENTRY */
	CHECK_EQ(auxv(at, 16), 0x77);	 /* AT_HWCAP */
	CHECK_EQ(auxv(at, 23), 0);	 /* AT_SECURE */
	CHECK_EQ(strcmp(string_at(auxv(at, 15)), "x86_64"), 0);
	CHECK_EQ(strcmp(string_at(auxv(at, 31)), "/bin/program"), 0);
	CHECK_EQ(auxv(at, 25) % 16, 0);	 /* AT_RANDOM */
	CHECK_EQ(word_at(auxv(at, 25)), 0x1111);
	CHECK_EQ(word_at(auxv(at, 25) + 8), 0x2222);
	free(stack);
}

static void
nothing_at_all(void)
{
	const char *const none[] = { NULL };
	u64 sp = build(none, none);

	CHECK_EQ(word_at(sp), 0);
	CHECK_EQ(word_at(sp + 8), 0);
	CHECK_EQ(word_at(sp + 16), 0);
	CHECK_EQ(auxv(sp + 24, 6), 4096);
	free(stack);
}

/* Every length, so that every alignment comes. */
static void
every_length(void)
{
	char text[200];
	const char *const argv[] = { text, NULL }, *const none[] = { NULL };

	for (size_t n = 0; n < sizeof(text); n++) {
		u64 sp;

		memset(text, 'x', n);
		text[n] = 0;
		sp = build(argv, none);
		CHECK_EQ(sp % 16, 0);
		CHECK_EQ(strlen(string_at(word_at(sp + 8))), n);
		free(stack);
	}
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("a program finds its arguments, environment and auxv", all_is_there);
	test("a program may have no arguments", nothing_at_all);
	test("strings of every length are in place", every_length);
	return host_result();
}
