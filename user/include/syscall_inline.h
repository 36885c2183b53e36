/*
 * System calls without the C library in between: no errno, no cancellation
 * point, no other system call before or after. For measured loops, and where
 * a test must hand over exactly these six words.
 */
#pragma once

static inline long
syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long
syscall3(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long
syscall0(long nr)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr)
			 : "rcx", "r11", "memory");
	return result;
}
