/*
 * The vocabulary of types. Addresses say what they are an address *in*:
 * physical memory, the kernel's half, or some user's half. Only the user-copy
 * routines (mm/usercopy.h) may turn a uaddr_t into an access.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef int64_t ssize_t;

typedef u64 paddr_t; /* physical address, bytes */
typedef u64 vaddr_t; /* kernel virtual address */
typedef u64 uaddr_t; /* user virtual address: never dereferenced directly */
typedef u64 pfn_t;   /* page frame number: paddr_t / PAGE_SIZE */
typedef int tid_t;   /* task id; a process's pid is its first task's tid */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#ifndef MAX_CPUS /* the explorer's machine is smaller */
#define MAX_CPUS 64
#endif

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define ALIGN_UP(x, a)	 ALIGN_DOWN((x) + (__typeof__(x))(a) - 1, a)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __noreturn  __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __must_check __attribute__((warn_unused_result))
#define __packed     __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __maybe_unused __attribute__((unused))
#define __noinline   __attribute__((noinline))
#undef __always_inline /* the host's libraries have one too */
#define __always_inline inline __attribute__((always_inline))

/* A function of its own in debug builds: gdb is to stop at it. In release
 * builds it is part of whoever calls it. */
#ifdef CONFIG_DEBUG
#define __debug_noinline __noinline
#else
#define __debug_noinline __always_inline
#endif

/* In place of a @call that only debug builds make: the compiler checks it, and
 * it is worth 0. A header says so of each such function, once. */
#define debug_only(call) (0 ? (call) : (__typeof__(call))0)

/* The address of the instruction that called the current function. */
#define CALLER ((u64)__builtin_return_address(0))
