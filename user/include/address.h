/* Where user addresses begin and end, and arithmetic with them. */
#pragma once

#include <stdint.h>

#define PAGE_SIZE  4096ul
#define USER_START 0x0000000000010000ul
#define USER_END   0x00007ffffffff000ul

/* @align is a power of two. */
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align) - 1))
#define ALIGN_UP(x, align)   ALIGN_DOWN((x) + ((__typeof__(x))(align) - 1), align)

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
