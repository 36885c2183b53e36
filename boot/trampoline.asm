; How every other CPU begins. arch/x86/smp.c copies these lines to a page in
; the first MiB, where a start-up IPI makes a CPU begin in real mode.
;
;   1. real mode: fill in where the page is, switch on protected mode
;   2. 32-bit: the AP root, EFER, paging: 64-bit mode
;   3. 64-bit: find the slot prepared for this CPU by its APIC id, and claim it
;   4. on the slot's stack: start_secondary_cpu(cpu) in arch/x86/smp.c
;
; The boot CPU may have given up waiting. Whoever changes the slot's state
; from WAITING first has won; a CPU that comes too late, or that nobody asked
; for, finds no such slot and parks itself here. So this page is never put to
; another use, and the AP root that maps it is kept.
;
; The page is mapped read-only: nothing here is written once there is paging.

%include "boot/boot.inc"

extern	start_secondary_cpu, ap_slots

global	trampoline_start, trampoline_end, trampoline_root

; Of struct ap_slot; smp.c proves that they agree.
AP_SLOT_STATE	equ 0
AP_SLOT_LATE	equ 4
AP_SLOT_STACK	equ 8
AP_SLOT_CPU	equ 16
AP_SLOT_SIZE	equ 24
AP_WAITING	equ 1
AP_TAKEN	equ 2

; How far into the page a label is.
%define AT(label)	(label - trampoline_start)

PARAGRAPH_SHIFT	equ 4			; real mode: address = segment * 16

section	.trampoline progbits alloc noexec nowrite align=16

; 1. Real mode, cs = page / 16, ip = 0. From here on ebx = page.

bits	16
trampoline_start:
	cli
	cld
	mov	ax, cs
	mov	ds, ax
	movzx	ebx, ax
	shl	ebx, PARAGRAPH_SHIFT
	lea	eax, [ebx + AT(gdt)]
	mov	[AT(gdt_address)], eax
	lea	eax, [ebx + AT(start_32)]
	mov	[AT(to_start_32)], eax
	lea	eax, [ebx + AT(start_64)]
	mov	[AT(to_start_64)], eax

	o32 lgdt [AT(gdt_pointer)]
	mov	eax, CR0_ET | CR0_PE
	mov	cr0, eax
	jmp	dword far [AT(to_start_32)]

; 2. Protected mode.

bits	32
start_32:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax

	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [ebx + AT(trampoline_root)]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME | EFER_NXE
	wrmsr
	mov	eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE
	mov	cr0, eax
	jmp	far [ebx + AT(to_start_64)]

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
gdt_address:
	dd	0

to_start_32:				; far addresses: offset, selector
	dd	0
	dw	SEL_CODE32
to_start_64:
	dd	0
	dw	SEL_CODE64

trampoline_root:			; physical address, put in after the copy
	dd	0
trampoline_end:
