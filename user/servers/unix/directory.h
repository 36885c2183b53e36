/* Directories, as files that are read with getdents64. */
#pragma once

#include "user/servers/unix/file.h"

int directory_open(struct node *node, int flags, struct file **file);

/* Where a listing ends for this file: so that whoever renames what he reads
 * comes to an end. */
void directory_rewind(struct file *file);
