// linux-oracle
/* mmap, munmap, mremap, madvise and brk: what they do, and each refusal. */
#include "tests/user/check.h"

enum {
	ANON = MAP_PRIVATE | MAP_ANONYMOUS,
	RW = PROT_READ | PROT_WRITE,
};

static long
map(unsigned long addr, unsigned long len, int prot, int flags)
{
	return syscall6(SYS_mmap, addr, len, prot, flags, -1, 0);
}

static long
unmap(unsigned long addr, unsigned long len)
{
	return syscall3(SYS_munmap, addr, len, 0);
}

static long
remap(unsigned long addr, unsigned long old, unsigned long new, int flags,
      unsigned long to)
{
	return syscall6(SYS_mremap, addr, old, new, flags, to, 0);
}

static long
advise(unsigned long addr, unsigned long len, int advice)
{
	return syscall3(SYS_madvise, addr, len, advice);
}

static void
touch(void *arg)
{
	++*(volatile char *)arg;
}

static bool
is_mapped(unsigned long addr)
{
	return in_child(touch, (void *)addr) == EXITED(0);
}

/* An address with @pages free pages behind it. */
static unsigned long
room(unsigned long pages)
{
	unsigned long addr = map(0, pages * PAGE, PROT_NONE, ANON);

	unmap(addr, pages * PAGE);
	return addr;
}

static void
mmap_basics(void)
{
	char *a = (char *)map(0, 100, RW, ANON);
	unsigned long free;

	check((unsigned long)a % PAGE == 0, "mmap returns a page's address");
	check(a[0] == 0 && a[4095] == 0, "the whole page is there, zeroed");
	a[4095] = 1;
	free = room(4);
	show_expect("mmap at a free hint returns the hint",
		    map(free + PAGE, PAGE, RW, ANON) - free, PAGE);
	check(map(free + PAGE, PAGE, RW, ANON) != (long)(free + PAGE),
	      "mmap at a taken hint goes elsewhere");
	check(is_mapped(free + PAGE), "and leaves what is there");
	check(map(free + PAGE + 5, PAGE, RW, ANON) % PAGE == 0,
	      "an unaligned hint is rounded");
}

static void
mmap_fixed(void)
{
	unsigned long at = map(0, 4 * PAGE, RW, ANON);

	((char *)at)[PAGE] = 7;
	((char *)at)[2 * PAGE] = 8;
	show_expect("MAP_FIXED replaces what is there",
		    map(at + PAGE, PAGE, RW, ANON | MAP_FIXED) - at, PAGE);
	check(((char *)at)[PAGE] == 0, "by fresh memory");
	check(((char *)at)[2 * PAGE] == 8, "and its neighbour stays");
	show_expect("MAP_FIXED_NOREPLACE refuses",
		    map(at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE), -EEXIST);
	unmap(at, PAGE);
	show_expect("MAP_FIXED_NOREPLACE takes what is free",
		    map(at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE) - at, 0);
	show_expect("MAP_FIXED unaligned",
		    map(at + 1, PAGE, RW, ANON | MAP_FIXED), -EINVAL);
	show_expect("MAP_FIXED beyond user space",
		    map(1ul << 47, PAGE, RW, ANON | MAP_FIXED), -ENOMEM);
	show_expect("MAP_FIXED in the kernel half",
		    map(0xffff800000000000, PAGE, RW, ANON | MAP_FIXED),
		    -ENOMEM);
	show_expect("MAP_FIXED up to the very end",
		    map((1ul << 47) - PAGE, PAGE, RW, ANON | MAP_FIXED),
		    -ENOMEM);
}

static void
mmap_errors(void)
{
	show_expect("mmap of length 0", map(0, 0, RW, ANON), -EINVAL);
	show_expect("mmap neither private nor shared",
		    map(0, PAGE, RW, MAP_ANONYMOUS), -EINVAL);
	show_expect("mmap of too much", map(0, 1ul << 47, RW, ANON), -ENOMEM);
	show_expect("mmap of a length that wraps",
		    map(0, -PAGE + 1, RW, ANON), -ENOMEM);
	show_expect("mmap of a bad descriptor",
		    syscall6(SYS_mmap, 0, PAGE, RW, MAP_PRIVATE, -1, 0),
		    -EBADF);
	show_expect("mmap at an unaligned offset",
		    syscall6(SYS_mmap, 0, PAGE, RW, ANON, -1, 1), -EINVAL);
	show_error_or_ok("mmap of 1 TiB without rights",
			 map(0, 1ul << 40, PROT_NONE,
			     ANON | MAP_NORESERVE), 0);
	show_error_or_ok("mmap of a thread's stack",
			 map(0, 8 << 20, RW, ANON | MAP_STACK | MAP_NORESERVE),
			 0);
}

