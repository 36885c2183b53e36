; The first program, as the build has made it: user/first, linked by
; user/first/first.ld. kernel/first.c puts it into its address space.

global first_image
global first_image_end

section .rodata

	align 8
first_image:
	incbin "build/user/first.bin"
first_image_end:
