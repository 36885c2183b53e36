; What loaders look for: a multiboot2 header (GRUB) and a PVH note
; (qemu -kernel). There is no multiboot1 header: QEMU looks for that one first
; and then refuses a 64-bit image.

MULTIBOOT2_MAGIC	equ 0xe85250d6
MULTIBOOT2_I386		equ 0

TAG_END			equ 0
TAG_INFO_REQUEST	equ 1
TAG_FRAMEBUFFER		equ 5
TAG_OPTIONAL		equ 1		; flag: boot also without it

INFO_CMDLINE		equ 1
INFO_MODULE		equ 3
INFO_MEMORY_MAP		equ 6

NOTE_PHYS32_ENTRY	equ 18		; Xen's ELF note type
DEPTH			equ 32		; bits per pixel that we would like

extern	start_pvh

section	.boot.header progbits alloc noexec nowrite align=8

header:
	dd MULTIBOOT2_MAGIC
	dd MULTIBOOT2_I386
	dd header_end - header
	dd -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + (header_end - header))

	align 8, db 0
request:
	dw TAG_INFO_REQUEST, 0
	dd request_end - request
	dd INFO_MEMORY_MAP, INFO_CMDLINE, INFO_MODULE
request_end:

	; Under UEFI there is no text screen; any framebuffer will do.
	align 8, db 0
framebuffer:
	dw TAG_FRAMEBUFFER, TAG_OPTIONAL
	dd framebuffer_end - framebuffer
	dd 0, 0, DEPTH
framebuffer_end:

	align 8, db 0
	dw TAG_END, 0
	dd 8
header_end:

; 32-bit descriptor, and a segment alignment of 4: QEMU rounds the name's size
; up by that alignment to find the descriptor.
section	.note.pvh note alloc noexec nowrite align=4

	dd name_end - name
	dd descriptor_end - descriptor
	dd NOTE_PHYS32_ENTRY
name:
	db "Xen", 0
name_end:
	align 4, db 0
descriptor:
	dd start_pvh
descriptor_end:
