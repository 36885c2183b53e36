/*
 * The only way to user memory. Needs current->mm, a real one: a kernel thread
 * that merely borrows an address space is refused, whatever that space maps.
 * Refuses anything but user addresses. May sleep and fault; must not be
 * called with mm->lock or a spin lock held.
 */
#pragma once

#include "arch/arch.h" /* USER_END */

/* 0 or -EFAULT; after -EFAULT part may have been copied. */
int copy_from_user(void *dst, uaddr_t src, size_t n) __must_check;
int copy_to_user(uaddr_t dst, const void *src, size_t n) __must_check;
int clear_user(uaddr_t dst, size_t n) __must_check;

/* The same with any lock held that is no spin lock: a page that is not there
 * is not made present. Return the bytes not copied. */
size_t copy_from_user_nofault(void *dst, uaddr_t src, size_t n) __must_check;
size_t copy_to_user_nofault(uaddr_t dst, const void *src, size_t n)
	__must_check;

/* Copies a string with its 0: returns its length without it, -EFAULT, or
 * -ENAMETOOLONG when it does not fit in @size bytes. */
ssize_t strncpy_from_user(char *dst, uaddr_t src, size_t size) __must_check;

int get_user_u32(u32 *value, uaddr_t src) __must_check;
int put_user_u32(uaddr_t dst, u32 value) __must_check;
/* *old must be *addr for @new to be stored; *old becomes what was there. */
int cmpxchg_user_u32(uaddr_t addr, u32 *old, u32 new) __must_check;

/* Do [addr, addr + n) lie in the user half, with no overflow? */
static inline bool
access_ok(uaddr_t addr, size_t n)
{
	return n <= USER_END && addr <= USER_END - n;
}
