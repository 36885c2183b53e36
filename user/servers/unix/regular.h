/* Files with bytes. */
#pragma once

#include "user/servers/unix/file.h"

int regular_open(struct node *node, int flags, struct file **file);
