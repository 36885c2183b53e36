; System calls: the shortest way in and out.
;
; SYSCALL leaves the user's rip in rcx and flags in r11, clears the flags in
; MSR_FMASK (IF, DF, AC, TF ...: features.c), and changes neither rsp nor GS.
; The number is in rax, arguments in rdi, rsi, rdx, r10, r8, r9.
;
; Intel SDM volume 2, SYSCALL and SYSRET; Linux: entry_SYSCALL_64.

%include "asm_offsets.inc"

default	rel

extern	syscall_dispatch, exit_to_user, return_to_user

global	syscall_entry

section	.text

	align	16
syscall_entry:
	swapgs
	mov	[gs:CPU_USER_SP], rsp	; interrupts are off: ours until pushed
	mov	rsp, [gs:CPU_KERNEL_SP]

	push	USER_DS			; regs.ss
	push	qword [gs:CPU_USER_SP]	; regs.rsp
	push	r11			; regs.rflags
	push	USER_CS			; regs.cs
	push	rcx			; regs.rip
	push	rax			; regs.number
	push	VECTOR_SYSCALL		; regs.vector
	push	rdi			; regs.rdi
	push	rsi			; regs.rsi
	push	rdx			; regs.rdx
	push	rcx			; regs.rcx, as the user will see it
	push	rax			; regs.rax, where the result goes
	push	r8			; regs.r8
	push	r9			; regs.r9
	push	r10			; regs.r10
	push	r11			; regs.r11, as the user will see it
	push	rbx			; regs.rbx
	push	rbp			; regs.rbp
	push	r12			; regs.r12
	push	r13			; regs.r13
	push	r14			; regs.r14
	push	r15			; regs.r15

	mov	rdi, rsp		; void syscall_dispatch(struct regs *)
	call	syscall_dispatch	; which lets interrupts in, or not
	cli

	; Anything to do on the way out?
	mov	rax, [gs:CPU_CURR]
	mov	al, [rax + TASK_SIGNAL_WORK]
	or	al, [gs:CPU_NEED_RESCHED]
	jnz	.work

	; SYSRET takes rip from rcx and the flags from r11. Both are as SYSCALL
	; left them, if this still is a system call's struct regs (see there).
	; So rip is canonical, even behind the last user page: USER_END. With
	; another, Intel CPUs fault in SYSRET while still in kernel mode, on
	; the user's stack.
.leave:
	cmp	qword [rsp + REGS_VECTOR], VECTOR_SYSCALL
	jne	return_to_user

	mov	rbx, [rsp + REGS_RBX]	; a message's badge
	add	rsp, REGS_R11		; rbp, r12 .. r15: C preserves them
	pop	r11			; regs.r11, equal to rflags
	pop	r10			; regs.r10
	pop	r9			; regs.r9
	pop	r8			; regs.r8
	pop	rax			; regs.rax
	pop	rcx			; regs.rcx, equal to rip
	pop	rdx			; regs.rdx
	pop	rsi			; regs.rsi
	pop	rdi			; regs.rdi
	mov	rsp, [rsp + REGS_RSP - REGS_VECTOR]
	swapgs				; from here only NMI can come
	o64 sysret

.work:
	mov	rdi, rsp		; void exit_to_user(struct regs *rdi)
	call	exit_to_user
	cli
	jmp	.leave
