# cpus=1 append="run=/bin/hello"
"""An NMI before the first instruction of a system call: the CPU is in kernel mode
already, but GS and the stack are still the program's."""
from lib import expect, expect_panic, gs_is_the_kernels, nmi, privilege, run_to_address

run_to_address("syscall_entry")
expect("privilege", privilege(), 0)
expect("GS is the kernel's", gs_is_the_kernels(), False)
nmi()
expect_panic("non-maskable interrupt that no CPU sent", "first, which lives in mm",
             "syscall_entry")
