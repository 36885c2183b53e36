/*
 * Memory and strings. These are our own so that the explorer can instrument
 * them; on x86 the three mem* functions are in arch/x86/mem.asm.
 */
#pragma once

#include <stdarg.h>

#include "kernel/base/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copies at most size-1 bytes and always terminates. */
void strscpy(char *dst, const char *src, size_t size);

/*
 * printf into a buffer: %d %i %u %x %c %s %p %%, with l, ll, z, width, precision
 * for %s (which may be *), flags - 0 #. Always terminates; returns the length
 * that the full text would have had.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
