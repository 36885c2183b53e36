/* What is saved once, at the end of set-up, and put back for each execution. */
#include <stdlib.h>
#include <string.h>

#include "arch/sim/machine.h"
#include "kernel/base/assert.h"

enum { MAX_PIECES = 64 };

static struct piece {
	char *base, *saved;
	size_t size;
} pieces[MAX_PIECES];
static unsigned nr_pieces;

void
arena_add(void *base, size_t size)
{
	ASSERT(nr_pieces < MAX_PIECES);
	if (size)
		pieces[nr_pieces++] = (struct piece){ base, NULL, size };
}

void
arena_save(void)
{
	for (unsigned i = 0; i < nr_pieces; i++) {
		struct piece *piece = &pieces[i];

		piece->saved = malloc(piece->size);
		ASSERT(piece->saved);
		memcpy(piece->saved, piece->base, piece->size);
	}
}

void
arena_restore(void)
{
	for (unsigned i = 0; i < nr_pieces; i++)
		memcpy(pieces[i].base, pieces[i].saved, pieces[i].size);
}
