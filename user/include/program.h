/*
 * Programs put into an address space from outside: what exec does in a kernel
 * that knows files. The archive and the program are hostile until checked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/include/elf_file.h"

/* What a program is told when it begins. */
struct program_args {
	const char *path;
	const char *const *argv, *const *envp; /* each ends with NULL */
	uint64_t random[2];
	uint64_t hwcap;
};

/*
 * Puts together what a program finds from its first stack pointer up to @top,
 * a multiple of 16: argc, argv, envp, the auxiliary vector, the strings. It goes
 * into the last bytes of @buf, which has @size. Returns its size, a multiple of
 * 16; if that is more than @size, nothing was written. Format: the System V ABI,
 * AMD64 supplement, 3.4.1.
 */
size_t stack_build(void *buf, size_t size, uint64_t top,
		   const struct elf_program *elf, uint64_t bias,
		   const struct program_args *args);

/* What is to be added to a program's addresses; 0 unless it is a PIE. */
uint64_t program_bias(const struct elf_program *elf);

/* A program in an address space where nobody lives yet. */
struct program {
	unsigned building; /* for process_create(), or the answer to execve */
	uint64_t entry, sp;
};

/*
 * Builds the program whose file is [image, image + size). 0, or a negative
 * errno, and nothing is left: -ENOEXEC, with *why, a sentence for people;
 * -ENOMEM, -EMFILE: *why is NULL.
 */
int program_build(struct program *program, const void *image, size_t size,
		  const struct program_args *args, const char **why);

/* The same of the file at args->path in an archive. -ENOENT; -EINVAL, with *why:
 * the archive is damaged. */
int program_find(struct program *program, const void *archive, uint64_t size,
		 const struct program_args *args, const char **why);

/* What a program is called by: the last part of its path. */
const char *program_name(const char *path);

/* Says in the log why the program at @path, which somebody has chosen to be
 * run, could not be. */
void program_explain(const char *path, int err, const char *why);

/* Fills in random bits, and what this machine can do. */
void program_args_init(struct program_args *args);
