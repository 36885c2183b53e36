; Exceptions and interrupts: in, and out again.
;
;   1. the stub of the vector completes what the CPU pushed
;   2. trap_common saves the rest of struct regs, makes the flags and GS the
;      kernel's, and calls trap_dispatch(regs)
;   3. to the kernel: restore; to user mode: return_to_user
;
; Every gate is an interrupt gate, so we arrive with interrupts off. NMI,
; double fault and machine check come through trap_fatal_entry: they may strike
; between a change of privilege and SWAPGS, and so do not trust GS.

%include "asm_offsets.inc"

default	rel

extern	trap_dispatch, trap_fatal, trap_bad_return
extern	exit_to_user, features

global	trap_stubs, return_to_user

section	.text

; ---- 1. Stubs -----------------------------------------------------------

%define ERROR_CODE(v)	((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 \
			|| (v) == 21 || (v) == 29 || (v) == 30)
%define FATAL(v)	((v) == 2 || (v) == 8 || (v) == 18)

	align	TRAP_STUB_BYTES
trap_stubs:
%assign vector 0
%rep NR_VECTORS
	align	TRAP_STUB_BYTES
%if !ERROR_CODE(vector)
	push	0			; regs.error
%endif
	push	vector			; regs.vector
%if FATAL(vector)
	jmp	trap_fatal_entry
%else
	jmp	trap_common
%endif
%assign vector vector + 1
%endrep

; ---- 2. The common path ---------------------------------------------------

; The general registers, in struct regs' order from its end.
%macro PUSH_GENERAL 0
	push	rdi			; regs.rdi
	push	rsi			; regs.rsi
	push	rdx			; regs.rdx
	push	rcx			; regs.rcx
	push	rax			; regs.rax
	push	r8			; regs.r8
	push	r9			; regs.r9
	push	r10			; regs.r10
	push	r11			; regs.r11
	push	rbx			; regs.rbx
	push	rbp			; regs.rbp
	push	r12			; regs.r12
	push	r13			; regs.r13
	push	r14			; regs.r14
	push	r15			; regs.r15
%endmacro

%macro POP_GENERAL 0
	pop	r15			; regs.r15
	pop	r14			; regs.r14
	pop	r13			; regs.r13
	pop	r12			; regs.r12
	pop	rbp			; regs.rbp
	pop	rbx			; regs.rbx
	pop	r11			; regs.r11
	pop	r10			; regs.r10
	pop	r9			; regs.r9
	pop	r8			; regs.r8
	pop	rax			; regs.rax
	pop	rcx			; regs.rcx
	pop	rdx			; regs.rdx
	pop	rsi			; regs.rsi
	pop	rdi			; regs.rdi
%endmacro

; The interrupted code chose DF and AC: C wants the one clear, and SMAP
; protects only while the other is.
%macro KERNEL_FLAGS 0
	cld
	cmp	byte [features + FEATURES_SMAP], 0
	je	%%no_smap
	clac
%%no_smap:
%endmacro

; The CPU and the stub have pushed from regs.ss down to regs.vector.
trap_common:
	test	byte [rsp + REGS_CS - REGS_VECTOR], PRIVILEGE_MASK
	jz	.gs_is_ours
	swapgs
.gs_is_ours:
	PUSH_GENERAL
	KERNEL_FLAGS
	mov	rdi, rsp		; void trap_dispatch(struct regs *rdi)
	call	trap_dispatch

	test	byte [rsp + REGS_CS], PRIVILEGE_MASK
	jnz	return_to_user
	POP_GENERAL
	add	rsp, REGS_RIP - REGS_VECTOR	; vector and error code
	iretq

; ---- 3. Back to user mode -------------------------------------------------

; Not a function: jumped to with rsp = task_regs(current), GS the kernel's,
; interrupts on or off. A task that has work to do first, such as dying, does
; it. IRETQ with an address that is no user address would fault in the kernel,
; on the user's GS; so this is checked beforehand, as it can come from a signal
; frame or a damaged return address.
return_to_user:
	cli
	mov	rax, [gs:CPU_CURR]
	mov	al, [rax + TASK_SIGNAL_WORK]
	or	al, [gs:CPU_NEED_RESCHED]
	jz	.no_work
	mov	rdi, rsp		; void exit_to_user(struct regs *rdi)
	call	exit_to_user
	cli
.no_work:
	mov	rax, USER_END_VALUE
	cmp	[rsp + REGS_RIP], rax
	jae	.bad_address
	POP_GENERAL
	add	rsp, REGS_RIP - REGS_VECTOR	; vector and error code
	swapgs
	iretq

.bad_address:
	mov	rdi, rsp		; void trap_bad_return(struct regs *rdi)
	call	trap_bad_return
	jmp	return_to_user		; where the signal is found

; ---- NMI, double fault, machine check ---------------------------------------

; On a stack of their own; the address of the CPU's block lies above it
; (descriptors.c). Nothing here returns, so nothing is kept but regs.
trap_fatal_entry:
	PUSH_GENERAL
	KERNEL_FLAGS
	mov	rax, [rsp + REGS_SIZE]	; struct cpu *
	mov	rdx, rax
	shr	rdx, 32			; edx:eax is what wrmsr writes
	mov	ecx, MSR_GS_BASE
	wrmsr
	mov	rdi, rsp		; void trap_fatal(struct regs *rdi)
	call	trap_fatal
	ud2				; it does not return
