; From the loader's jump to the first line of C, on the boot CPU.
;
;   1. remember which loader called, and where its information lies
;   2. check that the CPU can run us; if not, say what is missing and stop;
;      note the time
;   3. fill the boot page tables: the first GiB at 0, at the direct map, and
;      at -2 GiB, in 2 MiB pages
;   4. switch on 64-bit mode
;   5. jump to the high half: start_boot_cpu(loader, info, tsc) in
;      arch/x86/start.c
;
; Both loaders enter in 32-bit protected mode, paging and interrupts off, flat
; segments, the address of their information in ebx. In this file all
; addresses are physical; what is linked high has KERNEL_BASE subtracted.

%include "boot/boot.inc"

; Keep with enum loader in arch/x86/platform.h.
LOADER_MULTIBOOT2	equ 1
LOADER_PVH		equ 2

MULTIBOOT2_CALLED	equ 0x36d76289	; in eax

EFLAGS_ID		equ 1 << 21	; can be changed where CPUID exists

VGA_TEXT		equ 0xb8000
VGA_COLUMNS		equ 80
VGA_ROWS		equ 25
VGA_WHITE_ON_RED	equ 0x4f

COM1			equ 0x3f8
COM1_INTERRUPTS		equ COM1 + 1
COM1_LINE_CONTROL	equ COM1 + 3
COM1_LINE_STATUS	equ COM1 + 5
LINE_8N1		equ 0x03
LINE_DIVISOR		equ 0x80
DIVISOR_115200		equ 1
STATUS_CAN_SEND		equ 1 << 5
SEND_TRIES		equ 100000	; a missing port never becomes ready

DEBUG_EXIT		equ 0xf4	; QEMU's isa-debug-exit
VERDICT_FAIL		equ 0x11	; as in arch/arch.h

extern	start_boot_cpu, boot_stack_top

global	start_multiboot2, start_pvh

; ---- Page tables ------------------------------------------------------------

section	.boot.bss nobits alloc noexec write align=4096

boot_root:	resb PAGE_SIZE		; level 4
boot_low:	resb PAGE_SIZE		; level 3, for 0 and the direct map
boot_high:	resb PAGE_SIZE		; level 3, for -2 GiB
boot_gib:	resb PAGE_SIZE		; level 2: the first GiB

; Which entry of a level 4 or level 3 table translates the address.
%define ROOT_INDEX(addr)	(((addr) >> 39) & 511)
%define LEVEL3_INDEX(addr)	(((addr) >> 30) & 511)

; ---- Code -------------------------------------------------------------------

section	.boot.text progbits alloc exec nowrite align=16
bits	32

; 1. Which loader?

start_multiboot2:
	cli
	cld
	mov	esp, boot_stack_top - KERNEL_BASE
	mov	esi, no_multiboot2
	cmp	eax, MULTIBOOT2_CALLED
	jne	refuse
	mov	ebp, LOADER_MULTIBOOT2
	jmp	check_cpu

start_pvh:
	cli
	cld
	mov	esp, boot_stack_top - KERNEL_BASE
	mov	ebp, LOADER_PVH

; From here on: ebp = loader. Step 2 pushes the physical address of its
; information, then the time.

; 2. Can this CPU run us?

check_cpu:
	push	ebx			; cpuid changes it

	pushfd				; can the ID flag be flipped?
	pop	eax
	mov	ecx, eax
	xor	eax, EFLAGS_ID
	push	eax
	popfd
	pushfd
	pop	eax
	xor	eax, ecx
	mov	esi, no_long_mode
	test	eax, EFLAGS_ID
	jz	refuse

	mov	eax, CPUID_MAX_EXTENDED
	cpuid
	mov	esi, no_long_mode
	cmp	eax, CPUID_EXTENDED
	jb	refuse

	mov	eax, CPUID_EXTENDED
	cpuid
	test	edx, EXTENDED_EDX_LM
	jz	refuse
	mov	esi, no_nx
	test	edx, EXTENDED_EDX_NX
	jz	refuse

	rdtsc				; time begins here
	push	edx
	push	eax

; 3. Boot page tables. All four were cleared by the loader, as bss is.

	mov	eax, PTE_P | PTE_W | PTE_PS
	mov	edi, boot_gib
	mov	ecx, PTES_PER_TABLE
