/* The initial file system: a cpio "newc" archive. */
#pragma once

#include "kernel/base/types.h"

/*
 * Makes the archive's directories, files and links. Files keep their bytes in
 * the archive, which must stay. -EINVAL: it is damaged; what came before the
 * damage is there. -ENOMEM, -ENOSPC.
 */
int archive_unpack(const void *archive, u64 size);