static void
munmap_splits(void)
{
	unsigned long at = map(0, 8 * PAGE, RW, ANON);

	for (int i = 0; i < 8; i++)
		((char *)at)[i * PAGE] = i;
	show_expect("munmap in the middle", unmap(at + 3 * PAGE, 2 * PAGE), 0);
	check(is_mapped(at + 2 * PAGE) && is_mapped(at + 5 * PAGE),
	      "both sides stay");
	check(!is_mapped(at + 3 * PAGE) && !is_mapped(at + 4 * PAGE),
	      "the middle is gone");
	check(((char *)at)[2 * PAGE] == 2 && ((char *)at)[5 * PAGE] == 5,
	      "with what was in them");
	show_expect("munmap over the hole", unmap(at, 8 * PAGE), 0);
	check(!is_mapped(at) && !is_mapped(at + 7 * PAGE), "takes the rest");
	show_expect("munmap of nothing", unmap(at, 8 * PAGE), 0);
	show_expect("munmap of length 0", unmap(at, 0), -EINVAL);
	show_expect("munmap unaligned", unmap(at + 1, PAGE), -EINVAL);
	show_expect("munmap in the kernel half",
		    unmap(0xffff800000000000, PAGE), -EINVAL);
	show_expect("munmap that wraps around", unmap(at, -PAGE), -EINVAL);
	at = map(0, 2 * PAGE, RW, ANON);
	show_expect("munmap rounds its length up", unmap(at, 1), 0);
	check(!is_mapped(at) && is_mapped(at + PAGE), "to one page");
}

/* What is mapped again after munmap is zeroed. */
static void
memory_comes_back_clean(void)
{
	bool clean = true;

	for (int i = 0; i < 50; i++) {
		char *a = (char *)map(0, 16 * PAGE, RW, ANON);

		for (unsigned long j = 0; j < 16 * PAGE; j += 512)
			clean &= a[j] == 0;
		memset(a, 0xff, 16 * PAGE);
		unmap((unsigned long)a, 16 * PAGE);
	}
	check(clean, "fresh memory is always zero");
}

static void
mremap_moves(void)
{
	unsigned long at = map(0, 4 * PAGE, RW, ANON), to;
	char *a = (char *)at;

	for (int i = 0; i < 4; i++)
		a[i * PAGE] = i + 1;
	show_expect("mremap shrinks in place",
		    remap(at, 4 * PAGE, 2 * PAGE, 0, 0) - at, 0);
	check(!is_mapped(at + 2 * PAGE), "and unmaps the rest");
	show_expect("mremap grows in place",
		    remap(at, 2 * PAGE, 3 * PAGE, 0, 0) - at, 0);
	check(a[PAGE] == 2 && a[2 * PAGE] == 0, "with fresh memory");
	map(at + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED);
	mprotect((void *)(at + 3 * PAGE), PAGE, PROT_NONE);
	show_expect("mremap cannot grow into a neighbour",
		    remap(at, 3 * PAGE, 5 * PAGE, 0, 0), -ENOMEM);
	to = remap(at, 3 * PAGE, 100 * PAGE, MREMAP_MAYMOVE, 0);
	check((long)to > 0 && to != at, "MREMAP_MAYMOVE moves");
	check(((char *)to)[0] == 1 && ((char *)to)[PAGE] == 2,
	      "contents move with it");
	check(((char *)to)[99 * PAGE] == 0, "fresh memory behind");
	check(!is_mapped(at), "the old place is free");
	at = room(200);
	show_expect("MREMAP_FIXED goes where it is told",
		    remap(to, 100 * PAGE, 50 * PAGE,
			  MREMAP_MAYMOVE | MREMAP_FIXED, at) - at, 0);
	check(((char *)at)[PAGE] == 2 && !is_mapped(to), "and moves all");
	check(!is_mapped(at + 50 * PAGE), "but no more than was asked for");
}

