; How every other CPU begins. arch/x86/smp.c copies these lines to physical
; address TRAMPOLINE, where a start-up IPI makes a CPU begin in real mode.
;
;   1. real mode: load the GDT, switch on protected mode
;   2. 32-bit: the AP root, EFER, paging: 64-bit mode
;   3. 64-bit: find the slot prepared for this CPU by its APIC id, and claim it
;   4. on the slot's stack: start_secondary_cpu(cpu) in arch/x86/smp.c
;
; The boot CPU may have given up waiting. Whoever changes the slot's state
; from WAITING first has won; a CPU that comes too late, or that nobody asked
; for, finds no such slot and parks itself here. So this page is never put to
; another use, and the AP root that maps it is kept.
;
; The page is mapped read-only: nothing here is written after the copy.

%include "boot/boot.inc"

extern	start_secondary_cpu, ap_slots

global	trampoline_start, trampoline_end, trampoline_root

TRAMPOLINE	equ 0x8000

; Of struct ap_slot; smp.c proves that they agree.
AP_SLOT_STATE	equ 0
AP_SLOT_LATE	equ 4
AP_SLOT_STACK	equ 8
AP_SLOT_CPU	equ 16
AP_SLOT_SIZE	equ 24
AP_WAITING	equ 1
AP_TAKEN	equ 2

; Where a label of this file is once it has been copied.
%define AT(label)	(TRAMPOLINE + (label - trampoline_start))

section	.trampoline progbits alloc noexec nowrite align=16

; 1. Real mode, cs = TRAMPOLINE / 16, ip = 0.

bits	16
trampoline_start:
	cli
	cld
	mov	ax, cs
	mov	ds, ax
	o32 lgdt [gdt_pointer - trampoline_start]
	mov	eax, CR0_ET | CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:AT(start_32)

; 2. Protected mode.

bits	32
start_32:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax

	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [AT(trampoline_root)]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME | EFER_NXE
	wrmsr
	mov	eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE
	mov	cr0, eax
	jmp	SEL_CODE64:AT(start_64)

; 3. 64-bit mode, still at the low address. Which CPU is this?

bits	64
start_64:
	xor	eax, eax
	mov	fs, eax
	mov	gs, eax
	mov	eax, CPUID_FEATURES
	cpuid
	shr	ebx, FEATURES_APIC_ID_SHIFT
	imul	ebx, ebx, AP_SLOT_SIZE
	mov	rax, ap_slots
	add	rbx, rax		; rbx = &ap_slots[APIC id]

	mov	eax, AP_WAITING
	mov	ecx, AP_TAKEN
	lock cmpxchg [rbx + AP_SLOT_STATE], ecx
	jne	too_late

; 4. The slot is ours. A frame pointer of 0 ends backtraces.

	mov	rsp, [rbx + AP_SLOT_STACK]
	mov	rdi, [rbx + AP_SLOT_CPU]
	xor	ebp, ebp
	mov	rax, start_secondary_cpu
	call	rax			; does not return

too_late:
	mov	dword [rbx + AP_SLOT_LATE], 1
.park:
	cli
	hlt
	jmp	.park

	align	8, db 0
gdt:
	dq	0
	dq	DESC_CODE64
	dq	DESC_DATA
	dq	DESC_CODE32
gdt_pointer:
	dw	gdt_pointer - gdt - 1
	dd	AT(gdt)

trampoline_root:			; physical address, put in after the copy
	dd	0
trampoline_end:
