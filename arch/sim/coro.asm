; Coroutines. See coro.h. System V calling convention.

global	coro_switch, coro_make

section	.text

; void coro_switch(u64 *save, u64 to)
;	rdi	where the running stack's pointer goes
;	rsi	the stack pointer to go on with
; What a suspended stack holds, from its pointer up: r15 r14 r13 r12 rbx rbp,
; the return address.
	align	16
coro_switch:
	push	rbp
	push	rbx
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[rdi], rsp
	mov	rsp, rsi
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbx
	pop	rbp
	ret

; u64 coro_make(void *base, size_t size, void (*fn)(void *), void *arg)
;	rdi	lowest address of the stack
;	rsi	its size
;	rdx	what it will call
;	rcx	with this argument
; Returns, in rax, what coro_switch() takes for to.
	align	16
coro_make:
	lea	rax, [rdi + rsi]
	and	rax, -16
	mov	qword [rax - 8], 0	; the end, for backtraces
	lea	r8, [rel begin]
	mov	[rax - 16], r8		; return address
	mov	qword [rax - 24], 0	; rbp
	mov	qword [rax - 32], 0	; rbx
	mov	[rax - 40], rdx		; r12: fn
	mov	[rax - 48], rcx		; r13: arg
	mov	qword [rax - 56], 0	; r14
	mov	qword [rax - 64], 0	; r15
	sub	rax, 64
	ret

; The stack is empty but for the 0 above: rsp is 8 below a multiple of 16.
begin:
	mov	rdi, r13
	sub	rsp, 8			; a multiple of 16 at the call
	call	r12
	ud2				; fn must not return

section	.note.GNU-stack noalloc noexec nowrite progbits
