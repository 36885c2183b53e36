; The switch of stacks, and the first steps of a new task.

%include "asm_offsets.inc"

extern	task_first_run, return_to_user

global	switch_stacks, task_entry

section	.text

; struct task *switch_stacks(struct task *prev, struct task *next)
;	rdi	prev: its callee-saved registers go to its stack
;	rsi	next: resumes where it called this, or in task_entry
; Returns, in rax, the prev of the switch that resumed us. The order of pushes
; is struct switch_frame in switch.c.
	align	16
switch_stacks:
	push	rbp			; frame.rbp
	push	rbx			; frame.rbx
	push	r12			; frame.r12
	push	r13			; frame.r13
	push	r14			; frame.r14
	push	r15			; frame.r15

	mov	[rdi + TASK_SP], rsp
	mov	rsp, [rsi + TASK_SP]
	mov	[gs:CPU_CURR], rsi
	mov	rax, rdi

	pop	r15			; frame.r15
	pop	r14			; frame.r14
	pop	r13			; frame.r13
	pop	r12			; frame.r12
	pop	rbx			; frame.rbx
	pop	rbp			; frame.rbp
	ret				; frame.rip

; Where a new task's first switch-in returns to. Interrupts are off.
;	rax	prev
;	r12	fn, or 0
;	r13	its argument
;	rsp	task_regs(current)
task_entry:
	mov	rdi, rax		; void task_first_run(struct task *rdi)
	call	task_first_run
	sti
	test	r12, r12
	jz	.to_user
	mov	rdi, r13		; void fn(void *rdi)
	call	r12
.to_user:
	jmp	return_to_user