.large_page:
	mov	[edi], eax
	add	eax, LARGE_PAGE_SIZE
	add	edi, PTE_SIZE
	loop	.large_page

%define TABLE(name)	name + (PTE_P | PTE_W)

	mov	dword [boot_low], TABLE(boot_gib)
	mov	dword [boot_high + LEVEL3_INDEX(KERNEL_BASE) * PTE_SIZE], \
		TABLE(boot_gib)
	mov	dword [boot_root], TABLE(boot_low)
	mov	dword [boot_root + ROOT_INDEX(DIRECT_MAP_BASE) * PTE_SIZE], \
		TABLE(boot_low)
	mov	dword [boot_root + ROOT_INDEX(KERNEL_BASE) * PTE_SIZE], \
		TABLE(boot_high)

; 4. 64-bit mode: PAE, root, EFER.LME, and then paging switches it on.

	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, boot_root
	mov	cr3, eax

	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME | EFER_NXE
	wrmsr

	mov	eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE
	mov	cr0, eax

	lgdt	[gdt_pointer]
	jmp	SEL_CODE64:start_64

; 5. To the high half.

bits	64
start_64:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	xor	eax, eax
	mov	fs, eax
	mov	gs, eax

	; start_boot_cpu(enum loader rdi, paddr_t rsi, u64 rdx); a frame
	; pointer of 0 ends backtraces.
	mov	edi, ebp
	mov	rdx, [rsp]		; the two halves of the time
	mov	esi, [rsp + 8]		; physical address of the information
	mov	rsp, boot_stack_top
	xor	ebp, ebp
	mov	rax, start_boot_cpu
	call	rax
.never:
	hlt
	jmp	.never

; ---- When we cannot start ---------------------------------------------------

bits	32

; Shows the sentence at esi on screen and serial line, and stops for good.
refuse:
	mov	dx, COM1_INTERRUPTS	; none
	xor	eax, eax
	out	dx, al
	mov	dx, COM1_LINE_CONTROL
	mov	al, LINE_DIVISOR
	out	dx, al
	mov	dx, COM1
	mov	al, DIVISOR_115200
	out	dx, al
	inc	edx			; the divisor's upper byte
	xor	eax, eax
	out	dx, al
	mov	dx, COM1_LINE_CONTROL
	mov	al, LINE_8N1
	out	dx, al

	mov	edi, VGA_TEXT
	mov	ecx, VGA_COLUMNS * VGA_ROWS
	mov	eax, (VGA_WHITE_ON_RED << 8) | ' '
	rep	stosw
	mov	edi, VGA_TEXT
.next:
	lodsb
	test	al, al
	jz	.stop
	call	put_serial
	cmp	al, 10			; the screen wraps by itself
	je	.next
	mov	ah, VGA_WHITE_ON_RED
	stosw
	jmp	.next
.stop:
	mov	dx, DEBUG_EXIT
	mov	al, VERDICT_FAIL
	out	dx, al
.halt:
	cli
	hlt
	jmp	.halt

; Sends al; gives up when the port does not take it. Changes edx, ecx.
put_serial:
	push	eax
	mov	dx, COM1_LINE_STATUS
	mov	ecx, SEND_TRIES
.wait:
	in	al, dx
	test	al, STATUS_CAN_SEND
	jnz	.send
	pause
	loop	.wait
.send:
	pop	eax
	mov	dx, COM1
	out	dx, al
	ret

no_multiboot2:
	db "Lodger cannot start: it was not called by a multiboot2 loader. "
	db "In GRUB use the command multiboot2, or start it with "
	db "qemu-system-x86_64 -kernel.", 10, 0
no_long_mode:
	db "Lodger cannot start: this CPU has no 64-bit (long) mode. "
	db "Use a 64-bit CPU; in QEMU qemu-system-x86_64 with -cpu max.", 10, 0
no_nx:
	db "Lodger cannot start: this CPU cannot forbid execution (NX). "
	db "Switch NX on in the firmware setup (it may be called XD or "
	db "execute disable); in QEMU use -cpu max.", 10, 0

	align	8, db 0
gdt:
	dq	0
	dq	DESC_CODE64
	dq	DESC_DATA
gdt_pointer:
	dw	gdt_pointer - gdt - 1
	dd	gdt
