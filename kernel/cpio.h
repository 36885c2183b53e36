/*
 * The initial RAM disk: a cpio "newc" archive, hostile until checked. No
 * allocation; works on the archive in place. Format: cpio(5).
 */
#pragma once

#include "kernel/base/types.h"

struct cpio_entry {
	const char *name; /* 0-terminated, inside the archive, without leading
			   * "./" or "/" */
	const u8 *data;
	u64 size;
	u32 mode;
};

/*
 * Finds the entry named @path (a leading "/" is ignored); of a file with
 * several names (hard links) each finds the data. 0, -ENOENT, or
 * -EINVAL: the archive is damaged before such an entry was found; *why then
 * says what is wrong.
 */
int cpio_find(const void *archive, u64 size, const char *path,
	      struct cpio_entry *entry, const char **why);

/* Walks the whole archive: 0 when every header is sound and the trailer is
 * there, else -EINVAL and *why. *files: number of regular files. */
int cpio_check(const void *archive, u64 size, unsigned *files,
	       const char **why);

/* The entry at *offset, which moves on; -ENOENT at the trailer. For lists. */
int cpio_next(const void *archive, u64 size, u64 *offset,
	      struct cpio_entry *entry, const char **why);
