; memcpy, memmove, memset, memcmp: eight bytes at a time, as one turn of a
; string instruction costs as much as any other instruction. DF is clear in
; all kernel code but within memmove.

default	rel

global	memcpy, memmove, memset, memcmp

section	.text

; void *memcpy(void *dst, const void *src, size_t n)
;	rdi	dst
;	rsi	src
;	rdx	n
; Returns dst.
	align	16
memcpy:
	mov	rax, rdi
	mov	rcx, rdx
	shr	rcx, 3			; whole words
	rep	movsq
	and	edx, 7			; and bytes
	mov	ecx, edx
	rep	movsb
	ret

; void *memmove(void *dst, const void *src, size_t n)
;	rdi	dst
;	rsi	src
;	rdx	n
; Returns dst. Copies from the end when dst begins inside [src, src + n).
	align	16
memmove:
	mov	rax, rdi
	sub	rax, rsi
	cmp	rax, rdx		; unsigned: a dst below src is far above
	jae	memcpy

	mov	rax, rdi
	std
	lea	rdi, [rdi + rdx - 1]	; the last byte
	lea	rsi, [rsi + rdx - 1]
	mov	rcx, rdx
	and	ecx, 7			; odd bytes first
	rep	movsb
	sub	rdi, 7			; the last word
	sub	rsi, 7
	mov	rcx, rdx
	shr	rcx, 3
	rep	movsq
	cld
	ret

; void *memset(void *dst, int byte, size_t n)
;	rdi	dst
;	sil	byte
;	rdx	n
; Returns dst.
	align	16
memset:
	mov	r8, rdi
	movzx	eax, sil
	mov	rcx, 0x0101010101010101
	imul	rax, rcx		; the byte, eight times
	mov	rcx, rdx
	shr	rcx, 3			; whole words
	rep	stosq
	and	edx, 7			; and bytes
	mov	ecx, edx
	rep	stosb
	mov	rax, r8
	ret

; int memcmp(const void *a, const void *b, size_t n)
;	rdi	a
;	rsi	b
;	rdx	n
; Returns the difference of the first bytes that differ, or 0.
	align	16
memcmp:
	mov	rcx, rdx
	shr	rcx, 3			; whole words
	jz	.bytes
.word:
	mov	rax, [rdi]
	cmp	rax, [rsi]
	jne	.here
	add	rdi, 8
	add	rsi, 8
	dec	rcx
	jnz	.word
.bytes:
	and	edx, 7
	jz	.equal
	jmp	.byte
.here:
	mov	edx, 8			; the difference is in these
.byte:
	movzx	eax, byte [rdi]
	movzx	ecx, byte [rsi]
	sub	eax, ecx
	jnz	.differ
	inc	rdi
	inc	rsi
	dec	edx
	jnz	.byte
.equal:
	xor	eax, eax
.differ:
	ret