static void
mremap_errors(void)
{
	unsigned long at = map(0, 4 * PAGE, RW, ANON);

	unmap(at + 2 * PAGE, PAGE);
	show_expect("mremap unaligned", remap(at + 1, PAGE, PAGE, 0, 0),
		    -EINVAL);
	show_expect("mremap to length 0", remap(at, PAGE, 0, 0, 0), -EINVAL);
	show_expect("mremap with unknown flags",
		    remap(at, PAGE, PAGE, 0x80, 0), -EINVAL);
	show_expect("MREMAP_FIXED without MAYMOVE",
		    remap(at, PAGE, PAGE, MREMAP_FIXED, at), -EINVAL);
	show_expect("MREMAP_FIXED unaligned",
		    remap(at, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE,
			  at + 7), -EINVAL);
	show_expect("MREMAP_FIXED onto itself",
		    remap(at, 2 * PAGE, 2 * PAGE,
			  MREMAP_FIXED | MREMAP_MAYMOVE, at + PAGE), -EINVAL);
	show_expect("mremap of nothing",
		    remap(at + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0),
		    -EFAULT);
	show_expect("mremap growing across a hole",
		    remap(at, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT);
}

static void
madvise_discards(void)
{
	char *a = (char *)map(0, 4 * PAGE, RW, ANON);
	unsigned long at = (unsigned long)a;

	memset(a, 5, 4 * PAGE);
	show_expect("MADV_DONTNEED", advise(at + PAGE, 2 * PAGE,
					    MADV_DONTNEED), 0);
	check(a[PAGE] == 0 && a[2 * PAGE] == 0, "reads as zero");
	check(a[0] == 5 && a[3 * PAGE] == 5, "its neighbours stay");
	show_expect("MADV_NORMAL", advise(at, PAGE, MADV_NORMAL), 0);
	show_expect("MADV_WILLNEED", advise(at, PAGE, MADV_WILLNEED), 0);
	show_expect("madvise of length 0", advise(at, 0, MADV_DONTNEED), 0);
	show_expect("madvise unaligned", advise(at + 1, PAGE, MADV_DONTNEED),
		    -EINVAL);
	show_expect("madvise with unknown advice", advise(at, PAGE, 9999),
		    -EINVAL);
	unmap(at + PAGE, PAGE);
	show_expect("MADV_DONTNEED over a hole",
		    advise(at, 4 * PAGE, MADV_DONTNEED), -ENOMEM);
	check(a[0] == 0 && a[3 * PAGE] == 0, "does the rest all the same");
}

static void
madvise_populates(void)
{
	char *a = (char *)map(0, 64 * PAGE, RW, ANON);
	unsigned long at = (unsigned long)a;
	bool good = true;

	a[5 * PAGE] = 9;
	show_expect("MADV_POPULATE_WRITE",
		    advise(at, 64 * PAGE, MADV_POPULATE_WRITE), 0);
	for (int i = 0; i < 64; i++)
		good &= a[i * PAGE] == (i == 5 ? 9 : 0);
	check(good, "fresh pages are zero, the old one stays");
	show_expect("MADV_POPULATE_READ",
		    advise(at, 64 * PAGE, MADV_POPULATE_READ), 0);
	mprotect(a, PAGE, PROT_READ);
	show_expect("MADV_POPULATE_WRITE of read-only memory",
		    advise(at, PAGE, MADV_POPULATE_WRITE), -EINVAL);
	unmap(at + PAGE, PAGE);
	show_expect("MADV_POPULATE_WRITE over a hole",
		    advise(at + PAGE, PAGE, MADV_POPULATE_WRITE), -ENOMEM);
}

static long
brk_to(long address)
{
	return syscall3(SYS_brk, address, 0, 0);
}

static void
brk_moves(void *arg)
{
	long start = brk_to(0);

	(void)arg;
	check(start > 0, "brk(0) tells where the heap ends");
	show_expect("brk grows", brk_to(start + 3 * PAGE) - start, 3 * PAGE);
	check(((char *)start)[2 * PAGE] == 0, "by zeroed memory");
	((char *)start)[2 * PAGE] = 1;
	show_expect("brk need not be aligned",
		    brk_to(start + PAGE + 77) - start, PAGE + 77);
	check(!is_mapped(start + 2 * PAGE), "shrinking unmaps");
	show_expect("brk grows again", brk_to(start + 3 * PAGE) - start,
		    3 * PAGE);
	check(((char *)start)[2 * PAGE] == 0, "and the memory is fresh");
	show_expect("brk below its start is refused",
		    brk_to(PAGE) - start, 3 * PAGE);
	show_expect("brk beyond user space is refused",
		    brk_to(1l << 47) - start, 3 * PAGE);
	map(start + 5 * PAGE, PAGE, RW, ANON | MAP_FIXED);
	show_expect("brk into a mapping is refused",
		    brk_to(start + 8 * PAGE) - start, 3 * PAGE);
	map(start + PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED);
	check(!is_mapped(start + PAGE), "MAP_FIXED may replace the heap");
	fflush(stdout);
	_exit(wrong_results != 0);
}

int
main(void)
{
	begin();
	mmap_basics();
	mmap_fixed();
	mmap_errors();
	munmap_splits();
	memory_comes_back_clean();
	mremap_moves();
	mremap_errors();
	madvise_discards();
	madvise_populates();
	check_child("brk", brk_moves, NULL, EXITED(0));
	return end();
}
