/* Where user addresses begin and end. */
#pragma once

#include "kernel/base/types.h" /* PAGE_SIZE, ALIGN_UP and so on */

#define USER_START 0x0000000000010000ul
#define USER_END   0x00007ffffffff000ul
