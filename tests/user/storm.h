/* Numbers for the storms: the same for the same seed, everywhere. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* xorshift64*. */
static inline uint64_t
draw(uint64_t *state, uint64_t limit)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1d >> 33) % limit;
}

/* The seed that main's first argument gives, or 1; printed. */
static inline uint64_t
storm_seed(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	printf("seed %llu\n", (unsigned long long)seed);
	return seed * 2654435761u + 1;
}
