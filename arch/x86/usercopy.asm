; User memory. Every instruction here that touches it has an entry in the
; exception table: should it fault for good, arch_fixup_exception() continues
; at the fix-up instead. mm/usercopy.c has checked the addresses.
;
; SMAP forbids the kernel user memory except between STAC and CLAC; a CPU
; without SMAP does not know these instructions.

%include "asm_offsets.inc"

default	rel

extern	features

global	arch_copy_from_user, arch_copy_to_user, arch_clear_user
global	arch_strncpy_from_user, arch_cmpxchg_user

%macro USER_MEMORY_OPEN 0
	cmp	byte [features + FEATURES_SMAP], 0
	je	%%no_smap
	stac
%%no_smap:
%endmacro

; Changes no register.
%macro USER_MEMORY_CLOSE 0
	cmp	byte [features + FEATURES_SMAP], 0
	je	%%no_smap
	clac
%%no_smap:
%endmacro

; ON_FAULT instruction, fix-up: a struct ex_entry.
%macro ON_FAULT 2
	[section __ex_table progbits alloc noexec nowrite align=8]
	dq	%1, %2
	__?SECT?__
%endmacro

section	.text

; size_t arch_copy_from_user(void *dst, uaddr_t src, size_t n)
; size_t arch_copy_to_user(uaddr_t dst, const void *src, size_t n)
;	rdi	dst
;	rsi	src
;	rdx	n
; Returns the bytes not copied. A fault among the words leaves up to 7 bytes
; that could still be copied: the byte loop takes these and faults again, so
; that the count is exact.
	align	16
arch_copy_from_user:
arch_copy_to_user:
	mov	rcx, rdx
	shr	rcx, 3			; whole words
	and	edx, 7			; and bytes
	USER_MEMORY_OPEN
.words:
	rep	movsq
	mov	ecx, edx
.bytes:
	rep	movsb
.done:
	USER_MEMORY_CLOSE
	mov	rax, rcx		; what the string instruction had left
	ret
.words_fault:
	lea	rcx, [rdx + rcx * 8]
	jmp	.bytes

	ON_FAULT .words, .words_fault
	ON_FAULT .bytes, .done

; size_t arch_clear_user(uaddr_t dst, size_t n)
;	rdi	dst
;	rsi	n
; Returns the bytes not cleared.
	align	16
arch_clear_user:
	xor	eax, eax
	mov	rcx, rsi
	shr	rcx, 3			; whole words
	and	esi, 7			; and bytes
	USER_MEMORY_OPEN
.words:
	rep	stosq
	mov	ecx, esi
.bytes:
	rep	stosb
.done:
	USER_MEMORY_CLOSE
	mov	rax, rcx
	ret
.words_fault:
	lea	rcx, [rsi + rcx * 8]
	jmp	.bytes

	ON_FAULT .words, .words_fault
	ON_FAULT .bytes, .done

; ssize_t arch_strncpy_from_user(char *dst, uaddr_t src, size_t size)
;	rdi	dst
;	rsi	src
;	rdx	size
; Returns the length without the 0; size when there is none; -EFAULT.
	align	16
arch_strncpy_from_user:
	mov	rcx, rdx		; bytes left
	USER_MEMORY_OPEN
	jrcxz	.no_end
.load:
	lodsb
	stosb
	test	al, al
	jz	.end
	dec	rcx
	jnz	.load
.no_end:
	mov	rax, rdx
	USER_MEMORY_CLOSE
	ret
.end:
	mov	rax, rdx
	sub	rax, rcx
	USER_MEMORY_CLOSE
	ret
.fault:
	mov	rax, -EFAULT
	USER_MEMORY_CLOSE
	ret

	ON_FAULT .load, .fault

; int arch_cmpxchg_user(uaddr_t addr, u32 *old, u32 new)
;	rdi	addr
;	rsi	old
;	edx	new
; Returns 0, with *old what was at addr; or -EFAULT.
	align	16
arch_cmpxchg_user:
	mov	eax, [rsi]
	USER_MEMORY_OPEN
.exchange:
	lock cmpxchg [rdi], edx
	USER_MEMORY_CLOSE
	mov	[rsi], eax
	xor	eax, eax
	ret
.fault:
	USER_MEMORY_CLOSE
	mov	eax, -EFAULT
	ret

	ON_FAULT .exchange, .fault
