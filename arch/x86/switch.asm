; The switch of stacks, and the first steps of a new task.

%include "asm_offsets.inc"

extern	task_first_run, return_to_user

global	switch_stacks, task_entry

section	.text

; Called by the inline function of the same name in arch_switch.h.
;	rdi	prev: is left here
;	rsi	next: resumes where it called this, or in task_entry
; Returns, in rdi, the prev of the switch that resumed us. All registers but rsp
; and rbp are lost. What is on the stack is struct switch_frame in switch.c.
	align	16
switch_stacks:
	push	rbp			; frame.rbp
	mov	[rdi + TASK_SP], rsp
	mov	rsp, [rsi + TASK_SP]
	mov	[gs:CPU_CURR], rsi
	pop	rbp			; frame.rbp
	ret				; frame.rip

; Where a new task's first switch-in returns to. Interrupts are off.
;	rdi	prev
;	rsp	frame.fn: task_regs(current) is behind frame.arg
task_entry:
	pop	rbx			; frame.fn, or 0
	pop	r12			; frame.arg
	call	task_first_run		; void task_first_run(struct task *rdi)
	sti
	test	rbx, rbx
	jz	.to_user
	mov	rdi, r12		; void fn(void *rdi)
	call	rbx
.to_user:
	jmp	return_to_user
