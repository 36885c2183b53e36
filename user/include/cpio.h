/*
 * The initial RAM disk: a cpio "newc" archive, hostile until checked. No
 * allocation; works on the archive in place. Format: cpio(5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cpio_entry {
	const char *name; /* 0-terminated, inside the archive, without leading
			   * "./" or "/" */
	const uint8_t *data;
	uint64_t size;
	uint32_t mode;
};

/*
 * Finds the entry named @path (a leading "/" is ignored); of a file with
 * several names (hard links) each finds the data. 0, -ENOENT, or
 * -EINVAL: the archive is damaged before such an entry was found; *why then
 * says what is wrong.
 */
int cpio_find(const void *archive, uint64_t size, const char *path,
	      struct cpio_entry *entry, const char **why);

/* Walks the whole archive: 0 when every header is sound and the trailer is
 * there, else -EINVAL and *why. *files: number of regular files. */
int cpio_check(const void *archive, uint64_t size, unsigned *files,
	       const char **why);

/* The entry at *offset, which moves on; -ENOENT at the trailer. For lists. */
int cpio_next(const void *archive, uint64_t size, uint64_t *offset,
	      struct cpio_entry *entry, const char **why);

/* The archive that the loader brought, behind @module, mapped for good; NULL
 * and *why. user/lib/archive.c. */
const void *archive_map(unsigned module, uint64_t *size, const char **why);
