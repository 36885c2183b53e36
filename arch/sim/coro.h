/*
 * Coroutines: a stack and a stack pointer. The C library's swapcontext() costs
 * 400 ns, most of it a system call for the signal mask; this one costs 2.
 */
#pragma once

#include "kernel/base/types.h"

/* Saves the callee-saved registers on the running stack, its pointer in
 * *@save, and goes on where @to was saved. coro.asm. */
void coro_switch(u64 *save, u64 to);

/* A stack pointer for coro_switch() that will call @fn(@arg) on the stack
 * [base, base + size). @fn must not return. */
u64 coro_make(void *base, size_t size, void (*fn)(void *), void *arg);
